import Postgres

/// What a run works with: its settings, its storages, and the recorder that its events go to.
///
/// Scopes compose: a run that needs no database does not open one.
struct Session: Sendable {
    let settings: RunSettings
    let storages: StorageRouter
    let recorder: RunRecorder

    /// Resolves what a run needs, runs it in a session, and reports its beginning and its end as the configuration wants it.
    ///
    /// - Parameters:
    ///   - configuration: The validated configuration.
    ///   - kind: What the run does.
    ///   - environment: The run's surroundings.
    ///   - onEvent: Receives what happens.
    ///   - body: The run itself.
    /// - Returns: The report of what the body has done.
    /// - Throws: ``DatabudgieError`` when there are no such settings; what the body throws; `CancellationError` when the task
    ///   was cancelled.
    static func run(
        _ configuration: Configuration,
        for kind: RunKind,
        in environment: RunEnvironment,
        onEvent: @escaping @Sendable (RunEvent) -> Void,
        _ body: (Session) async throws -> RunResults
    ) async throws -> RunReport {
        let turns = EventTurns(onEvent)
        return try await RunReporting.with(configuration, for: kind, in: environment, onEvent: turns.pass) { onEvent in
            let settings = try RunSettings(configuration, for: kind, in: environment)
            return try await run(settings, onEvent: onEvent, body)
        }
    }

    /// Opens the storages for the body, and reports its failures when it has ended.
    ///
    /// - Parameters:
    ///   - settings: All that the run needs.
    ///   - onEvent: Receives what happens.
    ///   - body: The run itself.
    /// - Returns: The report of what the body has done.
    /// - Throws: What the body throws; `CancellationError` when the task was cancelled.
    static func run(
        _ settings: RunSettings,
        onEvent: @escaping @Sendable (RunEvent) -> Void,
        _ body: (Session) async throws -> RunResults
    ) async throws -> RunReport {
        let start = ContinuousClock.now
        return try await open(settings, onEvent: onEvent) { session in
            try await body(session).report(settings.kind, isDryRun: settings.isDryRun, duration: .now - start)
        }
    }

    /// Opens the storages for the body, and reports its failures when it has ended.
    ///
    /// - Parameters:
    ///   - settings: All that the run needs.
    ///   - onEvent: Receives what happens.
    ///   - body: Uses the session, which must not leave it.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws; `CancellationError` when the task was cancelled.
    static func open<Result>(
        _ settings: RunSettings,
        onEvent: @escaping @Sendable (RunEvent) -> Void,
        _ body: (Session) async throws -> Result
    ) async throws -> Result {
        try await SentryReporter.with(settings, onEvent: EventTurns(onEvent).pass) { recorder in
            try await StorageRouter.withStorages(settings) { storages in
                let session = Session(settings: settings, storages: storages, recorder: recorder)
                return try await reportingWarnings(to: recorder) { try await body(session) }
            }
        }
    }

    /// Runs the body, and reports the warnings that its error carries before it is thrown.
    private static func reportingWarnings<Result>(
        to recorder: RunRecorder,
        _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch let error as DatabudgieError {
            error.warnings.forEach(recorder.found)
            throw error
        }
    }

    /// Connects to the run's database for the body.
    ///
    /// - Parameters:
    ///   - server: The very server that is to be reached, once more; nil: whichever is.
    ///   - body: Uses the connection, which must not leave it.
    /// - Returns: What the body returns.
    /// - Throws: `PostgresError` when the connection fails; what the body throws.
    func withDatabase<Result>(
        at server: ServerInfo? = nil,
        _ body: (DatabaseSession) async throws -> Result
    ) async throws -> Result {
        let database = server.map { settings.database.leading(to: $0) } ?? settings.database
        return try await Connection.withConnection(to: database) { connection in
            try await connection.liftSessionLimits()
            return try await body(DatabaseSession(session: self, connection: connection))
        }
    }
}
