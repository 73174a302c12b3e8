import Postgres

/// Reads the state of the tables that a restore is about to change.
struct TargetStateReader {
    let connection: Connection

    /// Reads the state of some tables in one query.
    ///
    /// - Parameter oids: Tables by their OID.
    /// - Returns: What was found; a table that was dropped in the meantime is missing.
    /// - Throws: `PostgresError`.
    func read(_ oids: [Relation.OID]) async throws -> [Relation.OID: TargetState] {
        var targets: [Relation.OID: TargetState] = [:]
        for row in try await connection.query(Self.query, [oids.arrayLiteral]).rows {
            guard let oid = row["oid"].flatMap(Relation.OID.init) else { continue }
            targets[oid] = TargetState(
                canInsert: row["can_insert"] == "t",
                canTruncate: row["can_truncate"] == "t",
                isOwned: row["is_owned"] == "t",
                hasRowSecurity: row["has_row_security"] == "t",
                rowTriggers: row["triggers"]?.split(atByte: "\n") ?? [],
                hasInsteadOfTrigger: row["has_instead_of_trigger"] == "t"
            )
        }
        return targets
    }

    /// Whether a table has rows of its own, its children aside.
    func hasRows(_ relation: Relation) async throws -> Bool {
        try await connection.query("select 1 from only \(relation.name.quoted) limit 1").rows.isEmpty == false
    }

    /// Whether the server refuses all writing, as a standby does.
    func isStandby() async throws -> Bool {
        try await connection.query("select pg_catalog.pg_is_in_recovery() as standby").rows.first?["standby"] == "t"
    }

    private static let query = """
        select c.oid,
            pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')
                and (pg_catalog.has_table_privilege(c.oid, 'INSERT')
                    or pg_catalog.has_any_column_privilege(c.oid, 'INSERT')) as can_insert,
            pg_catalog.has_table_privilege(c.oid, 'TRUNCATE') as can_truncate,
            pg_catalog.pg_has_role(c.relowner, 'USAGE') as is_owned,
            pg_catalog.row_security_active(c.oid) as has_row_security,
            (select pg_catalog.string_agg(t.tgname, E'\\n' order by t.tgname) from pg_catalog.pg_trigger t
                where t.tgrelid operator(pg_catalog.=) c.oid and not t.tgisinternal
                    and t.tgtype operator(pg_catalog.&) 7::pg_catalog.int2 operator(pg_catalog.=) 7 and t.tgenabled operator(pg_catalog.=) any ('{O,A}'::pg_catalog."char"[])) as triggers,
            exists (select from pg_catalog.pg_trigger t
                where t.tgrelid operator(pg_catalog.=) c.oid and t.tgtype operator(pg_catalog.&) 69::pg_catalog.int2 operator(pg_catalog.=) 69)
                as has_instead_of_trigger
        from pg_catalog.pg_class c
        where c.oid operator(pg_catalog.=) any ($1::pg_catalog.oid[])
        """
}
