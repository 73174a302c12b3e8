import Postgres

/// The database of a backup, for commands about its masks.
struct MaskedDatabase {
    let connection: Connection
    let settings: RunSettings
    /// The rules; none when the configuration has none.
    let configuration: MaskingConfiguration
    let inspection: MaskInspection
    let plan: BackupPlan

    /// Plans a backup in one moment, without any file.
    ///
    /// - Parameters:
    ///   - configuration: Of the backup.
    ///   - environment: Environment variables and clock.
    ///   - needsRules: A configuration without masks is refused.
    ///   - body: Uses the connection in its transaction.
    /// - Returns: What the body returns.
    /// - Throws: ``DatabudgieError``, `PostgresError`; what the body throws.
    static func with<Value: Sendable>(
        _ configuration: Configuration,
        _ environment: RunEnvironment,
        needsRules: Bool,
        _ body: (MaskedDatabase) async throws -> Value
    ) async throws -> Value {
        guard configuration.backup.masking != nil || !needsRules else {
            throw DatabudgieError(
                .configuration,
                "there is no 'masking' in the configuration",
                hint: "'databudgie mask suggest' writes one"
            )
        }
        var configuration = configuration
        let masking = configuration.backup.masking ?? MaskingConfiguration()
        configuration.backup.masking = masking
        let settings = try RunSettings(configuration, for: .backup, in: environment)
        let key = settings.maskKey ?? MaskKey(.random)
        return try await Connection.withConnection(to: settings.database) { connection in
            try await connection.liftSessionLimits()
            return try await connection.withTransaction(.snapshot, idleTimeout: nil) {
                var catalog = try await DatabaseCatalogReader(connection: connection).read()
                catalog.manifest = settings.manifest?.name
                if settings.subset != nil { catalog.keys = try await KeyCatalogReader(connection: connection).read() }
                let planner = BackupPlanner(
                    catalog: catalog,
                    timestamp: settings.timestamp,
                    isStrict: settings.isStrict,
                    includesDefinitions: settings.definitions.isEnabled,
                    subset: settings.subset
                )
                let plan = try planner.plan(configuration.backup.tables)
                let inspection = MaskInspection(
                    connection: connection,
                    catalog: catalog,
                    configuration: masking,
                    key: key,
                    references: plan.subset?.graph
                )
                let database = MaskedDatabase(
                    connection: connection,
                    settings: settings,
                    configuration: masking,
                    inspection: inspection,
                    plan: plan
                )
                return try await body(database)
            }
        }
    }
}
