import Postgres

/// Reads the state of the tables that a restore is about to change.
struct TargetStateReader {
    let connection: Connection

    /// Reads the state of some tables.
    ///
    /// - Parameter relations: The tables.
    /// - Returns: What was found; a table that was dropped in the meantime is missing.
    /// - Throws: `PostgresError`.
    func read(_ relations: [Relation]) async throws -> [Relation.OID: TargetState] {
        var targets: [Relation.OID: TargetState] = [:]
        let triggers = try await readTriggers(relations)
        for row in try await connection.query(Self.query, [relations.map(\.oid).arrayLiteral]).rows {
            guard let oid = row["oid"].flatMap(Relation.OID.init) else { continue }
            targets[oid] = TargetState(
                canInsert: row["can_insert"] == "t",
                canTruncate: row["can_truncate"] == "t",
                isOwned: row["is_owned"] == "t",
                hasRowSecurity: row["has_row_security"] == "t",
                triggers: triggers[oid] ?? [],
                hasInsteadOfTrigger: row["has_instead_of_trigger"] == "t"
            )
        }
        return targets
    }

    private func readTriggers(_ relations: [Relation]) async throws -> [Relation.OID: [TargetTrigger]] {
        let tables = Dictionary(relations.map { ($0.oid, $0) }, uniquingKeysWith: { first, _ in first })
        var triggers: [Relation.OID: [TargetTrigger]] = [:]
        for row in try await connection.query(Self.triggersQuery, [relations.map(\.oid).arrayLiteral]).rows {
            guard let table = row["relation"].flatMap(Relation.OID.init).flatMap({ tables[$0] }),
                let name = row["name"],
                let firing = row["firing"].flatMap(TargetTrigger.Firing.init)
            else { continue }
            triggers[table.oid, default: []].append(
                TargetTrigger(
                    table: table,
                    name: name,
                    firing: firing,
                    firesOnInsert: row["on_insert"] == "t",
                    firesOnUpdate: row["on_update"] == "t",
                    firesOnTruncate: row["on_truncate"] == "t",
                    mayDropRows: row["may_drop_rows"] == "t",
                    isActive: row["is_active"] == "t"
                )
            )
        }
        return triggers
    }

    /// Whether a table has rows: a partitioned table in its partitions, others without their children.
    func hasRows(_ relation: Relation) async throws -> Bool {
        let only = relation.kind == .partitionedTable ? "" : "only "
        return try await connection.query("select 1 from \(only)\(relation.name.quoted) limit 1").rows.isEmpty == false
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
            exists (select from pg_catalog.pg_trigger t
                where t.tgrelid operator(pg_catalog.=) c.oid and t.tgtype operator(pg_catalog.&) 69::pg_catalog.int2 operator(pg_catalog.=) 69)
                as has_instead_of_trigger
        from pg_catalog.pg_class c
        where c.oid operator(pg_catalog.=) any ($1::pg_catalog.oid[])
        """

    /// Bits of `tgtype`, from the server's `trigger.h`: 1 for each row, 2 BEFORE, 4 INSERT, 16 UPDATE, 32 TRUNCATE, 64 INSTEAD
    /// OF.
    private static let triggersQuery = """
        select t.tgrelid as relation, t.tgname as name, t.tgenabled as firing,
            t.tgtype operator(pg_catalog.&) 4::pg_catalog.int2 operator(pg_catalog.<>) 0 as on_insert,
            t.tgtype operator(pg_catalog.&) 16::pg_catalog.int2 operator(pg_catalog.<>) 0 as on_update,
            t.tgtype operator(pg_catalog.&) 32::pg_catalog.int2 operator(pg_catalog.<>) 0 as on_truncate,
            t.tgtype operator(pg_catalog.&) 7::pg_catalog.int2 operator(pg_catalog.=) 7 as may_drop_rows,
            t.tgenabled operator(pg_catalog.=) 'A' or t.tgenabled operator(pg_catalog.=)
                case when pg_catalog.current_setting('session_replication_role') operator(pg_catalog.=) 'replica' then 'R'::pg_catalog."char" else 'O'::pg_catalog."char" end as is_active
        from pg_catalog.pg_trigger t
        where t.tgrelid operator(pg_catalog.=) any ($1::pg_catalog.oid[]) and not t.tgisinternal
            and t.tgenabled operator(pg_catalog.<>) 'D'
            and t.tgtype operator(pg_catalog.&) 64::pg_catalog.int2 operator(pg_catalog.=) 0
        order by t.tgrelid, t.tgname
        """
}
