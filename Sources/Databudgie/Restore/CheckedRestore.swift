/// The loads of a restore, planned and checked.
struct CheckedRestore {
    let session: DatabaseSession
    let plan: RestorePlan
    /// The jobs that the preflight has failed, each with its reason.
    let failures: [JobFailure]
    let loader: GroupLoader
    /// What the sequences are to be set to.
    let sequences: [SequenceSetting]

    private var recorder: RunRecorder { session.recorder }

    /// What has been loaded.
    struct Progress {
        var results: [JobResult]
        /// The job whose failure has stopped the run; nil when all loads were tried.
        var stoppedBy: JobID?
    }

    /// Reports what is not loaded: tables that are skipped, and those that have failed already.
    func reportUnloaded() -> [JobResult] {
        plan.skipped.map { recorder.ended(.skipped($0)) } + failures.map { recorder.ended(.failed($0)) }
    }

    /// Loads all groups, several at a time if there is more than one member, each in a transaction of its own, after which
    /// its sequences are set.
    ///
    /// - Throws: `CancellationError`, and `PostgresError` when the connection was lost.
    func load() async throws -> Progress {
        try await LoadTeam(restore: self).load()
    }

    private var setter: SequenceSetter { SequenceSetter(session: session, users: loader.catalog.sequenceUsers) }

    /// Sets the sequences of groups that are committed, at once, because other sessions may insert rows now.
    ///
    /// - Parameters:
    ///   - groups: What was loaded.
    ///   - session: Of the member that has loaded it.
    /// - Returns: Failures.
    /// - Throws: `CancellationError`, and `PostgresError` when the connection was lost.
    func setSequences(of groups: [LoadGroup], over session: DatabaseSession) async throws -> [JobResult] {
        let jobs = groups.flatMap(\.jobs)
        let loaded = Set(jobs.map { JobID(.sequences, of: $0.id.name, number: $0.id.number) })
        var setter = setter
        setter.session = session
        return try await setter.run(
            sequences.filter { $0.job.rows == .loaded && loaded.contains($0.job.id) },
            emptied: loader.catalog.emptied(by: jobs)
        )
    }

    /// Sets the sequences of tables whose rows this run does not load.
    ///
    /// - Parameter progress: What has become of the loads.
    /// - Returns: What became of the sequences that are jobs of their own, and failures.
    /// - Throws: `CancellationError`, and `PostgresError` when the connection was lost.
    func setRemainingSequences(after progress: Progress) async throws -> [JobResult] {
        let due = sequences.filter { item in
            switch item.job.rows {
            case .loaded: false
            case .loadedBefore: true
            case .skipped: progress.stoppedBy == nil
            }
        }
        let created = due.filter(\.job.isNew).map(\.job.relation)
        let emptied = created.flatMap { [$0.oid] + loader.catalog.descendants(of: $0.oid) }
        return try await setter.run(due, emptied: Set(emptied))
    }

    /// Sets the sequences whose values are rolled back with the caller's transaction: those that it has created, and if
    /// all of the run is one transaction, those of the tables that it has emptied.
    ///
    /// - Parameter existing: The sequences that were there before.
    /// - Throws: ``DatabudgieError``, upon which the caller must roll back.
    func setTransactionalSequences(among existing: Set<Relation.OID>) async throws {
        let inside = sequences.map { $0.keeping { isTransactional($0, among: existing) } }
        try await setter.setTransactional(inside, existing: existing)
    }

    /// A sequence that other rows than the run's use cannot go back, and other sessions should not have to wait for it.
    private func isTransactional(_ sequence: TableSequence, among existing: Set<Relation.OID>) -> Bool {
        guard existing.contains(sequence.oid) else { return true }
        let users = loader.catalog.sequenceUsers[sequence.oid, default: []]
        return session.settings.isAllOrNothing && sequence.isOwned
            && users.isSubset(of: loader.catalog.emptied(by: plan.jobs))
    }

    /// Sets the other ones, once that transaction is committed: a value of theirs would not be rolled back.
    ///
    /// - Parameter existing: The sequences that were there before it.
    /// - Returns: What became of the sequences that are jobs of their own, and failures.
    /// - Throws: `CancellationError`, and `PostgresError` when the connection was lost.
    func setSequences(among existing: Set<Relation.OID>) async throws -> [JobResult] {
        let old = sequences.map { $0.keeping { !isTransactional($0, among: existing) } }
        return try await setter.run(
            old.filter { $0.job.isAlone || !$0.states.isEmpty },
            emptied: session.settings.isAllOrNothing ? loader.catalog.emptied(by: plan.jobs) : []
        )
    }

    /// Loads all groups in the caller's transaction.
    ///
    /// - Returns: The outcomes, for ``report(_:)``.
    /// - Throws: ``GroupFailure`` for the first that fails; `CancellationError`, `PostgresError`.
    func loadNested() async throws -> [JobOutcome] {
        try await session.pinSettingsOfLoad()
        var outcomes: [JobOutcome] = []
        for group in plan.groups { outcomes += try await loader.runNested(group) }
        try await loader.checkDeferred(plan.jobs)
        return outcomes
    }

    /// Reports all loads, once the transaction of theirs is committed.
    func report(_ outcomes: [JobOutcome]) -> Progress {
        Progress(results: loader.report(outcomes))
    }

    /// Lets the server analyze all new rows in one command, once everything else is done.
    ///
    /// - Parameter results: What became of the loads.
    func analyze(_ results: [JobResult]) async {
        let finished = Set(results.compactMap { if case .finished(let outcome) = $0 { outcome.job } else { nil } })
        await loader.analyze(plan.jobs.filter { finished.contains($0.id) })
    }

    /// Reports that nothing was restored, because one job failed.
    func rolledBack(by failure: GroupFailure) -> [JobResult] {
        let rule =
            session.settings.isAllOrNothing
            ? "'transaction: all' restores everything or nothing"
            : "tables that replace others are restored together or not at all"
        return [loader.report(failure)]
            + plan.jobs.filter { $0.id != failure.job }.map { job in
                fail(job.id, "rolled back, because \(failure.job) failed; \(rule)")
            }
            + plan.sequences.filter(\.isAlone).map { fail($0.id, "not set, because \(failure.job) failed; \(rule)") }
    }

    /// Reports a definition that could not be created after the rows.
    func failed(_ failure: DefinitionInstaller.Failure) -> JobResult {
        let number = plan.jobs.first { $0.relation.name.label.hasBytes(of: failure.table) }?.id.number
        let id = JobID(.definition, of: failure.table, number: number ?? plan.nextNumber)
        return recorder.ended(.failed(JobFailure(id, failure.error)))
    }

    /// Reports that a group is not loaded, because what it refers to was not.
    func fail(_ group: LoadGroup, dependingOn cause: JobID) -> [JobResult] {
        group.failures(dependingOn: cause).map { recorder.ended(.failed($0)) }
    }

    /// Reports what failed without having begun.
    func fail(_ job: JobID, _ message: String) -> JobResult {
        recorder.ended(.failed(JobFailure(job, message: message)))
    }
}
