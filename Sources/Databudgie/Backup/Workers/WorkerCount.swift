import Postgres

/// How many members a run has, and in which order they take its jobs.
struct WorkerCount {
    let settings: RunSettings
    let catalog: DatabaseCatalog
    let connection: Connection

    /// Decides by the sizes of tables.
    ///
    /// - Parameter jobs: In the order of the plan.
    /// - Returns: How many members there are to be, with the leader, and the jobs in the order in which they take them: the
    ///   biggest first, so that no member is left with one at the end.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func decide(_ jobs: [BackupJob]) async throws -> (count: Int, jobs: [BackupJob]) {
        let limit = WorkerLimit(settings: settings, connection: connection)
        let most = try await limit.most(for: jobs.count { $0.includesRows })
        guard most > 1 else { return (1, jobs) }
        let relations = jobs.compactMap(\.relation)
        let bytes = try await TableSizeReader(connection: connection).read(
            relations + relations.flatMap { catalog.descendants(of: $0.oid).compactMap { catalog[$0] } }
        )
        let sizes = jobs.map { size(of: $0, bytes) }
        let order = jobs.indices.sorted { (sizes[$1] ?? .max, $0) < (sizes[$0] ?? .max, $1) }
        return (limit.decide(most, sizes), order.map { jobs[$0] })
    }

    /// Bytes of the tables that a job reads; nil when that is not known: such a job may take long.
    private func size(of job: BackupJob, _ bytes: [Relation.OID: Int64]) -> Int64? {
        guard job.includesRows else { return 0 }
        guard let relation = job.relation, relation.kind != .view else { return nil }
        let sizes = catalog.holders(of: relation).map { bytes[$0] }
        return sizes.contains { $0 == nil } ? nil : sizes.compactMap(\.self).reduce(0, +)
    }
}
