public import Compression

/// One entry of `restore.tables`.
public struct RestoreEntry: Sendable, Equatable {
    /// What every entry has.
    public var options: TableOptions
    /// How the file is chosen; nil: the default strategy.
    public var strategy: RestoreStrategy?
    /// Which of several files of one moment is read; any compression is understood.
    public var compression: CompressionFormat?
    /// What happens to the rows that are there.
    public var mode: LoadMode
    /// With ``LoadMode/replace`` also the tables that refer to this one are emptied (`truncate: cascade`).
    public var emptiesReferrers: Bool
    /// The key by which rows are recognized when they are updated or skipped; empty: the primary key, or for
    /// ``LoadMode/skipExisting`` any unique key.
    public var conflictColumns: [String]
    /// What becomes of columns of the file that the table lacks.
    public var extraColumns: ExtraColumns
    /// What becomes of columns of the table that the file lacks; nil: they get their defaults, with a warning.
    public var missingColumns: MissingColumns?
    /// Whether triggers of the target fire for the rows.
    public var triggers: TriggerMode
    /// Whether its indexes and unique keys are built after the rows.
    public var indexes: RebuildMode
    /// Whether its foreign keys, and those that point to it, are checked after the rows.
    public var foreignKeys: RebuildMode
    /// Under which other names tables are restored; the entry names them as the backup does.
    public var renaming: Renaming
    /// How many rows the server may refuse before the table fails; they go to a file.
    public var maxRejects: Int
    /// The query by which the rows were exported, as it is written; it tells two entries of one table apart.
    public var query: String?

    /// Describes an entry.
    ///
    /// - Parameters:
    ///   - options: What every entry has.
    ///   - strategy: How the file is chosen; nil: the default strategy.
    ///   - compression: Which of several files of one moment is read; nil: the plain one.
    ///   - truncate: Whether the rows that are there are removed first, if `mode` does not say so.
    ///   - mode: What happens to the rows that are there; nil: they stay, or are removed if `truncate` says so.
    ///   - conflictColumns: The key by which rows are recognized; empty: the primary key, or any unique key.
    ///   - extraColumns: What becomes of columns of the file that the table lacks.
    ///   - missingColumns: What becomes of columns of the table that the file lacks; nil: they get their defaults, with a
    ///     warning.
    ///   - triggers: Whether triggers of the target fire for the rows.
    ///   - indexes: Whether its indexes and unique keys are built after the rows.
    ///   - foreignKeys: Whether its foreign keys, and those that point to it, are checked after the rows.
    ///   - renaming: Under which other names tables are restored.
    ///   - maxRejects: How many rows the server may refuse before the table fails.
    ///   - query: The query by which the rows were exported; nil: `select * from {table}`.
    public init(
        options: TableOptions,
        strategy: RestoreStrategy? = nil,
        compression: CompressionFormat? = nil,
        truncate: TruncateMode = .keep,
        mode: LoadMode? = nil,
        conflictColumns: [String] = [],
        extraColumns: ExtraColumns = .error,
        missingColumns: MissingColumns? = nil,
        triggers: TriggerMode = .automatic,
        indexes: RebuildMode = .automatic,
        foreignKeys: RebuildMode = .automatic,
        renaming: Renaming = Renaming(),
        maxRejects: Int = 0,
        query: String? = nil
    ) {
        self.options = options
        self.strategy = strategy
        self.compression = compression
        self.mode = mode ?? (truncate == .keep ? .append : .replace)
        emptiesReferrers = truncate == .cascade
        self.conflictColumns = conflictColumns
        self.extraColumns = extraColumns
        self.missingColumns = missingColumns
        self.triggers = triggers
        self.indexes = indexes
        self.foreignKeys = foreignKeys
        self.renaming = renaming
        self.maxRejects = maxRejects
        self.query = query
    }
}

extension RestoreEntry {
    /// What is emptied before the load.
    public var truncate: TruncateMode {
        guard mode == .replace else { return .keep }
        return emptiesReferrers ? .cascade : .truncate
    }

    /// Whether two entries read what one and the same query has exported.
    func hasSameQuery(as other: RestoreEntry) -> Bool {
        (query ?? Defaults.query.description).hasBytes(of: other.query ?? Defaults.query.description)
    }
}
