import Postgres

/// Restores everything in one transaction, so the target stays as it was until all of it is there: because new tables replace
/// old ones, or because `transaction: all` asks for it.
struct WholeRestore {
    let planning: RestorePlanning
    /// What is created in the transaction before the rows; nil loads tables that are there.
    let definitions: DefinitionInstaller?
    /// What was found of the files.
    let files: RestoreFiles?

    private var session: DatabaseSession { planning.session }

    /// How far an attempt has come.
    private final class Progress {
        /// The old tables are locked.
        var isLocked = false
        var checked: CheckedRestore?
        var unloaded: [JobResult] = []
        var outcomes: [JobOutcome] = []
    }

    /// Runs the restore.
    ///
    /// - Returns: What became of the jobs, and what was created.
    /// - Throws: ``DatabudgieError``, `PostgresError`, `StorageError` or `CancellationError` when nothing was changed.
    func run() async throws -> RunResults {
        let sequences = try await SequenceSetter.existing(over: session.connection)
        let existing = definitions == nil ? try await checkExisting() : nil
        var progress = Progress()
        do {
            try await DatabudgieError.withEffect(.rolledBack) {
                // A deadlock rolls all of it back, so all of it begins again; before, it was waited for often enough.
                let attempts = LockAttempts()
                try await attempts.retrying { error, attempt in
                    guard progress.isLocked else { return false }
                    return reportDeadlock(error, "attempt \(attempt) of \(attempts.count)")
                } _: {
                    progress = Progress()
                    if let existing { (progress.checked, progress.unloaded) = existing }
                    guard existing == nil || !session.settings.isDryRun else { throw DryRunRollback() }
                    try await session.withTransaction(.writing) { try await restore(progress, sequences) }
                }
            }
        } catch is DryRunRollback {
            return RunResults(jobs: progress.unloaded)
        } catch let failure as GroupFailure {
            let failed = progress.checked?.rolledBack(by: failure) ?? []
            return RunResults(jobs: progress.unloaded + failed, effect: .rolledBack)
        }
        guard let checked = progress.checked else { return RunResults() }
        let results = checked.report(progress.outcomes).results
        let set = try await checked.setSequences(among: sequences)
        await checked.analyze()
        return RunResults(jobs: progress.unloaded + results + set, definitions: definitions?.names.map(\.label) ?? [])
    }

    /// Checks tables that are there, before the transaction begins.
    private func checkExisting() async throws -> (CheckedRestore?, [JobResult]) {
        try await session.leavingTarget {
            let checked = try await planning.check()
            let estimate = LockBudget.estimate(checked.plan)
            guard estimate <= (try await LockBudget(connection: session.connection).available) else {
                throw LockBudget.refusal(of: estimate)
            }
            return (checked, checked.reportUnloaded())
        }
    }

    /// Loads the tables, after creating those that are defined, and sets the sequences that are rolled back with them.
    private func restore(_ progress: Progress, _ sequences: Set<Relation.OID>) async throws {
        if let definitions { try await create(definitions, progress) }
        progress.isLocked = true
        guard let restore = progress.checked else { return }
        guard !session.settings.isDryRun else { throw DryRunRollback() }
        progress.outcomes = try await restore.loadNested()
        try await definitions?.finish()
        try await restore.setTransactionalSequences(among: sequences)
    }

    /// Locks the old tables and creates the new ones.
    private func create(_ definitions: DefinitionInstaller, _ progress: Progress) async throws {
        let restore = try await session.leavingTarget {
            let target = try await session.readCatalog(without: nil, isNested: true)
            try await LockingPhase(connection: session.connection, catalog: target)
                .lockReplaced(definitions.replacedNames, isDryRun: session.settings.isDryRun)
            progress.isLocked = true
            try await definitions.createTables()
            return try await planning.check(definitions, files, isNested: true)
        }
        progress.checked = restore
        progress.unloaded = restore.reportUnloaded()
    }

    /// Says that the restore begins again.
    ///
    /// - Returns: False when the error is another one than a deadlock.
    private func reportDeadlock(_ error: any Error, _ attempt: String) -> Bool {
        let failure = error as? GroupFailure
        guard LockConflict(of: failure?.error ?? error) == .deadlock else { return false }
        session.recorder.found(
            .warning(
                "a deadlock with another session has rolled back the restore, which begins again (\(attempt))",
                of: failure?.job
            )
        )
        return true
    }
}
