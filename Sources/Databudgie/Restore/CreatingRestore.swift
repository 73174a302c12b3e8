import Postgres

/// Creates tables from their definitions and loads them, where none is replaced.
///
/// Nothing is lost when something fails: new tables are created first, then each group of tables is restored on its own.
struct CreatingRestore {
    let planning: RestorePlanning
    let definitions: DefinitionInstaller
    /// What was found of the files.
    let files: RestoreFiles

    private var session: DatabaseSession { planning.session }

    /// Runs the restore.
    ///
    /// - Returns: What became of the jobs, and what was created.
    /// - Throws: ``DatabudgieError``, `PostgresError`, `StorageError` or `CancellationError` when nothing more could be done.
    func run() async throws -> RunResults {
        let isDryRun = session.settings.isDryRun
        let (checked, unloaded) =
            definitions.fitsOneTransaction || isDryRun ? try await createAtOnce() : try await createInBatches()
        guard !isDryRun, let checked else { return RunResults(jobs: unloaded) }
        await FailPoint.reached(.creationCommitted)
        let results = try await load(checked)
        return RunResults(jobs: unloaded + results, definitions: definitions.names.map(\.label))
    }

    /// Creates the new tables and checks everything in one transaction, which a dry run rolls back.
    private func createAtOnce() async throws -> (checked: CheckedRestore?, unloaded: [JobResult]) {
        var checked: CheckedRestore?
        var unloaded: [JobResult] = []
        do {
            try await session.leavingTarget {
                try await session.withTransaction(.writing) {
                    await FailPoint.reached(.tablesUncreated)
                    try await definitions.createTables()
                    await FailPoint.reached(.tablesCreated)
                    let restore = try await planning.check(definitions, files, isNested: true)
                    unloaded = restore.reportUnloaded()
                    checked = restore
                    if session.settings.isDryRun { throw DryRunRollback() }
                }
            }
        } catch is DryRunRollback {
            // The dry run is over; what it reported is all that it leaves.
        }
        return (checked, unloaded)
    }

    /// Creates the new tables in transactions that the server has enough locks for.
    private func createInBatches() async throws -> (checked: CheckedRestore?, unloaded: [JobResult]) {
        session.recorder.found(
            .warning(
                "the new tables are created in several transactions, because one would exceed "
                    + "max_locks_per_transaction; if the restore stops, they remain, empty"
            )
        )
        try await definitions.createTablesInBatches()
        let checked = try await planning.check(definitions, files)
        return (checked, checked.reportUnloaded())
    }

    private func load(_ checked: CheckedRestore) async throws -> [JobResult] {
        var progress: CheckedRestore.Progress
        do {
            progress = try await checked.load()
            if progress.stoppedBy == nil {
                let failures = try await FinishingTeam(definitions: definitions, restore: checked).run()
                progress.results += failures.map(checked.failed)
            } else {
                session.recorder.found(Self.unfinished)
            }
        } catch {
            session.recorder.found(Self.unfinished)
            throw error
        }
        let sequences = try await checked.setRemainingSequences(after: progress)
        await checked.analyze(progress.results)
        return progress.results + sequences
    }

    private static let unfinished = Finding.warning(
        "the restore stopped before indexes, constraints, privileges and policies of the new tables were created",
        hint: "fix the error and restore again"
    )
}

/// Thrown to roll back on purpose; never reported.
struct DryRunRollback: Error {}
