import Postgres

/// Makes the manifest table in the database of a backup or of a restore.
///
///     let outcome = try await ManifestCreation(configuration, for: .backup).run()
public struct ManifestCreation: Sendable {
    /// What there is now.
    public enum Outcome: Sendable, Equatable {
        /// The table was made.
        case created(ManifestTable)
        /// The table was there already, and a run can use it.
        case alreadyThere(ManifestTable)
    }

    private let configuration: Configuration
    private let action: RunKind
    private let table: String?

    /// - Parameters:
    ///   - configuration: Names the database, and the table unless it is given.
    ///   - action: Whose database and manifest are meant.
    ///   - table: The table's name, `table` or `schema.table`; nil takes the configuration's.
    public init(_ configuration: Configuration, for action: RunKind, table: String? = nil) {
        self.configuration = configuration
        self.action = action
        self.table = table
    }

    /// Makes the table and its indexes, unless it is there.
    ///
    /// - Returns: Whether it was made.
    /// - Throws: ``DatabudgieError`` when no table is named, no database is configured, or a table of that name does not
    ///   fit; `PostgresError`.
    public func run() async throws -> Outcome {
        let run = configuration.run(for: action)
        guard let name = table ?? run.manifest else {
            throw DatabudgieError(
                .configuration,
                "No manifest is named: write 'manifest: schema.table' into the configuration, or give --table."
            )
        }
        guard let parameters = run.connection else {
            throw DatabudgieError(
                .configuration,
                "No database to connect to: give 'url' or 'connection' under '\(action.rawValue)', or --url."
            )
        }
        let manifest = try ManifestTable(name)
        return try await Connection.withConnection(to: parameters) { connection in
            try await connection.withTransaction(.writing) { connection in
                if let inspection = try await ManifestInspection.find(manifest, over: connection) {
                    guard inspection.problems.isEmpty else {
                        throw DatabudgieError(
                            .preflight,
                            ["\(manifest) exists already and cannot be used as a manifest."] + inspection.problems
                        )
                    }
                    return .alreadyThere(manifest)
                }
                try await connection.execute(manifest.definition)
                return .created(manifest)
            }
        }
    }
}
