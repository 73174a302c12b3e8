import Storage

/// What ``Prune`` would do: which sets stay and why, and what would be removed.
public struct PrunePlan: Sendable {
    /// What becomes of a set.
    public struct PlannedSet: Sendable {
        /// The set's id.
        public let id: String
        /// `complete`, `partial` or `superseded`; `running` for a run that is under way,
        /// `crashed` for one that was killed.
        public let status: String
        /// Why it is kept; nothing when it is removed.
        public let reasons: [RetentionReason]
        /// How many files it has; of a set that is removed, how many are removed with it.
        public let files: Int
        /// The bytes of these files.
        public let size: Int64

        /// Whether it stays.
        public var isKept: Bool { !reasons.isEmpty }
    }

    /// All sets, the newest first.
    public let sets: [PlannedSet]
    /// What no set names, sorted by place; nothing unless it was asked for.
    public let orphans: [Orphan]
    /// What the user should know before anything is removed.
    public let warnings: [Finding]
    /// What is removed, the oldest set first.
    let deletions: [SetDeletion]
    /// The catalog as it was when the plan was made.
    let catalog: [SetCatalog.Entry]

    /// The sets that are removed, the newest first.
    public var removedSets: [PlannedSet] { sets.filter { !$0.isKept } }
    /// Nothing is removed.
    public var isEmpty: Bool { deletions.isEmpty && orphans.isEmpty }
    /// How many files are removed, records not counted.
    public var removedFiles: Int { deletions.reduce(0) { $0 + $1.files.count } + orphans.count }
    /// How many bytes are removed, those of records not counted.
    public var removedSize: Int64 {
        deletions.reduce(0) { $0 + $1.size } + orphans.reduce(0) { $0 + $1.size }
    }
}

/// What a removed set takes with it: first its record, then these files.
struct SetDeletion: Sendable {
    let id: String
    /// The record first.
    let records: [StoragePath]
    /// The files that no set names after this one is gone.
    let files: [StoragePath]
    /// The bytes of the files.
    let size: Int64
}
