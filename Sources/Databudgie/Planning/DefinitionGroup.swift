import Postgres
import Storage

/// The tables of one or several entries whose definitions are backed up to the same places.
struct DefinitionGroup: Sendable {
    let options: TableOptions
    /// The names and globs of the entries in full, `schema.table`.
    var names: [String]
    /// In order of schema and name; partitions are included with their root.
    var relations: [Relation]
    /// Those of them that only a glob found and that are not tables: views, materialized views, foreign tables.
    var derived: Set<Relation.OID> = []
    /// The schemas that the entries name as a whole.
    var coverage: [SchemaCoverage] = []

    /// Whether the entries name a schema as a whole.
    func covers(_ schema: String) -> Bool { coverage.contains { $0.contains(schema) } }

    /// Where the definitions of a table or schema go.
    ///
    /// - Parameters:
    ///   - name: What stands for the table or schema in a path.
    ///   - timestamp: The moment of the backup.
    /// - Returns: The file's path.
    /// - Throws: ``DatabudgieError`` for a location that is not a path.
    func path(_ name: PathComponent, _ timestamp: RunTimestamp) throws -> StoragePath {
        do {
            return try FileLayout(options).path(.definition, of: name, at: timestamp)
        } catch let error as StorageError {
            throw DatabudgieError(
                .configuration,
                "\(options.place): \(error.message)",
                hint: error.hint,
                underlying: error
            )
        }
    }
}
