/// What a comparison of two databases, or of a set and a database, has found.
public struct ComparisonReport: Sendable {
    /// The id of the set that was compared; nil when it was the source.
    public internal(set) var set: String?
    /// The tables, in the order of their names.
    public let tables: [ComparedTable]
    /// What was not compared, and why.
    public let notes: [Finding]

    /// Nothing differs.
    public var isEqual: Bool { tables.allSatisfy(\.differences.isEmpty) }
}

/// A table of two databases, or of a set and a database, which takes the place of the source then.
public struct ComparedTable: Sendable {
    /// The table's full name, `schema.name`.
    public let name: String
    /// Rows in the source; nil when the table is not there.
    public internal(set) var sourceRows: Int?
    /// Rows in the target; nil when the table is not there.
    public internal(set) var targetRows: Int?
    /// What differs, one sentence each; nothing when the table is the same in both.
    public internal(set) var differences: [String] = []
    /// Up to five primary keys whose rows differ, as the server writes a row: `(7,2026-01-01)`.
    public internal(set) var keys: [DifferingKey] = []
}

/// A primary key whose row differs.
public struct DifferingKey: Sendable, Hashable {
    /// How its rows differ.
    public enum Difference: String, Sendable {
        /// The target has no row under the key.
        case onlyInSource = "only in the source"
        /// The source has no row under the key.
        case onlyInTarget = "only in the target"
        /// Both have a row, with other values.
        case different
    }

    /// The values of the key's columns, as the server writes a row.
    public let key: String
    /// How its rows differ.
    public let difference: Difference
}
