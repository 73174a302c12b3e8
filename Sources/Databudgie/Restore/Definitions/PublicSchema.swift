import Postgres

/// The schema that every database has: its comment and its privileges are set while they are as the server made them, and
/// stay as they are otherwise, as those of any schema that exists.
struct PublicSchema {
    let connection: Connection

    /// Whether a definition is about this schema itself.
    static func isSubject(of definition: Definition) -> Bool {
        guard definition.table == nil, definition.schema.hasBytes(of: "public"),
            ["COMMENT", "ACL"].contains(definition.type)
        else { return false }
        let tokens = SQLStatements.tokens(definition.sql.utf8)
        return tokens.indices.dropLast(2).contains { index in
            SQLLexer.keyword(tokens[index]) == "ON" && SQLLexer.keyword(tokens[index + 1]) == "SCHEMA"
                && SQLStatements.identifier(tokens[index + 2]).map { $0.elementsEqual("public".utf8) } == true
        }
    }

    /// Whether nobody has changed what a definition would change.
    ///
    /// - Parameter definition: A comment, or privileges.
    /// - Returns: Whether the definition is to be run.
    /// - Throws: `PostgresError`.
    func isUntouched(by definition: Definition) async throws -> Bool {
        let row = try await connection.query(
            """
            select coalesce(pg_catalog.obj_description(n.oid, 'pg_namespace') in ('', 'standard public schema'), true)
                    as has_no_comment,
                not exists (
                    select * from pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner)))
                    except
                    select * from pg_catalog.aclexplode(coalesce(i.initprivs, pg_catalog.acldefault('n', n.nspowner)))
                ) and not exists (
                    select * from pg_catalog.aclexplode(coalesce(i.initprivs, pg_catalog.acldefault('n', n.nspowner)))
                    except
                    select * from pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner)))
                ) as has_no_privileges
            from pg_catalog.pg_namespace n
            left join pg_catalog.pg_init_privs i on i.objoid = n.oid and i.objsubid = 0
                and i.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
            where n.nspname = 'public'
            """
        ).rows.first
        return row?[definition.type == "COMMENT" ? "has_no_comment" : "has_no_privileges"] == "t"
    }
}
