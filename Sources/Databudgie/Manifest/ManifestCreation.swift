import Postgres

/// Creates the manifest table in the database of a backup or of a restore.
///
///     let outcome = try await ManifestCreation(configuration, for: .backup).run()
public struct ManifestCreation: Sendable {
    /// What there is now.
    public enum Outcome: Sendable, Equatable {
        /// The table was created.
        case created(ManifestTable)
        /// The table already existed, and a run can use it.
        case alreadyThere(ManifestTable)
    }

    private let configuration: Configuration
    private let kind: RunKind
    private let table: String?

    /// Prepares the creation; nothing is done before ``run()``.
    ///
    /// - Parameters:
    ///   - configuration: Names the database, and the table unless it is given.
    ///   - kind: Whose database and manifest are meant.
    ///   - table: The table's name, `table` or `schema.table`; nil takes the configuration's.
    public init(_ configuration: Configuration, for kind: RunKind, table: String? = nil) {
        self.configuration = configuration
        self.kind = kind
        self.table = table
    }

    /// Creates the table and its indexes, unless it is there.
    ///
    /// - Returns: Whether it was created.
    /// - Throws: ``DatabudgieError`` when no table is named, no database is configured, or a table of that name does not
    ///   fit; `PostgresError`.
    public func run() async throws -> Outcome {
        guard let name = table ?? configuration.run(for: kind).manifest else {
            throw DatabudgieError(
                .configuration,
                "no manifest is named",
                hint: "add 'manifest: schema.table' to the configuration, or pass --table"
            )
        }
        return try await Self.create(try ManifestTable(name), in: try configuration.database(for: kind))
    }

    /// Creates a manifest table and its indexes, unless it is there.
    ///
    /// - Parameters:
    ///   - manifest: The table.
    ///   - database: Where it is created.
    /// - Returns: Whether it was created.
    /// - Throws: ``DatabudgieError`` when a table of that name does not fit; `PostgresError`.
    static func create(_ manifest: ManifestTable, in database: ConnectionParameters) async throws -> Outcome {
        try await Connection.withConnection(to: database) { connection in
            try await connection.withTransaction(.writing, idleTimeout: nil) {
                if let inspection = try await ManifestInspection.find(manifest, over: connection) {
                    guard inspection.problems.isEmpty else {
                        let summary = Finding.problem("\(manifest) already exists and cannot be used as a manifest")
                        throw DatabudgieError(.preflight, [summary] + inspection.problems)
                    }
                    return .alreadyThere(manifest)
                }
                try await connection.execute(manifest.definition)
                return .created(manifest)
            }
        }
    }
}
