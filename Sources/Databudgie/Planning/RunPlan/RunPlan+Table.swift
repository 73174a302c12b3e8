extension RunPlan {
    /// The rows, or the sequences, of one table, or the rows of one query.
    public struct Table: Sendable {
        /// Which job it is.
        public let job: JobID
        /// The schema; nil for a query that is not a table's.
        public var schema: String?
        /// The name without the schema; nil for a query that is not a table's.
        public var name: String?
        /// The table's name in the backup, if a restore gives it another one.
        public var storedName: String?
        /// A table, a view and so on; nil for a query that is not a table's.
        public var relationKind: String?
        /// Why it is part of the run.
        public let reason: SelectionReason
        /// Where the entry is: `databudgie.yml:4`.
        public let place: String
        /// The query of the user; nil when the rows are those of the table.
        public var query: String?
        /// Rows that are expected: by the statistics of the server, or by the record of a set; nil when nothing is known.
        public var rows: Int?
        /// The size of the table without its indexes, or of its data file as stored, in bytes; nil when it is not known.
        public var bytes: Int64?
        /// The data file; for a job of sequences only, the file with their values.
        public let file: String
        /// The sequences whose values are written, or set, along with the rows.
        public var sequences: [String] = []
        /// The file with these values.
        public var sequencesFile: String?
        /// What becomes of its columns in a backup with masks; nil otherwise.
        public var masks: Masks?
        /// What a restore does with the table; nil in a backup.
        public var load: Load?
        /// Which of its rows a subset has; nil when there is none, and in a restore.
        public var subset: SubsetRows?
    }

    /// The rows of a table that are part of a subset.
    public struct SubsetRows: Sendable {
        /// How many are chosen.
        public var chosen: Int
        /// How many are there because others refer to them; nil when all rows of the table are exported.
        public var linked: Int?
        /// How many rows the table has, by the statistics of the server; nil when nothing is known.
        public var total: Int?
        /// What brought them; nothing for a partition on its own.
        public var sources: [SubsetSource] = []
    }

    /// What has brought rows into a subset.
    public struct SubsetSource: Sendable, Hashable {
        /// The kind of a source.
        public enum Kind: String, Sendable {
            /// The subset begins with them.
            case start
            /// They refer to chosen rows.
            case children
            /// Other rows of the subset refer to them.
            case parents
            /// All rows of the table are exported.
            case whole
        }

        /// The kind.
        public let kind: Kind
        /// The reference, `public.orders.customer_id`; nil for the start and for whole tables.
        public var reference: String?
        /// How many rows it has brought that were not there before; nil for a whole table.
        public var rows: Int?
    }

    /// What becomes of the columns of a table that is exported.
    public struct Masks: Sendable, Hashable {
        /// Its columns, without those that the server computes again.
        public let columns: Int
        /// Those that are masked.
        public let masked: Int
        /// Those that rules keep; all others are exported as they are, without a rule.
        public let kept: Int
    }

    /// How a table is loaded.
    public struct Load: Sendable {
        /// The number of its group, from 0.
        public let group: Int
        /// What becomes of the rows that are there.
        public let mode: LoadMode
        /// What is emptied before the load.
        public let truncate: TruncateMode
        /// The key by which rows are recognized that are updated or skipped; empty: any unique key, or none is needed.
        public var keyColumns: [String] = []
        /// How many rows of the file the server may refuse.
        public var maxRejects = 0
        /// Rows that are there, by the statistics of the server; nil when nothing is known.
        public var existingRows: Int?
        /// The run creates the table.
        public let isNew: Bool
        /// Triggers that fire for the rows.
        public let firingTriggers: [String]
        /// Triggers that are off while the rows are loaded.
        public let disabledTriggers: [String]
    }

    /// Tables that are restored in one transaction.
    public struct Group: Sendable {
        /// Its number, from 0.
        public let number: Int
        /// Its tables, in the order of their loads.
        public let tables: [JobID]
        /// Why they are together; nothing for a single table.
        public let bonds: [LoadBond]
        /// All tables that TRUNCATE names, partitions with their root.
        public var truncated: [String] = []
        /// Those of them that no entry names, and that `truncate: cascade` empties.
        public var cascaded: [String] = []
        /// Those of them that are named because they refer to the others, and that must have no rows.
        public var emptyReferrers: [String] = []
        /// The foreign keys by which TRUNCATE reaches the tables that are not loaded.
        public var reach: [Reach] = []
        /// Constraints that are checked at the end of the transaction.
        public var deferredKeys: [KeyReference] = []
        /// The numbers of the groups that it refers to: it is not restored when one of them fails.
        public var references: [Int] = []
        /// The locks that its transaction takes.
        public var locks: [Lock] = []
    }

    /// A foreign key by which TRUNCATE reaches a table.
    public struct Reach: Sendable {
        /// The table that has to be emptied too, as TRUNCATE names it.
        public let table: String
        /// The table that it refers to, likewise.
        public let referenced: String
        /// The table that has the key, with its columns.
        public let key: KeyReference
    }
}
