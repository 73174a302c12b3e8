/// Why a row is part of a subset, or that it is not.
public struct RowReason: Sendable, Equatable {
    /// A row of the database.
    public struct Row: Sendable, Equatable {
        /// Its table, as reports have it.
        public let table: String
        /// The values of its primary key with commas between them; its address in a table without one.
        public let key: String
        /// Nil: it is not part of the subset.
        public let state: State?

        /// `public.lines:100,1`.
        public var name: String { "\(table):\(key)" }
    }

    /// What a row of a subset is.
    public enum State: String, Sendable {
        /// It is of the start, or belongs to a chosen row.
        case chosen
        /// It is there because others refer to it, or because its table is exported whole.
        case linked
    }

    /// The row by which another one is part of the subset.
    public struct Hop: Sendable, Equatable {
        /// The reference: `public.orders.customer_id`.
        public let reference: String
        /// The reference leads from this row to the other one, and not the other way round.
        public let refers: Bool
        /// The row.
        public let row: Row
    }

    /// Where a chain ends.
    public enum End: String, Sendable {
        /// The subset begins with the row.
        case start
        /// All rows of its table are exported.
        case whole
    }

    /// The row that was asked for.
    public let row: Row
    /// The rows that led to it, from the nearest one.
    public var chain: [Hop] = []
    /// Why the last row of the chain, or the row itself, is there; nil when the row is not part of the subset.
    public var end: End?
}

/// Why rows are part of a subset.
public struct RowReasons: Sendable, Equatable {
    /// The rows of the name, at most ``limit``.
    public let reasons: [RowReason]
    /// There are more rows of the name.
    public let hasMore: Bool

    /// The most rows that are explained.
    public static let limit = 5

    /// All of them are part of the subset.
    public var areIncluded: Bool { reasons.allSatisfy { $0.row.state != nil } }
}
