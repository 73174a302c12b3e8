import Postgres

/// A session with a connection to the run's database.
struct DatabaseSession: Sendable {
    let session: Session
    let connection: Connection

    var settings: RunSettings { session.settings }
    var storages: StorageRouter { session.storages }
    var recorder: RunRecorder { session.recorder }

    /// The same for work that may begin again: what it reports, it reports once.
    var reportingOnce: DatabaseSession { reporting(to: recorder.withoutRepetitions) }

    /// The same for jobs that may begin again: each is started once.
    var startingOnce: DatabaseSession { reporting(to: recorder.startingOnce) }

    private func reporting(to recorder: RunRecorder) -> DatabaseSession {
        DatabaseSession(
            session: Session(settings: settings, storages: storages, recorder: recorder),
            connection: connection
        )
    }

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

    /// Runs what comes before the first row, and adds to its error that the target is as it was.
    ///
    /// - Parameter body: Part of a restore.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws.
    nonisolated(nonsending) func leavingTarget<Result>(_ body: () async throws -> Result) async throws -> Result {
        try await DatabudgieError.withEffect(settings.effectBeforeLoading, body)
    }

    /// Pins the settings of a load again, in a transaction whose statements came from files and may have changed them.
    ///
    /// - Throws: `PostgresError`.
    func pinSettingsOfLoad() async throws {
        try await connection.pinSettings(of: .writing, idleTimeout: settings.idleInTransactionTimeout)
    }

    /// The schema of names without one, in the connected database.
    ///
    /// - Throws: `PostgresError`.
    func defaultSchema() async throws -> String {
        try await connection.query("select pg_catalog.current_schema() as schema").rows.first?["schema"] ?? "public"
    }

    /// Reads the catalog of the connected database.
    ///
    /// - Parameters:
    ///   - manifest: The run's manifest, which no glob finds.
    ///   - isNested: The caller has a transaction open, which sees tables that no other session sees yet.
    ///   - includesKeys: Keys and types are read, too.
    /// - Returns: The catalog, as one moment has it.
    /// - Throws: `PostgresError`.
    func readCatalog(
        without manifest: ManifestTable?,
        isNested: Bool = false,
        includesKeys: Bool = false
    ) async throws -> DatabaseCatalog {
        var catalog = try await withTransaction(.catalog, isNested: isNested) {
            var catalog = try await DatabaseCatalogReader(connection: connection).read()
            if includesKeys { catalog.keys = try await KeyCatalogReader(connection: connection).read() }
            return catalog
        }
        catalog.manifest = manifest?.name
        return catalog
    }
}
