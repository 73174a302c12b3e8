import Postgres
import Storage

/// Truncates and loads the tables of one group in one transaction.
struct GroupLoader {
    let session: Session
    let catalog: DatabaseCatalog
    let imports: [TableLabel: LoadFormat]
    /// Where finished tables are recorded, in the transaction of their data.
    let manifest: ManifestRun?
    let idleInTransactionTimeout: Double?

    private var connection: Connection { session.connection }
    private var recorder: RunRecorder { session.recorder }

    /// Loads the group; a failure is recorded for all of its jobs, and leaves the tables as they were.
    ///
    /// - Returns: nil when the group was committed, otherwise the job that failed and took its group along.
    /// - Throws: `CancellationError`, and `PostgresError` when the connection was lost.
    func run(_ group: LoadGroup) async throws -> TableLabel? {
        do {
            let totals = try await loaded(group) { progress in
                try await connection.withTransaction(.writing) { _ in try await load(group, progress) }
            }
            report(group, totals)
            await analyze(group)
            return nil
        } catch let failure as GroupFailure {
            for job in group.jobs where job.label != failure.culprit {
                recorder.failed(
                    job.label,
                    reason: "rolled back, as \(failure.culprit) failed and both must land together"
                )
            }
            return failure.culprit
        }
    }

    /// Loads the group in the caller's transaction.
    ///
    /// - Returns: The totals of its jobs, for ``report(_:_:)`` once the transaction is committed.
    /// - Throws: ``GroupFailure`` after the failure was recorded for its job, upon which the caller must roll back;
    ///   `CancellationError`, and `PostgresError` when the connection was lost.
    func runNested(_ group: LoadGroup) async throws -> [TransferTotals] {
        try await loaded(group) { try await load(group, $0) }
    }

    /// Reports the jobs of a group that is committed.
    func report(_ group: LoadGroup, _ totals: [TransferTotals]) {
        for (job, totals) in zip(group.jobs, totals) {
            recorder.finished(job.label, totals: totals, path: job.file.path)
        }
    }

    /// Has the server look at the new rows of a group that is committed.
    func analyze(_ group: LoadGroup) async {
        // Best effort: the rows are committed, and fresh statistics only make the first queries faster.
        let names = group.jobs.map(\.relation.name.quoted).joined(separator: ", ")
        try? await connection.execute("analyze \(names)")
    }

    private func loaded(
        _ group: LoadGroup,
        _ body: (GroupProgress) async throws -> [TransferTotals]
    ) async throws -> [TransferTotals] {
        let progress = GroupProgress()
        do {
            return try await body(progress)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            try Task.checkCancellation()
            let culprit = progress.current ?? group.jobs[0].label
            recorder.failed(culprit, error)
            if error.isLostConnection { throw error }
            throw GroupFailure(culprit: culprit)
        }
    }

    private func load(_ group: LoadGroup, _ progress: GroupProgress) async throws -> [TransferTotals] {
        try await connection.pinSessionSettings(
            .restore,
            overrides: .idleInTransactionTimeout(idleInTransactionTimeout)
        )
        let keys = group.deferredKeys.filter { !$0.isDeferrable }
        try await alter(keys, to: "deferrable initially deferred")
        if !group.deferredKeys.isEmpty {
            try await connection.execute("set constraints all deferred")
        }
        if let statement = truncation(group) {
            progress.current = group.jobs.first { $0.truncate != .keep }?.label
            try await connection.execute(statement)
        }
        var totals: [TransferTotals] = []
        for job in group.jobs {
            try Task.checkCancellation()
            progress.current = job.label
            recorder.started(job.label)
            totals.append(try await load(job))
        }
        if !group.deferredKeys.isEmpty {
            try await connection.execute("set constraints all immediate")
        }
        try await alter(keys, to: "not deferrable")
        for job in group.jobs {
            progress.current = job.label
            try await manifest?.record(job.relation.name.description, path: job.file.path.description, over: connection)
        }
        return totals
    }

    private func load(_ job: RestoreJob) async throws -> TransferTotals {
        guard let format = imports[job.label] else {
            throw DatabudgieError(.internalInconsistency, "The preflight did not look at \(job.file.path).")
        }
        let tableImport = TableLoader(
            connection: connection,
            storage: session.storages.storage(for: job.file.path),
            job: job,
            format: format
        )
        return try await tableImport.run { recorder.progressed(job.label, $0) }
    }

    /// One command for all tables of the group, as they may refer to one another; never with CASCADE.
    private func truncation(_ group: LoadGroup) -> String? {
        guard !group.truncated.isEmpty else { return nil }
        let names = group.truncated.map { ($0.kind == .table ? "only " : "") + $0.name.quoted }
        return "truncate table " + names.joined(separator: ", ")
    }

    /// Changes only the catalog, and is rolled back with the transaction.
    private func alter(_ keys: [ForeignKey], to mode: String) async throws {
        for key in keys {
            guard let table = catalog[key.referencing] else { continue }
            try await connection.execute(
                "alter table \(table.name.quoted) alter constraint \(quotedIdentifier(key.name)) \(mode)"
            )
        }
    }
}

/// A job failed and took the jobs of its group along.
struct GroupFailure: Error {
    let culprit: TableLabel
}

/// Which job of a group is running, for the message when it fails.
private final class GroupProgress {
    var current: TableLabel?
}
