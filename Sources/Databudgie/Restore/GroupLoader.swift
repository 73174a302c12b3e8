import Postgres
import Storage

/// Truncates and loads the tables of one group in one transaction.
struct GroupLoader {
    var session: DatabaseSession
    let catalog: DatabaseCatalog
    /// What the preflight found out: how each file is sent, and the values of each table's sequences.
    let formats: [JobID: LoadFormat]
    let sequences: [JobID: [SequenceValue]]
    /// Tables whose definitions are part of the run.
    let defined: Set<QualifiedName>
    /// Where rows go that the server refuses.
    let rejects: RejectFiles
    /// Where finished tables are recorded, in the transaction of their data.
    let recordedRun: ManifestRun?
    /// The run does not end with the connection, because it has others.
    var isExpendable = false

    private var connection: Connection { session.connection }
    private var recorder: RunRecorder { session.recorder }

    /// Loads the group; a failure is reported for all of its jobs, and leaves the tables as they were.
    ///
    /// - Returns: What became of the jobs, and the one whose failure rolled back the group; nil when the group was
    ///   committed.
    /// - Throws: `CancellationError`, and `PostgresError` when the connection was lost; ``LostGroup`` when others are left.
    func run(_ group: LoadGroup) async throws -> (results: [JobResult], failedJob: JobID?) {
        do {
            let outcomes = try await loaded(group) { progress in
                // A deadlock during the load rolls all of it back; before, it was waited for often enough.
                try await LockAttempts().retrying { error, _ in
                    guard progress.isPrepared, LockConflict(of: error) == .deadlock else { return false }
                    recorder.found(Self.beginningAgain(progress.current ?? group.jobs[0].id))
                    progress.isPrepared = false
                    return true
                } _: {
                    try await session.withTransaction(.writing) { try await load(group, progress) }
                }
            }
            await FailPoint.reached(.groupCommitted)
            return (report(outcomes), nil)
        } catch let failure as GroupFailure {
            return (reportRolledBack(group, by: failure), failure.job)
        }
    }

    /// Who holds a lock on one of many tables should not keep others from all of them; autovacuum gives way after a second.
    private static let jointAttempts = LockAttempts(timeout: .seconds(2), count: 1)

    /// Loads several groups in one transaction.
    ///
    /// - Returns: What became of the jobs of each group; nil when one of them failed: nothing was changed then, and nothing is
    ///   reported.
    /// - Throws: As ``run(_:)-(LoadGroup)`` does.
    func run(_ groups: [LoadGroup]) async throws -> [[JobResult]]? {
        let together = LoadGroup(joining: groups)
        do {
            let outcomes = try await loaded(together) { progress in
                try await session.withTransaction(.writing) {
                    try await load(together, progress, Self.jointAttempts)
                }
            }
            await FailPoint.reached(.groupCommitted)
            var results = report(outcomes)[...]
            return groups.map { group in
                defer { results = results.dropFirst(group.jobs.count) }
                return Array(results.prefix(group.jobs.count))
            }
        } catch is GroupFailure {
            return nil
        }
    }

    /// Reports all jobs of a group that was rolled back.
    func reportRolledBack(_ group: LoadGroup, by failure: GroupFailure) -> [JobResult] {
        let results = group.jobs.filter { $0.id != failure.job }.map { job in
            let message = "rolled back, because \(failure.job) failed and both must be restored together"
            return recorder.ended(.failed(JobFailure(job.id, message: message)))
        }
        return [report(failure)] + results
    }

    /// Loads the group in the caller's transaction.
    ///
    /// - Returns: The outcomes of its jobs, for ``report(_:)`` once the transaction is committed.
    /// - Throws: ``GroupFailure``, upon which the caller must roll back; `CancellationError`, and `PostgresError` when the
    ///   connection was lost.
    func runNested(_ group: LoadGroup) async throws -> [JobOutcome] {
        try await loaded(group) { try await load(group, $0) }
    }

    /// Checks what constraints of users have put off, in the caller's transaction: the commit would not say whose failure
    /// it is.
    ///
    /// - Parameter jobs: What was loaded.
    /// - Throws: ``GroupFailure``, upon which the caller must roll back; `CancellationError`, and `PostgresError` when the
    ///   connection was lost.
    func checkDeferred(_ jobs: [RestoreJob]) async throws {
        guard let last = jobs.last else { return }
        do {
            try await connection.execute("set constraints all immediate")
        } catch {
            try rethrowUnlessJobFailed(error)
            let job = jobs.first { job in
                error.schemaName?.hasBytes(of: job.relation.name.schema) == true
                    && error.tableName?.hasBytes(of: job.relation.name.name) == true
            }
            throw GroupFailure(job: (job ?? last).id, error: error)
        }
    }

