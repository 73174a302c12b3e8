import Postgres
import Storage

/// The definitions that a restore makes, as they were found in files.
struct StoredDefinitions: Sendable {
    /// The tables and views that are made anew, in the order of the backup's list.
    var listed: [QualifiedName]
    /// All definitions, each once, in the order in which they are run.
    var blocks: [StoredDefinition]
    /// Entries for the tables that come along with those of the configuration.
    var included: [RestoreEntry] = []

    /// The partitions among them, whose rows come with their root.
    var partitions: Set<QualifiedName> {
        Set(blocks.filter { $0.block.type == "TABLE ATTACH" }.compactMap(\.block.relation))
    }

    /// The views among them, which have no rows of their own.
    var derived: Set<QualifiedName> {
        Set(
            blocks.filter { $0.block.type.hasSuffix("VIEW") || $0.block.type == "MATERIALIZED" }.compactMap(
                \.block.relation
            )
        )
    }
}

/// A definition and the file that it stands in.
struct StoredDefinition: Sendable {
    let block: Definition
    let path: StoragePath
}
