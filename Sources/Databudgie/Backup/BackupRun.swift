import Postgres
import Storage

/// Exports what a configuration asks for, all of it from one consistent moment.
///
///     let configuration = try Configuration.load(files: ["databudgie.yml"])
///     let report = try await BackupRun(configuration).run { event in print(event) }
public struct BackupRun: Sendable {
    private let configuration: Configuration
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
    /// - Parameter onEvent: Receives what happens, in order, from the tasks of the run: it must return quickly.
    /// - Returns: What was exported, skipped and failed.
    /// - Throws: ``DatabudgieError``, `PostgresError`, `StorageError` or `CancellationError` when nothing more could be
    ///   done; files that were finished before stay.
    public func run(onEvent: @escaping @Sendable (RunEvent) -> Void = { _ in }) async throws -> RunReport {
        let settings = try RunSettings(configuration, for: .backup, in: environment)
        return try await Session.run(settings, onEvent: onEvent) { session in
            do {
                return try await attempt(session, givesUpOnConflict: true)
            } catch {
                guard let conflict = error as? RecoveryConflict ?? RecoveryConflict(error) else { throw error }
                try Task.checkCancellation()
                let text = ErrorText(conflict.underlying)
                session.recorder.found(.warning("\(text.message): starting again, from a new snapshot"))
                return try await RecoveryConflict.explained {
                    try await attempt(session, givesUpOnConflict: false)
                }
            }
        }
    }

    private func attempt(_ run: Session, givesUpOnConflict: Bool) async throws -> RunResults {
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
                return try await BackupAttempt(
                    session: database,
                    manifest: manifest,
                    configuration: configuration.backup,
                    dump: dump,
                    recording: recording,
                    givesUpOnConflict: givesUpOnConflict
                ).run()
            }
        }
    }
}
