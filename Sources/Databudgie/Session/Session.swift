import Postgres

/// What a run works with: its settings, its storages, and the recorder that its events go to.
///
/// Scopes compose: a run that needs no database does not open one.
struct Session: Sendable {
    let settings: RunSettings
    let storages: StorageRouter
    let recorder: RunRecorder

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
        return try await SentryReporter.with(settings, onEvent: onEvent) { recorder in
            try await StorageRouter.withStorages(settings) { storages in
                let results = try await body(Session(settings: settings, storages: storages, recorder: recorder))
                return results.report(settings.kind, isDryRun: settings.isDryRun, duration: .now - start)
            }
        }
    }

    /// Connects to the run's database for the body.
    ///
    /// - Parameter body: Uses the connection, which must not leave it.
    /// - Returns: What the body returns.
    /// - Throws: `PostgresError` when the connection fails; what the body throws.
    func withDatabase<Result>(_ body: (DatabaseSession) async throws -> Result) async throws -> Result {
        try await Connection.withConnection(to: settings.database) { connection in
            try await body(DatabaseSession(session: self, connection: connection))
        }
    }
}

/// A session with a connection to the run's database.
struct DatabaseSession: Sendable {
    let session: Session
    let connection: Connection

    var settings: RunSettings { session.settings }
    var storages: StorageRouter { session.storages }
    var recorder: RunRecorder { session.recorder }

    /// Runs the body in a transaction of its own, or in the one that is open already.
    ///
    /// - Parameters:
    ///   - mode: What a transaction of its own is for.
    ///   - isNested: The caller has a transaction open, which decides what becomes of the body's work.
    ///   - beforeSnapshot: What has to be done before a transaction of its own sees anything.
    ///   - body: Uses the connection.
    /// - Returns: What the body returns.
    /// - Throws: What the closures throw, or `PostgresError`.
    func withTransaction<Result: Sendable>(
        _ mode: TransactionMode,
        isNested: Bool = false,
        beforeSnapshot: () async throws -> Void = {},
        _ body: () async throws -> Result
    ) async throws -> Result {
        guard !isNested else { return try await body() }
        return try await connection.withTransaction(
            mode,
            idleTimeout: settings.idleInTransactionTimeout,
            beforeSnapshot: beforeSnapshot,
            body
        )
    }

    /// Reads the catalog of the connected database.
    ///
    /// - Parameters:
    ///   - manifest: The run's manifest, which no glob finds.
    ///   - isNested: The caller has a transaction open, which sees tables that no other session sees yet.
    /// - Returns: The catalog, as one moment has it.
    /// - Throws: `PostgresError`.
    func readCatalog(without manifest: ManifestTable?, isNested: Bool = false) async throws -> DatabaseCatalog {
        var catalog = try await withTransaction(.catalog, isNested: isNested) {
            try await DatabaseCatalogReader(connection: connection).read()
        }
        catalog.manifest = manifest?.name
        return catalog
    }
}
