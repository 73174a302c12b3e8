import Postgres

/// Asks the database what masks of a backup's jobs need to know, and whether it accepts them.
///
/// To be used in a transaction that pins the settings of an export.
struct MaskInspection {
    let connection: Connection
    let catalog: DatabaseCatalog
    let configuration: MaskingConfiguration
    let key: MaskKey
    /// The references of the subset that is exported; nil: there is none.
    var references: SubsetGraph?

    /// The masks of jobs, and the jobs whose queries cannot be masked, because the server does not understand them.
    struct InspectedMasks: Sendable {
        let plan: MaskPlan
        let columns: ColumnCatalog
        /// What is wrong with queries, by the number of the job.
        let problems: [Int: Finding]

        /// Jobs with their masks, and with what is wrong with their queries.
        func applied(to jobs: [BackupJob]) -> [BackupJob] {
            var jobs = jobs
            for (number, masks) in plan.statements.enumerated() {
                if let masks { jobs[number].query = .masked(jobs[number].query, masks) }
            }
            for (number, problem) in problems { jobs[number].problem = problem }
            return jobs
        }
    }

    /// Decides what becomes of each column.
    ///
    /// - Parameter jobs: All jobs of the backup.
    /// - Returns: The masks.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func masks(of jobs: [BackupJob]) async throws -> InspectedMasks {
        let columns = try await ColumnCatalogReader(connection: connection).read()
        var described: [Int: [ColumnDescription]] = [:]
        var problems: [Int: Finding] = [:]
        for (number, job) in jobs.enumerated() where job.includesRows && job.problem == nil && !job.isOfTable {
            do {
                described[number] = try await describe(job)
            } catch {
                // Without its columns nothing can be masked, so the job must not run.
                try rethrowUnlessJobFailed(error)
                let text = ErrorText(error)
                problems[number] = .problem(text.message, hint: text.hint)
            }
        }
        let queries = try await queryColumns(described)
        let planner = MaskPlanner(
            configuration: configuration,
            catalog: catalog,
            columns: columns,
            references: references
        )
        return InspectedMasks(plan: planner.plan(jobs, queries: queries), columns: columns, problems: problems)
    }

    private func describe(_ job: BackupJob) async throws -> [ColumnDescription] {
        try await connection.withDiscardedSavepoint("mask_query") {
            if job.readsViews { try await connection.restrictViews(false) }
            return try await connection.describe(job.query.sql)
        }
    }

    private func queryColumns(
        _ described: [Int: [ColumnDescription]]
    ) async throws -> [Int: [MaskPlanner.QueryColumn]] {
        guard !described.isEmpty else { return [:] }
        let oids = Set(described.values.flatMap { $0.map(\.typeOID) }).sorted()
        let types = try await ColumnCatalogReader(connection: connection).types(of: oids)
        let unknown = ColumnType(name: "", qualified: "", kind: .pseudo, modifier: -1)
        return described.mapValues { columns in
            columns.map { column in
                var origin: ColumnCatalog.ID?
                if let table = column.tableOID, let number = column.columnNumber {
                    origin = ColumnCatalog.ID(relation: table, number: number)
                }
                return MaskPlanner.QueryColumn(
                    name: column.name,
                    type: types[column.typeOID] ?? unknown,
                    origin: origin
                )
            }
        }
    }

    /// Lets the server parse each statement with values or expressions of the user's, which may not fit.
    ///
    /// - Parameter jobs: With their masks.
    /// - Returns: What the server refuses.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func refusals(of jobs: [BackupJob]) async throws -> [MaskFinding] {
        var findings: [MaskFinding] = []
        for job in jobs where job.query.masks?.hasLiterals == true && job.problem == nil {
            do {
                _ = try await describe(job)
            } catch {
                try rethrowUnlessJobFailed(error)
                // No row was read, so what it quotes is from the configuration.
                let message = "the server refuses its masks: \(ErrorText(error).message)"
                findings.append(MaskFinding(.wrongType, job.id.name, message))
            }
        }
        return findings
    }
}

extension Connection {
    /// Gives the server the derived keys of masks, until the transaction or its savepoint ends.
    ///
    /// They are parameters, so that no statement's text has them.
    /// - Parameters:
    ///   - masks: What reads them; nil reads none.
    ///   - key: What they are derived from.
    /// - Throws: `PostgresError`.
    nonisolated(nonsending) func setMaskKeys(of masks: MaskedColumns?, _ key: MaskKey?) async throws {
        guard let masks, let key else { return }
        for (name, value) in masks.settings(key) {
            _ = try await query("select pg_catalog.set_config($1, $2, true) is null", [name, value])
        }
    }
}
