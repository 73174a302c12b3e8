import Postgres

/// What is known of keys, types and indexes beyond ``DatabaseCatalog``: what a subset needs to follow references.
struct KeyCatalog: Sendable, Equatable {
    typealias OID = Relation.OID

    /// A foreign key; not the copies that the server keeps for partitions.
    struct Reference: Sendable, Hashable {
        let name: String
        let child: OID
        let parent: OID
        /// In the order of the constraint.
        var columns: [Pair]
        /// The server vouches for its rows.
        let isValidated: Bool
        /// `MATCH FULL`: all of its columns are NULL, or none is.
        let isMatchFull: Bool
        /// Of version 18: its last column is a period, and several rows together have all of it.
        var isPeriod = false
    }

    /// A column that refers, the one that it refers to, and how the server compares them.
    struct Pair: Sendable, Hashable {
        let child: String
        let parent: String
        /// As in `OPERATOR(pg_catalog.=)`, the parent on its left.
        let comparison: String
        /// The types that the operator takes, when the columns have others.
        var childCast: String?
        var parentCast: String?
    }

    /// The type of a column.
    struct ColumnType: Sendable, Hashable {
        /// With its modifiers and, unless it is the server's own, its schema: `numeric(10,2)`.
        let name: String
        /// The same without modifiers, for values that are compared with the column's: none is cut off or rounded.
        let plainName: String
        /// The collation, quoted and with its schema; nil when the type has none.
        let collation: String?
        /// The schema of the operator `=` of its default B-tree class, the server's own when it has none.
        let equalitySchema: String
        /// Its text depends on the time zone of the session.
        let dependsOnTimeZone: Bool
    }

    /// A valid index.
    struct Index: Sendable, Hashable {
        /// The columns in their order; nil for an expression.
        var columns: [String?]
        let isPrimary: Bool
        /// It has all rows.
        let isWhole: Bool
        /// It is unique, and two NULLs are equal to it.
        var nullsAreEqual = false
    }

    /// By what a table is partitioned.
    struct PartitionKey: Sendable, Hashable {
        /// The columns in it, also in its expressions.
        let columns: [String]
        /// A row may have NULL there.
        let isHash: Bool
    }

    /// A CHECK constraint that new rows must satisfy.
    struct Check: Sendable, Hashable {
        let name: String
        let columns: [String]
        /// As the server writes it, to be read with an empty search path.
        let expression: String
    }

    let references: [Reference]
    let types: [OID: [ByteKey: ColumnType]]
    let indexes: [OID: [Index]]
    /// Tables whose rows another access method than the server's own keeps, with its name.
    let accessMethods: [OID: String]
    var partitionKeys: [OID: PartitionKey] = [:]
    /// Of each table those that it has itself, be they inherited.
    var checks: [OID: [Check]] = [:]

    /// The columns of the primary key, in their order; empty without one.
    func primaryKey(of table: OID) -> [String] {
        indexes[table, default: []].first(where: \.isPrimary)?.columns.compactMap(\.self) ?? []
    }

    /// Whether an index helps to find rows by values of columns.
    ///
    /// - Parameters:
    ///   - table: The table.
    ///   - columns: The columns that are compared.
    /// - Returns: True when one of them leads an index.
    func hasIndex(on table: OID, leadingWith columns: [String]) -> Bool {
        indexes[table, default: []].contains { index in
            guard index.isWhole, let first = index.columns.first, let first else { return false }
            return columns.contains { $0.hasBytes(of: first) }
        }
    }
}
