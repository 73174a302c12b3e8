import Postgres

/// Replaces tables by new ones: all in one transaction, so the old ones stay until everything is restored.
struct ReplacingRestore {
    let planning: RestorePlanning
    let definitions: DefinitionInstaller
    /// What was found of the files.
    let files: RestoreFiles

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
                    try await session.withTransaction(.writing) { try await replace(progress, sequences) }
                }
            }
        } catch is DryRunRollback {
            return RunResults(jobs: progress.unloaded)
        } catch let failure as GroupFailure {
            return RunResults(jobs: progress.unloaded + (progress.checked?.rolledBack(by: failure) ?? []))
        }
        guard let checked = progress.checked else { return RunResults() }
        let results = checked.report(progress.outcomes).results
        let set = try await checked.setSequences(among: sequences)
        await checked.analyze()
        return RunResults(jobs: progress.unloaded + results + set, definitions: definitions.names.map(\.label))
    }

    /// Locks the old tables, creates and loads the new ones, and sets those of their sequences that are new too.
    private func replace(_ progress: Progress, _ sequences: Set<Relation.OID>) async throws {
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
        guard !session.settings.isDryRun else { throw DryRunRollback() }
        progress.outcomes = try await restore.loadNested()
        try await definitions.finish()
        try await restore.setNewSequences(besides: sequences)
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
