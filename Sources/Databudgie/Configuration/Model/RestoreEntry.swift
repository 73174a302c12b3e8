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
    public var truncate: TruncateMode
    /// Whether triggers of the target fire for the rows.
    public var triggers: TriggerMode
    /// The query by which the rows were exported, as it is written; it tells two entries of one table apart.
    public var query: String?

    /// Describes an entry.
    ///
    /// - Parameters:
    ///   - options: What every entry has.
    ///   - strategy: How the file is chosen; nil: the default strategy.
    ///   - compression: Which of several files of one moment is read; nil: the plain one.
    ///   - truncate: What happens to the rows that are there.
    ///   - triggers: Whether triggers of the target fire for the rows.
    ///   - query: The query by which the rows were exported; nil: `select * from {table}`.
    public init(
        options: TableOptions,
        strategy: RestoreStrategy? = nil,
        compression: CompressionFormat? = nil,
        truncate: TruncateMode = .keep,
        triggers: TriggerMode = .automatic,
        query: String? = nil
    ) {
        self.options = options
        self.strategy = strategy
        self.compression = compression
        self.truncate = truncate
        self.triggers = triggers
        self.query = query
    }
}

extension RestoreEntry {
    /// Whether two entries read what one and the same query has exported.
    func hasSameQuery(as other: RestoreEntry) -> Bool {
        (query ?? Defaults.query.description).hasBytes(of: other.query ?? Defaults.query.description)
    }
}
