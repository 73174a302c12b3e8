import Postgres
import Storage

/// The tables of one entry whose definitions are backed up.
struct DefinitionGroup: Sendable {
    let options: TableOptions
    /// In order of schema and name; partitions are included with their root.
    let relations: [Relation]

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
