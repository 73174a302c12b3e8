import Postgres
import Storage

/// What a run works with: a connection, the storages, and somebody to tell.
struct Session {
    let connection: Connection
    let storages: StorageRouter
    let recorder: RunRecorder

    /// Connects, runs the body, and gives everything back, however it ends.
    ///
    /// - Parameters:
    ///   - action: What the run does.
    ///   - configuration: Says where the database and the storages are.
    ///   - options: Dry run, environment and clock.
    ///   - onEvent: Receives what happens.
    ///   - beforeConnecting: What has to be done without a connection to the database.
    ///   - body: The run itself.
    /// - Returns: What the run told its recorder.
    /// - Throws: What the body throws; `CancellationError` when the task was cancelled.
    static func run(
        _ action: RunKind,
        _ configuration: Configuration,
        _ options: RunEnvironment,
        onEvent: @escaping @Sendable (RunEvent) -> Void,
        beforeConnecting: (StorageRouter, RunRecorder) async throws -> Void = { _, _ in },
        _ body: (Session) async throws -> Void
    ) async throws -> RunReport {
        let recorder = RunRecorder(action: action, isDryRun: options.isDryRun, onEvent: onEvent)
        let sentry = SentryReporter(configuration, action, options)
        let parameters = try configuration.connection(for: action)
        let s3Options = configuration.run(for: action).s3
        do {
            let report = try await StorageRouter.withStorages(
                s3Options: s3Options,
                environment: options.environment
            ) { storages in
                try await beforeConnecting(storages, recorder)
                return try await Connection.withConnection(to: parameters) { connection in
                    try await body(Session(connection: connection, storages: storages, recorder: recorder))
                    return recorder.report()
                }
            }
            await sentry?.report(recorder)
            return report
        } catch {
            // Whichever layer noticed the cancellation first has an error of its own for it.
            try Task.checkCancellation()
            await sentry?.report(recorder, endedBy: error)
            throw error
        }
    }
}
