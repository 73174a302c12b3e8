import Postgres

/// A table or something that can be read like one.
struct Relation: Sendable, Hashable {
    typealias OID = UInt32

    /// `pg_class.relkind` (PostgreSQL documentation, chapter "pg_class").
    enum Kind: String, Sendable {
        case table = "r"
        case partitionedTable = "p"
        case view = "v"
        case materializedView = "m"
        case foreignTable = "f"

        /// The others have to be named in full.
        var isFoundByGlobs: Bool { self == .table || self == .partitionedTable }

        /// Its rows are those of other tables.
        var isDerived: Bool { self == .view || self == .materializedView }

        /// What an error message calls it.
        var noun: String {
            switch self {
            case .table: "table"
            case .partitionedTable: "partitioned table"
            case .view: "view"
            case .materializedView: "materialized view"
            case .foreignTable: "foreign table"
            }
        }
    }

    let oid: OID
    let name: QualifiedName
    let kind: Kind
    /// True for a partition, false for a child by plain inheritance.
    let isPartition: Bool
    /// What it inherits from: one parent for a partition, any number for inheritance.
    let parents: [OID]
    let children: [OID]
    let columns: [Column]
    /// `pg_class.reltuples`; nil when the table was never vacuumed or analysed.
    let estimatedRows: Int?
    /// The sequences that its columns own or have in their defaults, identity columns included.
    let sequences: [TableSequence]
    /// Whether the connected role can read all of it (SELECT on the table, USAGE on its schema).
    let isReadable: Bool
    /// Created by `CREATE EXTENSION`, so globs do not find it.
    var isExtensionMember = false
    /// False for a materialized view without data, which cannot be read.
    var isPopulated = true
}
