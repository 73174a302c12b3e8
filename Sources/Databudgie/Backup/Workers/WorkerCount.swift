import Postgres

/// How many members a run has.
struct WorkerCount {
    let settings: RunSettings
    let catalog: DatabaseCatalog
    let connection: Connection

    /// Decides by the sizes of tables.
    ///
    /// - Parameters:
    ///   - jobs: In the order of the plan.
    ///   - others: How much a member can do beside them, such as definitions.
    /// - Returns: How many members there are to be, with the leader, and the jobs with the sizes of their tables, as far as
    ///   they matter.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func decide(
        _ jobs: [BackupJob],
        and others: Int = 0
    ) async throws -> (count: Int, jobs: [(job: BackupJob, bytes: Int64?)]) {
        let limit = WorkerLimit(settings: settings, connection: connection)
        let isDivisible = jobs.contains { $0.isDivisible(in: catalog) }
        let most = try await limit.most(for: isDivisible ? .max : jobs.count { $0.includesRows } + others)
        guard most > 1 else { return (1, jobs.map { ($0, nil) }) }
        let relations = jobs.compactMap(\.relation)
        let bytes = try await TableSizeReader(connection: connection).read(
            relations + relations.flatMap { catalog.descendants(of: $0.oid).compactMap { catalog[$0] } }
        )
        let sized = jobs.map { (job: $0, bytes: size(of: $0, bytes)) }
        let (division, isSubset) = (division(most), settings.subset != nil)
        let pieces = sized.reduce(0) { sum, next in
            sum + (next.job.includesRows ? division.count(next.job, next.bytes, isSubset: isSubset) : 0)
        }
        return (limit.decide(min(most, max(1, pieces + others)), sized.map(\.bytes)), sized)
    }

    /// What divides tables for some members.
    func division(_ members: Int) -> TableDivision {
        TableDivision(
            connection: connection,
            catalog: catalog,
            members: members,
            rangeSize: settings.rangeSize
        )
    }

    /// Bytes of the tables that a job reads; nil when that is not known: such a job may take long.
    private func size(of job: BackupJob, _ bytes: [Relation.OID: Int64]) -> Int64? {
        guard job.includesRows else { return 0 }
        guard let relation = job.relation, relation.kind != .view else { return nil }
        let sizes = catalog.holders(of: relation).map { bytes[$0] }
        return sizes.contains { $0 == nil } ? nil : sizes.compactMap(\.self).reduce(0, +)
    }
}
