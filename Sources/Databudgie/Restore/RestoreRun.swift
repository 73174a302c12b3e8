import Postgres
import Storage

/// Loads data files back into a database: each group of tables that belong together is restored whole, or not at all.
///
///     let configuration = try Configuration.load(files: ["databudgie.yml"])
///     let report = try await RestoreRun(configuration).run { event in print(event) }
public struct RestoreRun: Sendable {
    private var configuration: Configuration
    private let environment: RunEnvironment

    /// Prepares a restore; nothing is done before ``run(onEvent:confirm:)``.
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
    /// or the run is strict. With `transaction: all` everything is one group. Cancelling the task rolls back the running group and
    /// throws `CancellationError`.
    /// - Parameters:
    ///   - onEvent: Receives what happens, in order, from the tasks of the run: it must return quickly.
    ///   - confirm: Asks the user about a destination that `safe_hosts` does not list, before anything is changed, and throws
    ///     to refuse it. Without it, and without ``RestoreConfiguration/assumesYes``, such a destination is refused.
    /// - Returns: What was loaded, skipped and failed.
    /// - Throws: ``DatabudgieError``, `PostgresError`, `StorageError` or `CancellationError` when nothing more could be
    ///   done; groups that were committed before stay.
    public func run(
        onEvent: @escaping @Sendable (RunEvent) -> Void = { _ in },
        confirm: (@Sendable (RestoreDestination) async throws -> Void)? = nil
    ) async throws -> RunReport {
        let destination = DestinationCheck(configuration: configuration.restore, confirm: confirm)
        return try await Session.run(configuration, for: .restore, in: environment, onEvent: onEvent) { session in
            try await run(session, destination)
        }
    }

    /// Computes what ``run(onEvent:confirm:)`` would do, and why, by the same checks; nothing is changed.
    ///
    /// It is a dry run that takes down what it finds out: the files' headers are read, and where definitions create tables,
    /// this is done in a transaction that is rolled back.
    /// - Parameter onEvent: Receives what happens, in order: it must return quickly.
    /// - Returns: The plan; what would fail is in it.
    /// - Throws: As ``run(onEvent:confirm:)`` does, when problems stop everything.
    public func plan(onEvent: @escaping @Sendable (RunEvent) -> Void = { _ in }) async throws -> RunPlan {
        var planned = self
        planned.configuration.restore.run.isDryRun = true
        let destination = DestinationCheck(configuration: planned.configuration.restore, confirm: nil)
        let settings = try RunSettings(planned.configuration, for: .restore, in: environment)
        let (events, explanation) = (PlanEvents(), RestoreExplanation(settings))
        _ = try await Session.open(settings, onEvent: events.passing(to: onEvent)) { session in
            try await planned.run(session, destination, explanation)
        }
        var plan = explanation.plan
        events.add(to: &plan)
        return plan
    }

    private func run(
        _ session: Session,
        _ destination: DestinationCheck,
        _ explanation: RestoreExplanation? = nil
    ) async throws -> RunResults {
        let settings = session.settings
        var set: RestoreSet?
        if settings.definitions.recreatesDatabase {
            let preflight = CleanPreflight(
                session: session,
                configuration: configuration.restore,
                explanation: explanation
            )
            set = try await preflight.check()
            // A dry run cannot look further than the files: the database that the restore would find does not exist yet.
            guard !settings.isDryRun else { return RunResults(set: set?.id) }
            try await DatabaseReset(settings: settings, recorder: session.recorder).run()
        }
        let checkedSet = set
        return try await session.withDatabase { database in
            try await ManifestSession.with(settings, over: database.connection) { manifest in
                try await run(database, manifest, checkedSet, destination, explanation)
            }
        }
    }

    private func run(
        _ session: DatabaseSession,
        _ manifest: ManifestSession?,
        _ checkedSet: RestoreSet?,
        _ destination: DestinationCheck,
        _ explanation: RestoreExplanation?
    ) async throws -> RunResults {
        // Tables are replaced again after a deadlock, and one that failed along with others is loaded again.
        let session = (session.settings.definitions.isEnabled ? session.reportingOnce : session).startingOnce
        let recordedRun = try await session.leavingTarget { try await manifest?.begin() }
        let set =
            session.settings.definitions.recreatesDatabase
            ? checkedSet : try await session.leavingTarget { try await findSet(session, recordedRun) }
        let planning = RestorePlanning(
            entries: configuration.restore.tables,
            session: session,
            recordedRun: recordedRun,
            set: set,
            explanation: explanation
        )
        explanation?.choose(set)
        var results = try await load(planning, destination)
        results.set = set?.id
        return results
    }

    /// The set whose files are read; nil when all are chosen by their names.
    private func findSet(_ session: DatabaseSession, _ recordedRun: ManifestRun?) async throws -> RestoreSet? {
        var search = SetSearch(session: session.session, configuration: configuration.restore) {
            guard !session.settings.definitions.isEnabled else { return (nil, try await session.defaultSchema()) }
            let catalog = try await session.readCatalog(without: session.settings.manifest)
            return (catalog, catalog.defaultSchema)
        }
        search.loaded = recordedRun?.recorded.files ?? []
        return try await search.run()
    }

    private func load(_ planning: RestorePlanning, _ destination: DestinationCheck) async throws -> RunResults {
        let session = planning.session
        let settings = session.settings
        guard settings.definitions.isEnabled else {
            let checked = try await session.leavingTarget {
                let checked = try await planning.check()
                try await destination.run(session.connection.server, replacing: checked.plan.replaced)
                return checked
            }
            return settings.isAllOrNothing
                ? try await WholeRestore(planning: planning, content: .existing(checked)).run()
                : try await loadExisting(checked)
        }
        let (definitions, files) = try await session.leavingTarget {
            let definitions = try await planning.definitions()
            let (files, replaced) = try await planning.files(for: definitions)
            try await destination.run(session.connection.server, replacing: replaced)
            return (definitions, files)
        }
        return definitions.isReplacement || settings.isAllOrNothing
            ? try await WholeRestore(planning: planning, content: .defined(definitions, files)).run()
            : try await CreatingRestore(planning: planning, definitions: definitions, files: files).run()
    }

    /// Loads tables that are there, group after group.
    private func loadExisting(_ restore: CheckedRestore) async throws -> RunResults {
        let unloaded = restore.reportUnloaded()
        guard !restore.session.settings.isDryRun else { return RunResults(jobs: unloaded) }
        let progress = try await restore.load()
        let sequences = try await restore.setRemainingSequences(after: progress)
        await restore.analyze(progress.results)
        return RunResults(jobs: unloaded + progress.results + sequences)
    }
}
