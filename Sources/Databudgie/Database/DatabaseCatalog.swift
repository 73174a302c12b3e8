import Postgres

/// The tables of a database and how they depend on one another, as read at one moment.
///
/// A pure value: planning works on it without a connection.
struct DatabaseCatalog: Sendable, Equatable {
    typealias OID = Relation.OID

    /// The schema that a name without a dot belongs to: the connection's default schema.
    let defaultSchema: String
    /// In the order of schema and name, so globs expand the same way everywhere.
    let relations: [Relation]
    let foreignKeys: [ForeignKey]
    /// The run's manifest: no glob finds it, because what a run writes is not part of what it moves.
    var manifest: QualifiedName?

    private let positions: [OID: Int]
    /// More than one under a name only when dots in names make `a.b` + `c` and `a` + `b.c` look the same.
    private let namesakes: [[UInt8]: [Int]]

    init(defaultSchema: String, relations: [Relation], foreignKeys: [ForeignKey]) {
        self.defaultSchema = defaultSchema
        self.relations = relations.sorted { $0.name < $1.name }
        self.foreignKeys = foreignKeys
        positions = Dictionary(
            self.relations.enumerated().map { ($0.element.oid, $0.offset) },
            uniquingKeysWith: { first, _ in first }
        )
        namesakes = Dictionary(grouping: self.relations.indices) { [relations = self.relations] in
            // By bytes, as the server compares: names that look alike can differ in Unicode normalisation.
            Array(relations[$0].name.description.utf8)
        }
    }

    subscript(oid: OID) -> Relation? {
        positions[oid].map { relations[$0] }
    }

    /// The relations whose full name, `schema.name`, has these bytes.
    func named(_ fullName: String) -> [Relation] {
        namesakes[Array(fullName.utf8), default: []].map { relations[$0] }
    }

    /// The relation itself, then its parents, grandparents and so on, each once.
    func lineage(of oid: OID) -> [OID] {
        walk(from: oid) { self[$0]?.parents ?? [] }
    }

    /// All children, grandchildren and so on, without the relation itself.
    func descendants(of oid: OID) -> [OID] {
        Array(walk(from: oid) { self[$0]?.children ?? [] }.dropFirst())
    }

    /// The relation with all its ancestors and descendants.
    func family(of oid: OID) -> [OID] {
        lineage(of: oid) + descendants(of: oid)
    }

    private func walk(from oid: OID, next: (OID) -> [OID]) -> [OID] {
        var found = [oid]
        var seen: Set = [oid]
        var index = 0
        while index < found.count {
            for neighbour in next(found[index]) where seen.insert(neighbour).inserted {
                found.append(neighbour)
            }
            index += 1
        }
        return found
    }
}

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
}

/// A column of a relation, in the order of the table.
struct Column: Sendable, Hashable {
    let name: String
    let isNotNull: Bool
    /// True when the server fills in a missing value: there is a default, or it is an identity.
    let hasDefault: Bool
    /// True for `GENERATED ALWAYS AS (…) STORED`: the server refuses values for it.
    let isGenerated: Bool
}

/// A foreign key between two relations.
struct ForeignKey: Sendable, Hashable {
    let name: String
    /// The table that has the constraint.
    let referencing: Relation.OID
    /// The table that the constraint points to.
    let referenced: Relation.OID
    let isDeferrable: Bool
    /// The copy of a partitioned table's constraint at one of its partitions; only the original can be altered.
    let isInherited: Bool
}
