import Postgres

/// What the preflight needs to know of a table whose rows are merged with those of a file.
struct MergeTarget: Sendable {
    /// SELECT on the table, or on some of its columns.
    let canSelect: Bool
    /// UPDATE on the table, or on some of its columns.
    let canUpdate: Bool
    /// TEMPORARY on the database, for the staging table.
    let canStage: Bool
    /// Rules because of which the server refuses `INSERT … ON CONFLICT`.
    let rules: [String]
    let uniqueKeys: [UniqueKey]
}

/// Reads it.
struct MergeTargetReader {
    let connection: Connection

    /// Reads what is known of some tables.
    ///
    /// - Parameter relations: The tables' OIDs.
    /// - Returns: By table; one that was dropped in the meantime is missing.
    /// - Throws: `PostgresError`.
    func read(_ relations: [Relation.OID]) async throws -> [Relation.OID: MergeTarget] {
        guard !relations.isEmpty else { return [:] }
        let keys = try await UniqueKeyReader(connection: connection).keys(of: relations)
        var rules: [Relation.OID: [String]] = [:]
        for row in try await connection.query(Self.rulesQuery, [relations.arrayLiteral]).rows {
            guard let relation = row["relation"].flatMap(Relation.OID.init), let name = row["name"] else { continue }
            rules[relation, default: []].append(name)
        }
        var targets: [Relation.OID: MergeTarget] = [:]
        for row in try await connection.query(Self.query, [relations.arrayLiteral]).rows {
            guard let oid = row["oid"].flatMap(Relation.OID.init) else { continue }
            targets[oid] = MergeTarget(
                canSelect: row["can_select"] == "t",
                canUpdate: row["can_update"] == "t",
                canStage: row["can_stage"] == "t",
                rules: rules[oid] ?? [],
                uniqueKeys: keys[oid] ?? []
            )
        }
        return targets
    }

    private static let query = """
        select c.oid,
            pg_catalog.has_table_privilege(c.oid, 'SELECT')
                or pg_catalog.has_any_column_privilege(c.oid, 'SELECT') as can_select,
            pg_catalog.has_table_privilege(c.oid, 'UPDATE')
                or pg_catalog.has_any_column_privilege(c.oid, 'UPDATE') as can_update,
            pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY') as can_stage
        from pg_catalog.pg_class c
        where c.oid operator(pg_catalog.=) any ($1::pg_catalog.oid[])
        """

    /// The server minds rules for UPDATE even when they are disabled.
    ///
    /// Events of `pg_rewrite.ev_type` are 2 for UPDATE and 3 for INSERT.
    private static let rulesQuery = """
        select r.ev_class as relation, r.rulename as name
        from pg_catalog.pg_rewrite r
        where r.ev_class operator(pg_catalog.=) any ($1::pg_catalog.oid[])
            and (r.ev_type operator(pg_catalog.=) '2'
                or r.ev_type operator(pg_catalog.=) '3' and r.ev_enabled operator(pg_catalog.<>) 'D')
        order by r.ev_class, r.rulename
        """
}
