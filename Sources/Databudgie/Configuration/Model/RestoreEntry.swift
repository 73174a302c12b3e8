/// One entry of `restore.tables`.
public struct RestoreEntry: Sendable, Equatable {
    /// What every entry has.
    public var options: TableOptions
    /// How the file is chosen; nil: the default strategy.
    public var strategy: RestoreStrategy?
    /// What happens to the rows that are there.
    public var truncate: TruncateMode

    /// Describes an entry.
    ///
    /// - Parameters:
    ///   - options: What every entry has.
    ///   - strategy: How the file is chosen; nil: the default strategy.
    ///   - truncate: What happens to the rows that are there.
    public init(options: TableOptions, strategy: RestoreStrategy? = nil, truncate: TruncateMode = .keep) {
        self.options = options
        self.strategy = strategy
        self.truncate = truncate
    }
}
