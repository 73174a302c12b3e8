import Postgres

/// The role that runs definitions.
struct DefinitionRole {
    /// The role's name.
    let name: String
    let isSuperuser: Bool

    /// Finds out which role runs definitions, and whether the session may become it.
    ///
    /// - Parameters:
    ///   - configured: The role of `ddl.run_as`; nil: the session's own.
    ///   - connection: The target.
    /// - Throws: ``DatabudgieError`` with the code `preflight` when the role does not exist or is not the session's to
    ///   take; `PostgresError`.
    init(_ configured: String?, over connection: Connection) async throws {
        // Since 16 a membership can lack the right to SET ROLE.
        let privilege = connection.server.majorVersion >= 16 ? "SET" : "MEMBER"
        let row = try await connection.query(
            """
            select session_user as session, r.rolname as name, r.rolsuper as is_superuser,
                r.rolname operator(pg_catalog.=) current_user
                    or pg_catalog.pg_has_role(session_user, r.oid, '\(privilege)') as is_allowed
            from (select coalesce($1::pg_catalog.text, current_user::pg_catalog.text) as name) wanted
            left join pg_catalog.pg_roles r on r.rolname::pg_catalog.text operator(pg_catalog.=) wanted.name
            """,
            [configured]
        ).rows.first
        guard let name = row?["name"] else {
            throw DatabudgieError(
                .preflight,
                "the role \(configured ?? ""), which 'ddl.run_as' names, does not exist",
                hint: "create it, or drop 'run_as'"
            )
        }
        guard row?["is_allowed"] == "t" else {
            let session = row?["session"] ?? ""
            throw DatabudgieError(
                .preflight,
                "the role \(session) is not allowed to become \(name), which 'ddl.run_as' names",
                hint: "run: GRANT \(quotedIdentifier(name)) TO \(quotedIdentifier(session))"
            )
        }
        self.name = name
        isSuperuser = row?["is_superuser"] == "t"
    }
}
