import Postgres
import Storage

/// The definitions that a restore runs, as they were found in files.
struct StoredDefinitions: Sendable {
    /// The tables and views that are created, in the order of the backup's list.
    var listed: [QualifiedName]
    /// All definitions, each once, in the order in which they are run.
    var definitions: [StoredDefinition]
    /// Entries for the tables that are included by foreign keys.
    var included: [RestoreEntry] = []

    /// The partitions among them, whose rows are restored with their root.
    var partitions: Set<QualifiedName> {
        Set(definitions.filter { $0.definition.type == "TABLE ATTACH" }.compactMap(\.definition.relation))
    }

    /// The views among them, which have no rows of their own.
    var derived: Set<QualifiedName> {
        Set(
            definitions.filter { $0.definition.type.hasSuffix("VIEW") || $0.definition.type == "MATERIALIZED" }
                .compactMap(
                    \.definition.relation
                )
        )
    }
}

/// A definition and the file that it is in.
struct StoredDefinition: Sendable {
    let definition: Definition
    let path: StoragePath
}
