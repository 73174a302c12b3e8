import Postgres
import Storage

/// Exports what a configuration asks for, all of it from one consistent moment.
///
///     let configuration = try Configuration.load(files: ["databudgie.yml"])
///     let report = try await BackupRun(configuration).run { event in print(event) }
public struct BackupRun: Sendable {
    private var configuration: Configuration
    private let environment: RunEnvironment

    /// Prepares a backup; nothing is done before ``run(onEvent:)``.
    ///
    /// - Parameters:
    ///   - configuration: What to export, and where to.
    ///   - environment: Environment variables and clock.
    public init(_ configuration: Configuration, environment: RunEnvironment = RunEnvironment()) {
        self.configuration = configuration
        self.environment = environment
    }

    /// Runs the backup to its end.
    ///
    /// A table that fails leaves no file behind and does not stop the others, unless it or the run is strict; the report
    /// lists it, so a caller must look at ``RunReport/failed``. Cancelling the task cancels the running query, aborts the
    /// upload, removes the temporary file, and throws `CancellationError`.
    /// - Parameter onEvent: Receives what happens, one event at a time, from the tasks of the run: it must return quickly.
    /// - Returns: What was exported, skipped and failed.
    /// - Throws: ``DatabudgieError``, `PostgresError`, `StorageError` or `CancellationError` when nothing more could be
    ///   done; files that were finished before stay.
    public func run(onEvent: @escaping @Sendable (RunEvent) -> Void = { _ in }) async throws -> RunReport {
        try await Session.run(configuration, for: .backup, in: environment, onEvent: onEvent) { session in
            try await attempts(session) { try await $0.run() }
        }
    }

    /// Computes what ``run(onEvent:)`` would do, and why; nothing is written, neither files nor records.
    ///
    /// The database is read in one read-only transaction, in which the tables are locked as in a backup, and no row is read.
    /// - Parameter onEvent: Receives what happens, in order: it must return quickly.
    /// - Returns: The plan of a run that begins now.
    /// - Throws: As ``run(onEvent:)`` does, when there is no plan.
    public func plan(onEvent: @escaping @Sendable (RunEvent) -> Void = { _ in }) async throws -> RunPlan {
        try await plan(searchingRows: true, onEvent: onEvent)
    }

    /// Computes the plan, with the rows of a subset or without them.
    ///
    /// - Parameters:
    ///   - searchingRows: The rows of a subset are searched, which may take long.
    ///   - onEvent: Receives what happens, in order.
    /// - Returns: The plan of a run that begins now.
    /// - Throws: As ``run(onEvent:)`` does, when there is no plan.
    func plan(
        searchingRows: Bool,
        onEvent: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> RunPlan {
        var planned = self
        planned.configuration.backup.run.isDryRun = true
        let settings = try RunSettings(planned.configuration, for: .backup, in: environment)
        let events = PlanEvents()
        var plan = try await Session.open(settings, onEvent: events.passing(to: onEvent)) { session in
            try await planned.attempts(session) { try await $0.plan(searchingRows: searchingRows) }
        }
        events.add(to: &plan)
        return plan
    }

    /// Finds out why a row is part of the subset; nothing is written.
    ///
    /// The answer is that of the present moment, not of an earlier set.
    /// - Parameters:
    ///   - row: The row: `public.orders:201` by its primary key, `public.users.email:a@example.org` by a column.
    ///   - onEvent: Receives what happens, in order: it must return quickly.
    /// - Returns: The row, or the first of several, each with the references that led to it.
    /// - Throws: ``DatabudgieError`` when there is no subset or no such row, and as ``run(onEvent:)`` does.
    public func why(
        _ row: String,
        onEvent: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> RowReasons {
        guard configuration.backup.subset != nil else {
            throw DatabudgieError(
                .configuration,
                "the backup has no 'subset': it exports all rows",
                hint: "add one, or pass --start"
            )
        }
        var asking = self
        asking.configuration.backup.run.isDryRun = true
        let settings = try RunSettings(asking.configuration, for: .backup, in: environment)
        return try await Session.open(settings, onEvent: onEvent) { session in
            try await asking.attempts(session) { try await $0.why(row) }
        }
    }

    /// Does something from one snapshot, and once more from another one when a standby had to cancel it.
    private func attempts<Result: Sendable>(
        _ session: Session,
        _ body: (BackupAttempt) async throws -> Result
    ) async throws -> Result {
        do {
            return try await attempt(session, givesUpOnConflict: true, body)
        } catch {
            guard let conflict = error as? RecoveryConflict ?? RecoveryConflict(error) else { throw error }
            try Task.checkCancellation()
            let text = ErrorText(conflict.underlying)
            session.recorder.found(.warning("\(text.message): starting again, from a new snapshot"))
            return try await RecoveryConflict.explained {
                try await attempt(session, givesUpOnConflict: false, body)
            }
        }
    }

    private func attempt<Result: Sendable>(
        _ run: Session,
        givesUpOnConflict: Bool,
        _ body: (BackupAttempt) async throws -> Result
    ) async throws -> Result {
        let settings = run.settings
        let warnings = WarningGatherer()
        let session = Session(
            settings: settings,
            storages: run.storages,
            recorder: warnings.gathering(run.recorder)
        )
        let recording = SetRecording.of(session, configuration.backup, warnings: warnings)
        return try await session.withDatabase { database in
            try await ManifestSession.with(settings, over: database.connection) { manifest in
                let dump = DefinitionDump(environment: settings.variables)
                if settings.definitions.isEnabled { try await dump.check(for: database.connection.server) }
                let attempt = BackupAttempt(
                    session: database,
                    manifest: manifest,
                    configuration: configuration.backup,
                    dump: dump,
                    recording: recording,
                    givesUpOnConflict: givesUpOnConflict
                )
                return try await body(attempt)
            }
        }
    }
}
