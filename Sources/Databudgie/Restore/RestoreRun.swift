import Postgres
import Storage

/// Loads data files back into a database: each group of tables that belong together is restored whole, or not at all.
///
///     let configuration = try Configuration.load(files: ["databudgie.yml"])
///     let report = try await RestoreRun(configuration).run { event in print(event) }
public struct RestoreRun: Sendable {
    private let configuration: Configuration
    private let environment: RunEnvironment

    /// Prepares a restore; nothing is done before ``run(onEvent:)``.
    ///
    /// - Parameters:
    ///   - configuration: What to restore, and where from.
    ///   - environment: Environment variables and clock.
    public init(_ configuration: Configuration, environment: RunEnvironment = RunEnvironment()) {
        self.configuration = configuration
        self.environment = environment
    }

    /// Runs the restore to its end.
    ///
    /// Before anything is changed all files are found and their headers compared with the tables; a problem of a table fails
    /// it and what must land with it. Then each other group of tables is truncated, if configured, and loaded in one
    /// transaction; a failure rolls back its group and does not stop those that do not depend on it, unless a table of it
    /// or the run is strict. Cancelling the task rolls back the running group and
    /// throws `CancellationError`.
    /// - Parameter onEvent: Receives what happens, in order, from the tasks of the run: it must return quickly.
    /// - Returns: What was loaded, skipped and failed.
    /// - Throws: ``DatabudgieError``, `PostgresError`, `StorageError` or `CancellationError` when nothing more could be
    ///   done; groups that were committed before stay.
    public func run(onEvent: @escaping @Sendable (RunEvent) -> Void = { _ in }) async throws -> RunReport {
        let settings = try RunSettings(configuration, for: .restore, in: environment)
        return try await Session.run(settings, onEvent: onEvent) { session in
            if settings.definitions.recreatesDatabase {
                try await CleanPreflight(session: session, configuration: configuration.restore).check()
                // A dry run cannot look further than the files: the database that the restore would find does not exist yet.
                guard !settings.isDryRun else { return RunResults() }
                try await DatabaseReset(settings: settings, recorder: session.recorder).run()
            }
            return try await session.withDatabase { database in
                try await ManifestSession.with(settings, over: database.connection) { manifest in
                    try await run(database, manifest)
                }
            }
        }
    }

    private func run(_ session: DatabaseSession, _ manifest: ManifestSession?) async throws -> RunResults {
        let planning = RestorePlanning(
            entries: configuration.restore.tables,
            session: session,
            recordedRun: try await untouched(session.settings) { try await manifest?.begin() }
        )
        if session.settings.definitions.isEnabled {
            return try await restoreWithDefinitions(planning)
        }
        let restore = try await untouched(session.settings) { try await planning.check() }
        let unloaded = restore.reportUnloaded()
        guard !session.settings.isDryRun else { return RunResults(jobs: unloaded) }
        let progress = try await restore.load()
        return RunResults(
            jobs: unloaded + progress.results + (try await restore.setRemainingSequences(after: progress))
        )
    }

    /// Runs what changes nothing, and adds that to its error when it fails.
    private func untouched<Result>(
        _ settings: RunSettings,
        _ body: () async throws -> Result
    ) async throws -> Result {
        try await DatabudgieError.withEffect(settings.effectBeforeLoading, body)
    }
}

// MARK: - With definitions

extension RestoreRun {
    /// Thrown to roll back on purpose (dry run); never reported.
    private struct RolledBack: Error {}

    private func restoreWithDefinitions(_ planning: RestorePlanning) async throws -> RunResults {
        let settings = planning.session.settings
        let definitions = try await untouched(settings) { try await planning.definitions() }
        return definitions.isReplacement
            ? try await replace(planning, definitions) : try await create(planning, definitions)
    }

