import Postgres

/// Restores everything in one transaction, so the target stays as it was until all of it is there: because new tables replace
/// old ones, or because `transaction: all` asks for it.
struct WholeRestore {
    let planning: RestorePlanning
    /// What is restored.
    let content: Content

    /// What is restored.
    enum Content {
        /// Tables that are there, and were checked before the transaction.
        case existing(CheckedRestore)
        /// Tables that are created in the transaction before their rows, from files that were looked at before it.
        case defined(DefinitionInstaller, RestoreFiles)

        var definitions: DefinitionInstaller? {
            if case .defined(let definitions, _) = self { definitions } else { nil }
        }
    }

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
        if let jobs = session.settings.jobs, jobs > 1 {
            session.recorder.found(
                .note("'jobs' has no effect: everything is one transaction, which has one connection")
            )
        }
        let sequences = try await SequenceSetter.existing(over: session.connection)
        var progress = Progress()
        let unloaded = try await prepare()
        do {
            try await DatabudgieError.withEffect(.rolledBack) {
                // A deadlock rolls all of it back, so all of it begins again; before, it was waited for often enough.
                let attempts = LockAttempts()
                try await attempts.retrying { error, attempt in
                    guard progress.isLocked else { return false }
                    return reportDeadlock(error, "attempt \(attempt) of \(attempts.count)")
                } _: {
                    progress = Progress()
                    progress.unloaded = unloaded
                    try await session.withTransaction(.writing) { try await restore(progress, sequences) }
                    await FailPoint.reached(.wholeCommitted)
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
        await checked.analyze(results)
        return RunResults(
            jobs: progress.unloaded + results + set,
            definitions: content.definitions?.names.map(\.label) ?? []
        )
    }

    /// Reports what is not loaded of tables that are there, once the server is known to have enough locks for the others.
    private func prepare() async throws -> [JobResult] {
        guard case .existing(let checked) = content else { return [] }
        return try await session.leavingTarget {
            let estimate = LockBudget.estimate(checked.plan)
            guard estimate <= (try await LockBudget(connection: session.connection).available) else {
                throw LockBudget.refusal(of: estimate)
            }
            return checked.reportUnloaded()
        }
    }

    /// Loads the tables, after creating those that are defined, and sets the sequences that are rolled back with them.
    private func restore(_ progress: Progress, _ sequences: Set<Relation.OID>) async throws {
        let restore =
            switch content {
            case .existing(let checked): checked
            case .defined(let definitions, let files): try await create(definitions, files, progress)
            }
        (progress.isLocked, progress.checked) = (true, restore)
        guard !session.settings.isDryRun else { throw DryRunRollback() }
        progress.outcomes = try await restore.loadNested()
        try await content.definitions?.finish(in: restore.loader.catalog)
        try await restore.setTransactionalSequences(among: sequences)
        await FailPoint.reached(.wholeUncommitted)
    }

    /// Locks the old tables and creates the new ones.
    private func create(
        _ definitions: DefinitionInstaller,
        _ files: RestoreFiles,
        _ progress: Progress
    ) async throws -> CheckedRestore {
        let restore = try await session.leavingTarget {
            let target = try await session.readCatalog(without: nil, isNested: true)
            try await LockingPhase(connection: session.connection, catalog: target)
                .lockReplaced(definitions.replacedNames, isDryRun: session.settings.isDryRun)
            progress.isLocked = true
            await FailPoint.reached(.tablesUncreated)
            try await definitions.createTables()
            await FailPoint.reached(.tablesCreated)
            return try await planning.check(definitions, files, isNested: true)
        }
        progress.unloaded = restore.reportUnloaded()
        return restore
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
