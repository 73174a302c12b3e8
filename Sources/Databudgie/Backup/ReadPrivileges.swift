import Postgres

/// Finds the tables that a backup cannot read: one query, whatever their number.
struct ReadPrivileges {
    let connection: Connection

    /// Asks the server about the tables of jobs that export them as they are; a query says what it lacks when it is parsed.
    ///
    /// - Parameter jobs: Of a backup.
    /// - Returns: What the role lacks, by job; nothing for a job that can run.
    /// - Throws: `PostgresError`.
    func problems(of jobs: [BackupJob]) async throws -> [JobID: DatabudgieError] {
        let tables = jobs.filter { job in
            guard job.includesRows, case .table = job.query.source else { return false }
            return job.relation != nil
        }
        let oids = tables.compactMap(\.relation?.oid)
        guard !oids.isEmpty else { return [:] }
        let rows = try await connection.withDiscardedSavepoint("read_privileges", settings: ["search_path": ""]) {
            try await connection.query(Self.query, [oids.arrayLiteral]).rows
        }
        let states = Dictionary(
            rows.compactMap { row in
                row["oid"].flatMap(Relation.OID.init).map { ($0, (row["can_read"] == "t", row["has_policies"] == "t")) }
            },
            uniquingKeysWith: { first, _ in first }
        )
        var problems: [JobID: DatabudgieError] = [:]
        for job in tables {
            guard let (canRead, hasPolicies) = job.relation.flatMap({ states[$0.oid] }) else { continue }
            if !canRead {
                problems[job.id] = DatabudgieError(
                    .database,
                    "the role lacks SELECT on the table, or USAGE on its schema",
                    hint: "grant it, or exclude the table"
                )
            } else if hasPolicies, !job.appliesRowSecurity {
                problems[job.id] = DatabudgieError(
                    .database,
                    "row-level security applies to the role, and would hide rows",
                    hint: "connect as the table's owner or as a role with BYPASSRLS, or set 'row_security: true'"
                )
            }
        }
        return problems
    }

    /// SELECT on all columns is enough.
    private static let query = """
        select c.oid, pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')
                and (pg_catalog.has_table_privilege(c.oid, 'SELECT') or not exists (
                    select from pg_catalog.pg_attribute a
                    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                        and not pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'))) as can_read,
            pg_catalog.row_security_active(c.oid) as has_policies
        from pg_catalog.pg_class c where c.oid = any ($1::pg_catalog.oid[])
        """
}
