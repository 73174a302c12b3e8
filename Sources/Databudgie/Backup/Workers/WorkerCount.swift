import Postgres

/// How many members a run has, and in which order they take its jobs.
struct WorkerCount {
    let settings: RunSettings
    let catalog: DatabaseCatalog
    let connection: Connection

    /// Below so many bytes, or jobs, a further connection takes longer than it saves, unless somebody asks for it.
    private static let worthwhile = (bytes: Int64(32 << 20), jobs: 32)

    /// Decides by the sizes of tables.
    ///
    /// - Parameter jobs: In the order of the plan.
    /// - Returns: How many members there are to be, with the leader, and the jobs in the order in which they take them: the
    ///   biggest first, so that no member is left with one at the end.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func decide(_ jobs: [BackupJob]) async throws -> (count: Int, jobs: [BackupJob]) {
        var most = min(settings.jobs ?? settings.standardJobs, jobs.count { $0.includesRows })
        // How many connections a pool has left for us is not known.
        if most > 1, settings.jobs == nil, try await connection.isPooled { most = 1 }
        guard most > 1 else { return (1, jobs) }
        let relations = jobs.compactMap(\.relation)
        let bytes = try await TableSizeReader(connection: connection).read(
            relations + relations.flatMap { catalog.descendants(of: $0.oid).compactMap { catalog[$0] } }
        )
        let sizes = jobs.map { size(of: $0, bytes) }
        let order = jobs.indices.sorted { (sizes[$1] ?? .max, $0) < (sizes[$0] ?? .max, $1) }
        return (settings.jobs == nil ? min(most, worthwhile(sizes)) : most, order.map { jobs[$0] })
    }

    /// Bytes of the tables that a job reads; nil when that is not known: such a job may take long.
    private func size(of job: BackupJob, _ bytes: [Relation.OID: Int64]) -> Int64? {
        guard job.includesRows else { return 0 }
        guard let relation = job.relation, relation.kind != .view else { return nil }
        let sizes = catalog.holders(of: relation).map { bytes[$0] }
        return sizes.contains { $0 == nil } ? nil : sizes.compactMap(\.self).reduce(0, +)
    }

    private func worthwhile(_ sizes: [Int64?]) -> Int {
        let bytes = sizes.reduce(0) { $0 + ($1 ?? Self.worthwhile.bytes) }
        return 1 + max(Int(bytes / Self.worthwhile.bytes), sizes.count / Self.worthwhile.jobs)
    }
}
