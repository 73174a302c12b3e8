import Postgres

/// Lets the server count rows that are alike in some columns, with masks in place of values.
struct MaskGroups {
    let connection: Connection
    let key: MaskKey
    /// Groups with fewer rows are small.
    let least: Int

    /// Counts the rows of tables.
    ///
    /// The values of a file are texts, so texts are what is compared, whatever their types.
    /// - Parameters:
    ///   - groups: Tables and columns.
    ///   - jobs: With their masks.
    /// - Returns: One count for each.
    /// - Throws: ``DatabudgieError`` for what is not exported; `PostgresError` without values of rows; `CancellationError`.
    func counts(of groups: [MaskGroup], _ jobs: [BackupJob]) async throws -> [MaskGroupCount] {
        var counts: [MaskGroupCount] = []
        for group in groups {
            let job = try jobs.exporting(group.table)
            if let problem = job.problem {
                throw DatabudgieError(.configuration, problem.message, table: job.id.name, hint: problem.hint)
            }
            do {
                counts.append(try await count(group, job))
            } catch let error as PostgresError {
                throw error.withoutMaskedValues
            }
        }
        return counts
    }

    private func count(_ group: MaskGroup, _ job: BackupJob) async throws -> MaskGroupCount {
        let row = try await connection.withDiscardedSavepoint("mask_groups", settings: job.sessionSettings) {
            if job.readsViews { try await connection.restrictViews(false) }
            let exported = try await connection.describe(job.query.sql).map(\.name)
            for column in group.columns where !exported.contains(where: { $0.hasBytes(of: column) }) {
                throw DatabudgieError(
                    .configuration,
                    "\(job.id.name) exports no column '\(column)'",
                    hint: KeySuggestion.nearest(to: column, among: exported).map { "did you mean '\($0)'?" }
                )
            }
            try await connection.setMaskKeys(of: job.query.masks, key)
            return try await connection.query(sql(group, job)).rows.first
        }
        func number(_ column: Int) -> Int { row?[column].flatMap { Int($0) } ?? 0 }
        let name = job.relation?.name.label ?? job.id.name
        return MaskGroupCount(
            group: MaskGroup("\(name)(\(group.columns.joined(separator: ",")))") ?? group,
            least: least,
            rows: number(0),
            groups: number(1),
            smallest: number(2),
            smallGroups: number(3),
            rowsInSmallGroups: number(4)
        )
    }

    private func sql(_ group: MaskGroup, _ job: BackupJob) -> String {
        let columns = group.columns.map { MaskSQL.cast("s.\(quotedIdentifier($0))", "text") }.joined(separator: ", ")
        let isSmall = MaskSQL.binary("g.n", "<", "\(least)::pg_catalog.int8")
        return """
            select coalesce(pg_catalog.sum(g.n), 0), pg_catalog.count(*), coalesce(pg_catalog.min(g.n), 0),
                pg_catalog.count(*) filter (where \(isSmall)), coalesce(pg_catalog.sum(g.n) filter (where \(isSmall)), 0)
            from (select pg_catalog.count(*) as n from (
            \(job.query.sql)
            ) as s group by \(columns)) as g
            """
    }
}