    /// Old tables are replaced by new ones: all in one transaction, so the old ones stay until everything is restored.
    private func replace(
        _ planning: RestorePlanning,
        _ definitions: DefinitionInstaller
    ) async throws -> RunResults {
        let session = planning.session
        var checked: CheckedRestore?
        var unloaded: [JobResult] = []
        var outcomes: [JobOutcome] = []
        let sequences = try await SequenceSetter.existing(over: session.connection)
        do {
            try await DatabudgieError.withEffect(.rolledBack) {
                try await session.withTransaction(.writing) {
                    let restore = try await untouched(session.settings) {
                        let target = try await session.readCatalog(without: nil, isNested: true)
                        try await LockingPhase(connection: session.connection, catalog: target)
                            .lockReplaced(definitions.replacedNames, isDryRun: session.settings.isDryRun)
                        try await definitions.createTables()
                        return try await planning.check(
                            created: definitions.names,
                            replaced: definitions.replacedNames,
                            included: definitions.included,
                            isNested: true
                        )
                    }
                    checked = restore
                    unloaded = restore.reportUnloaded()
                    guard !session.settings.isDryRun else { throw RolledBack() }
                    outcomes = try await restore.loadNested()
                    try await definitions.finish()
                    try await restore.setNewSequences(besides: sequences)
                }
            }
        } catch is RolledBack {
            return RunResults(jobs: unloaded)
        } catch let failure as GroupFailure {
            return RunResults(jobs: unloaded + (checked?.rolledBack(by: failure) ?? []))
        }
        guard let checked else { return RunResults() }
        let progress = checked.report(outcomes)
        let set = try await checked.setSequences(among: sequences)
        await checked.analyze()
        return RunResults(jobs: unloaded + progress.results + set, definitions: definitions.names.map(\.label))
    }

    /// Nothing is lost when something fails: new tables are created first, then each group of tables is restored on its own.
    private func create(
        _ planning: RestorePlanning,
        _ definitions: DefinitionInstaller
    ) async throws -> RunResults {
        let isDryRun = planning.session.settings.isDryRun
        let (checked, unloaded) =
            definitions.fitsOneTransaction || isDryRun
            ? try await createAtOnce(planning, definitions) : try await createInBatches(planning, definitions)
        guard !isDryRun, let checked else { return RunResults(jobs: unloaded) }
        let results = try await load(checked, definitions)
        return RunResults(jobs: unloaded + results, definitions: definitions.names.map(\.label))
    }

    /// Creates the new tables and checks everything in one transaction, which a dry run rolls back.
    private func createAtOnce(
        _ planning: RestorePlanning,
        _ definitions: DefinitionInstaller
    ) async throws -> (checked: CheckedRestore?, unloaded: [JobResult]) {
        let session = planning.session
        var checked: CheckedRestore?
        var unloaded: [JobResult] = []
        do {
            try await untouched(session.settings) {
                try await session.withTransaction(.writing) {
                    try await definitions.createTables()
                    let restore = try await planning.check(
                        created: definitions.names,
                        included: definitions.included,
                        isNested: true
                    )
                    unloaded = restore.reportUnloaded()
                    checked = restore
                    if session.settings.isDryRun { throw RolledBack() }
                }
            }
        } catch is RolledBack {
            // The dry run is over; what it reported is all that it leaves.
        }
        return (checked, unloaded)
    }

    /// Creates the new tables in transactions that the server has enough locks for.
    private func createInBatches(
        _ planning: RestorePlanning,
        _ definitions: DefinitionInstaller
    ) async throws -> (checked: CheckedRestore?, unloaded: [JobResult]) {
        planning.session.recorder.found(
            .warning(
                "the new tables are created in several transactions, because one would exceed "
                    + "max_locks_per_transaction; if the restore stops, they remain, empty"
            )
        )
        try await definitions.createTablesInBatches()
        let checked = try await planning.check(created: definitions.names, included: definitions.included)
        return (checked, checked.reportUnloaded())
    }

    private func load(_ checked: CheckedRestore, _ definitions: DefinitionInstaller) async throws -> [JobResult] {
        var progress: CheckedRestore.Progress
        do {
            progress = try await checked.load()
            if progress.stoppedBy == nil {
                progress.results += try await definitions.finishInBatches().map(checked.failed)
            } else {
                checked.session.recorder.found(Self.unfinished)
            }
        } catch {
            checked.session.recorder.found(Self.unfinished)
            throw error
        }
        return progress.results + (try await checked.setRemainingSequences(after: progress))
    }

    private static let unfinished = Finding.warning(
        "the restore stopped before indexes, constraints, privileges and policies of the new tables were created",
        hint: "fix the error and restore again"
    )
}