    /// Reports the jobs of a group that is committed.
    func report(_ outcomes: [JobOutcome]) -> [JobResult] {
        outcomes.map { recorder.ended(.finished($0)) }
    }

    /// Reports the jobs of a group whose connection was lost during the commit.
    @discardableResult
    func reportUncertain(_ group: LoadGroup, _ failure: GroupFailure) -> [JobResult] {
        group.jobs.map { job in
            let error = DatabudgieError(
                .database,
                "\(ErrorText(failure.error).message), while its rows were committed: they may be there or not",
                hint: "look at the table before it is restored again",
                underlying: failure.error
            )
            return recorder.ended(.failed(JobFailure(job.id, error)))
        }
    }

    /// Reports the job whose failure has rolled back its group.
    @discardableResult
    func report(_ failure: GroupFailure) -> JobResult {
        recorder.ended(.failed(JobFailure(failure.job, failure.error)))
    }

    /// What is said when a load is repeated.
    static func beginningAgain(_ job: JobID) -> Finding {
        .warning("its load ended in a deadlock with another session, and begins again", of: job)
    }

    /// Lets the server analyze new rows that are committed.
    ///
    /// - Parameter jobs: What was loaded.
    func analyze(_ jobs: [RestoreJob]) async {
        var seen: Set<Relation.OID> = []
        let tables = jobs.map(\.relation).filter { seen.insert($0.oid).inserted && $0.kind != .view }
        guard !tables.isEmpty else { return }
        // Best effort: the rows are committed, and fresh statistics only make the first queries faster. The run does not wait for a
        // VACUUM or for an index that is built concurrently, which take hours.
        try? await connection.execute("analyze (skip_locked) \(tables.map(\.name.quoted).joined(separator: ", "))")
    }

    private func loaded(
        _ group: LoadGroup,
        _ body: (GroupProgress) async throws -> [JobOutcome]
    ) async throws -> [JobOutcome] {
        let progress = GroupProgress()
        do {
            return try await body(progress)
        } catch {
            guard FailureScope(of: error) != .interruption else { throw CancellationError() }
            let failure = GroupFailure(job: progress.current ?? group.jobs[0].id, error: error)
            do {
                try rethrowUnlessJobFailed(error)
            } catch {
                if isExpendable { throw LostGroup(failure: failure, isCommitting: progress.isCommitting) }
                if progress.isCommitting { reportUncertain(group, failure) } else { report(failure) }
                throw error
            }
            throw failure
        }
    }

    /// What a group needs of its tables before the first row.
    func preparation(of group: LoadGroup, _ attempts: LockAttempts = LockAttempts()) -> GroupPreparation {
        var seen: Set<TargetTrigger> = []
        let triggers = group.jobs.flatMap { formats[$0.id]?.disabledTriggers ?? [] }.filter { seen.insert($0).inserted }
        var parts = RebuiltParts()
        for job in group.jobs { if let more = formats[job.id]?.parts { parts.add(more) } }
        var created: Set<Relation> = []
        return GroupPreparation(
            connection: connection,
            catalog: catalog,
            loadGroup: group,
            triggers: triggers,
            parts: parts,
            created: group.jobs.filter { $0.isNew && formats[$0.id]?.canFreeze == true }.map(\.relation)
                .filter { created.insert($0).inserted },
            settings: BuildSettings(session),
            attempts: attempts
        )
    }

    private func load(
        _ group: LoadGroup,
        _ progress: GroupProgress,
        _ attempts: LockAttempts = LockAttempts()
    ) async throws -> [JobOutcome] {
        let preparation = preparation(of: group, attempts)
        progress.isCommitting = false
        progress.current = group.jobs.first { $0.truncate != .keep }?.id
        await FailPoint.reached(.groupUntouched)
        try await preparation.begin()
        progress.isPrepared = true
        preparation.findings.forEach(recorder.found)
        await FailPoint.reached(.groupEmptied)
        await announceCopies(of: group, preparation)
        var outcomes: [JobOutcome] = []
        let completed = catalog.completedTables(by: group.jobs.map(\.relation))
        for (number, job) in group.jobs.enumerated() {
            try Task.checkCancellation()
            progress.current = job.id
            recorder.started(job.id)
            outcomes.append(try await load(job, freezes: preparation.hasEmptied(job.relation)))
            try await describing(group, preparation) { try await preparation.complete(completed[number]) }
            await FailPoint.reached(.tableLoaded)
        }
        try await describing(group, preparation) {
            try await preparation.end { progress.current = group.job(of: $0, in: catalog) ?? progress.current }
        }
        for (job, outcome) in zip(group.jobs, outcomes) {
            progress.current = job.id
            try await recordedRun?.record(job.id.name, path: outcome.path ?? "", over: connection)
        }
        await FailPoint.reached(.groupUncommitted)
        progress.isCommitting = true
        return outcomes
    }

