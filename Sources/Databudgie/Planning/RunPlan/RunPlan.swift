/// What a backup or a restore would do, and why: its real plan, of which nothing is carried out.
///
/// ``BackupRun/plan(onEvent:)`` and ``RestoreRun/plan(onEvent:)`` compute it.
public struct RunPlan: Sendable {
    /// What the run would do.
    public let kind: RunKind
    /// The database that is read or loaded, without its password.
    public let database: String
    /// The set that would be written or is read; nil when there is none.
    public var set: BackupSet?
    /// The manifest table in which finished tables would be recorded; nil without one.
    public var manifest: String?
    /// The run in the manifest that would be resumed.
    public var resumedRun: Int?
    /// All of a restore is one transaction, and not each group on its own.
    public var isOneTransaction = false
    /// What is exported or loaded, in the order of execution.
    public var tables: [Table] = []
    /// What a restore does in one transaction each, in the order of execution.
    public var groups: [Group] = []
    /// The foreign keys among the tables, which decide their order.
    public var foreignKeys: [Key] = []
    /// Tables that refer to one another in a cycle, so that their order is that of their entries.
    public var cycles: [[JobID]] = []
    /// Tables and views whose definitions would be written, or run.
    public var definitions: [Definition] = []
    /// What entries match and the run does not touch.
    public var excluded: [Exclusion] = []
    /// The locks that the run holds on tables.
    public var locks: [Lock] = []
    /// What the run skips, as it reports it.
    public var skipped: [SkippedJob] = []
    /// What would fail, as the run reports it.
    public var failures: [JobFailure] = []
    /// The columns of a subset's references that lead no index, as in `public.messages(sender_id)`: each pass over such a
    /// reference reads the table.
    public var columnsWithoutIndex: [String] = []
    /// What else the run reports: warnings, and details.
    public var findings: [Finding] = []

    init(_ kind: RunKind, database: String) {
        self.kind = kind
        self.database = database
    }

    /// Nothing is known that would fail.
    public var isWithoutProblems: Bool { failures.isEmpty && !findings.contains { $0.kind == .problem } }
}

extension RunPlan {
    /// A backup set.
    public struct BackupSet: Sendable {
        /// Its id: in a backup that of a run which begins at the moment of the plan.
        public let id: String
        /// The folder of its record.
        public let catalog: String
        /// Why a restore reads this one; nil in a backup.
        public var reason: String?
        /// How many tables and queries have data files in it; nil in a backup.
        public var tables: Int?
    }

    /// A table or view whose definition is part of the run.
    public struct Definition: Sendable {
        /// Its name, as reports have it.
        public let table: String
        /// The file that it is written to; nil in a restore.
        public var file: String?
        /// A restore drops what is there, and creates it again.
        public var replaces = false
    }

    /// A table that an entry matches and the run does not touch on its own.
    public struct Exclusion: Sendable {
        /// Its name, as reports have it.
        public let table: String
        /// Why: `exclude 'public.log_*'`.
        public let reason: String
    }

    /// A lock on a table.
    public struct Lock: Sendable, Hashable {
        /// The table's name, as reports have it.
        public let table: String
        /// As SQL writes it (PostgreSQL documentation, "Explicit Locking"): `ACCESS SHARE`.
        public let mode: String
    }

    /// A foreign key between tables of the run.
    public struct Key: Sendable {
        /// The job that has rows of the referencing table.
        public let job: JobID
        /// The job that has rows of the referenced table.
        public let referenced: JobID
        /// The table that has the key, with its columns.
        public let key: KeyReference
    }
}
