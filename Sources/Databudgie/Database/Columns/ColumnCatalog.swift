import Postgres

/// What is known of the columns of all tables: their types, and what the database promises about their values.
///
/// A pure value, like ``DatabaseCatalog``, of the same moment; only runs with masks read it.
struct ColumnCatalog: Sendable {
    typealias OID = Relation.OID

    /// A column of a relation.
    struct ID: Sendable, Hashable, Comparable {
        let relation: OID
        /// `pg_attribute.attnum`.
        let number: Int

        static func < (first: ID, second: ID) -> Bool {
            (first.relation, first.number) < (second.relation, second.number)
        }
    }

    /// The columns of each relation, in the order of the table.
    let columns: [OID: [ColumnFacts]]
    /// Unique indexes and exclusion constraints.
    let uniqueIndexes: [UniqueIndex]
    /// Columns whose values are those of other columns: of foreign keys, and of parents by inheritance.
    let links: [ColumnLink]
    /// CHECK constraints of tables.
    let checks: [CheckConstraint]

    private let positions: [ID: Int]

    init(
        columns: [OID: [ColumnFacts]],
        uniqueIndexes: [UniqueIndex] = [],
        links: [ColumnLink] = [],
        checks: [CheckConstraint] = []
    ) {
        (self.columns, self.uniqueIndexes, self.links, self.checks) = (columns, uniqueIndexes, links, checks)
        var positions: [ID: Int] = [:]
        for (relation, facts) in columns {
            for (index, column) in facts.enumerated() {
                positions[ID(relation: relation, number: column.number)] = index
            }
        }
        self.positions = positions
    }

    subscript(id: ID) -> ColumnFacts? {
        positions[id].flatMap { columns[id.relation]?[$0] }
    }
}

/// What the catalog says of a column.
struct ColumnFacts: Sendable, Equatable {
    let number: Int
    let name: String
    let type: ColumnType
    /// The column or a domain of its type refuses nulls.
    let isNotNull: Bool
    let isGenerated: Bool
    let isIdentity: Bool
    /// A sequence belongs to it, as to `serial`.
    let ownsSequence: Bool
    /// The rows are distributed by it.
    let isPartitionKey: Bool
    /// The domain of its type, in quotes where needed; nil when it has none.
    let domain: String?
    let comment: String?
}

/// A type, without the domains around it.
struct ColumnType: Sendable, Equatable {
    /// `pg_type.typtype` (PostgreSQL documentation, chapter "pg_type").
    enum Kind: String, Sendable {
        case base = "b"
        case composite = "c"
        case domain = "d"
        case enumeration = "e"
        case pseudo = "p"
        case range = "r"
        case multirange = "m"
    }

    /// The type's name alone: `varchar`.
    let name: String
    /// Its name with its schema, in quotes where needed, for casts: `pg_catalog."varchar"`.
    let qualified: String
    let kind: Kind
    /// `pg_attribute.atttypmod`, that of a domain where the column has none; -1 for none.
    let modifier: Int
    /// The labels of an enum, in their order.
    var labels: [String] = []
    /// The type of an array's elements, with the modifier of the array.
    var element: Element?

    /// The type of an array's elements.
    struct Element: Sendable, Equatable {
        let name: String
        let qualified: String
        let kind: Kind
        var labels: [String] = []
    }
}

/// A unique index, or the index of an exclusion constraint.
struct UniqueIndex: Sendable, Equatable {
    let name: String
    let relation: Relation.OID
    /// The columns that are compared, or are in what is compared: not those of INCLUDE.
    let columns: [Int]
    /// Nothing but columns are compared, in all rows.
    let isPlain: Bool
    let isPrimary: Bool
    /// Two nulls are equal to it.
    let nullsAreEqual: Bool
}

/// Two columns with the same values.
struct ColumnLink: Sendable, Equatable {
    /// The column of the referencing table, or of the child.
    let from: ColumnCatalog.ID
    /// The column of the referenced table, or of the parent.
    let to: ColumnCatalog.ID
    /// The name of the foreign key or the reference; nil for inheritance.
    let key: String?
    /// The referencing column is an array of such values.
    var isOfElements = false
}

/// A CHECK constraint of a table.
struct CheckConstraint: Sendable, Equatable {
    let name: String
    let relation: Relation.OID
    /// The columns in it.
    let columns: [Int]
    /// The expression, as the server writes it.
    let expression: String
}