    /// Runs what builds keys, and says of rows that violate one where they are in their file.
    private func describing(
        _ group: LoadGroup,
        _ preparation: GroupPreparation,
        _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch let violation as KeyViolation {
            let jobs = group.jobs.filter { $0.relation.oid == violation.table }
            guard let job = jobs.first else { throw violation.error }
            // Otherwise rows have other places than in the file.
            let isInOrder =
                jobs.count == 1 && job.relation.kind == .table && preparation.hasEmptied(job.relation)
                && formats[job.id]?.countMayDiffer == false
                && !group.jobs.contains { other in
                    other.id != job.id && catalog.carriers(of: other.relation).contains { $0.oid == violation.table }
                }
            throw violation.described(by: job, areRowsInOrder: isInOrder)
        }
    }

    /// Has the server begin a load while it ends the one before, where nothing else happens between them.
    private func announceCopies(of group: LoadGroup, _ preparation: GroupPreparation) async {
        guard group.jobs.count > 1, preparation.parts.isEmpty, !Task.isCancelled else { return }
        let statements = group.jobs.map {
            try? loader(of: $0, freezes: preparation.hasEmptied($0.relation)).ownStatement
        }
        guard !statements.contains(nil) else { return }
        await connection.announceCopies(statements.compactMap { $0 })
    }

    /// The same over another member's connection.
    func over(_ session: DatabaseSession, isExpendable: Bool) -> GroupLoader {
        var loader = self
        (loader.session, loader.isExpendable) = (session, isExpendable)
        return loader
    }

    /// What loads the file of a job.
    ///
    /// - Parameters:
    ///   - job: Was checked by the preflight.
    ///   - freezes: The transaction has emptied its table.
    /// - Returns: What streams it into its table.
    /// - Throws: ``DatabudgieError`` when it was not checked.
    func loader(of job: RestoreJob, freezes: Bool = false) throws -> TableLoader {
        guard let format = formats[job.id] else {
            throw DatabudgieError(.internalInconsistency, "the preflight did not check \(job.file.path)")
        }
        return TableLoader(
            connection: connection,
            storage: session.storages.storage(for: job.file.path),
            job: job,
            format: format,
            freezes: freezes && format.canFreeze,
            rejects: (rejects, catalog.component(of: job.relation.name))
        )
    }

    private func load(_ job: RestoreJob, freezes: Bool) async throws -> JobOutcome {
        let start = ContinuousClock.now
        let loader = try loader(of: job, freezes: freezes)
        let load = try await loader.run { recorder.progressed(job.id, $0) }
        load.findings.forEach(recorder.found)
        var outcome = try outcome(of: job, load.totals, since: start)
        (outcome.rejected, outcome.merged) = (load.rejected, load.merged)
        return outcome
    }

    /// What was loaded for a job.
    ///
    /// - Parameters:
    ///   - job: Was checked by the preflight.
    ///   - totals: How much was loaded.
    ///   - start: When that began.
    /// - Returns: The outcome, without what only a single load has.
    /// - Throws: ``DatabudgieError`` when it was not checked.
    func outcome(
        of job: RestoreJob,
        _ totals: TransferTotals,
        since start: ContinuousClock.Instant
    ) throws -> JobOutcome {
        JobOutcome(
            job: job.id,
            storedName: job.storedName,
            totals: totals,
            file: job.file,
            duration: .now - start,
            columns: try loader(of: job).format.columns.map { JobColumn($0) },
            sequences: sequences[JobID(.sequences, of: job.id.name, number: job.id.number)] ?? [],
            includesDefinition: defined.contains(job.relation.name)
        )
    }
}

extension DatabaseCatalog {
    /// The tables that have all of their rows after each of several loads.
    fileprivate func completedTables(by loads: [Relation]) -> [Set<Relation.OID>] {
        var last: [Relation.OID: Int] = [:]
        for (number, relation) in loads.enumerated() {
            for carrier in carriers(of: relation) { last[carrier.oid] = number }
        }
        var completed: [Set<Relation.OID>] = Array(repeating: [], count: loads.count)
        for (table, number) in last { completed[number].insert(table) }
        return completed
    }
}

extension LoadGroup {
    /// The last job that loads a table, directly or through its root.
    fileprivate func job(of table: Relation.OID, in catalog: DatabaseCatalog) -> JobID? {
        let family = Set(catalog.lineage(of: table))
        return jobs.last { family.contains($0.relation.oid) }?.id
    }
}

/// How far a group has come, for what is done when it fails.
private final class GroupProgress {
    var current: JobID?
    /// Its tables are locked and emptied.
    var isPrepared = false
    /// All of it is done, and only the commit is left.
    var isCommitting = false
}
