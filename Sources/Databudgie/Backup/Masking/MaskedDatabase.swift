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

extension MaskedDatabase {
    /// That the groups of a subset are smaller than those of the table, which are what is counted.
    func subsetWarnings(_ groups: [MaskGroup]) -> [Finding] {
        guard plan.subset != nil, !groups.isEmpty else { return [] }
        return [
            .warning(
                "groups are counted in whole tables; those of the subset have fewer rows",
                hint: "count them in the database that the subset is restored into"
            )
        ]
    }
}

extension [BackupJob] {
    /// The job that exports a table.
    ///
    /// - Parameter table: Its name, which may lack the schema when one table has the name.
    /// - Returns: The job.
    /// - Throws: ``DatabudgieError`` when there is none, or more than one.
    func exporting(_ table: String) throws -> BackupJob {
        let exported = filter(\.includesRows)
        let named = exported.filter { $0.id.name.hasBytes(of: table) }
        let bare = exported.filter { $0.relation?.name.name.hasBytes(of: table) == true }
        let found = named.isEmpty ? bare : named
        guard let job = found.first else {
            let nearest = KeySuggestion.nearest(to: table, among: exported.map(\.id.name))
            throw DatabudgieError(
                .configuration,
                "the backup has no table '\(table)'",
                hint: nearest.map { "did you mean '\($0)'?" } ?? "name one that 'tables' matches, with its schema"
            )
        }
        guard named.isEmpty, bare.count > 1 else { return job }
        throw DatabudgieError(
            .configuration,
            "several tables are called '\(table)': \(bare.map(\.id.name).listed())",
            hint: "name its schema, too"
        )
    }
}
