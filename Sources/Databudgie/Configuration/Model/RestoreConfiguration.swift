/// Settings of `databudgie restore`.
public struct RestoreConfiguration: Sendable, Equatable {
    /// What backup and restore have in common.
    public var run: RunConfiguration
    /// What is restored, in order of appearance; entries without a name are not in it, because they cannot be restored.
    public var tables: [RestoreEntry]
    /// No confirmation is asked for (`--yes`).
    public var assumesYes: Bool

    /// Gathers settings.
    ///
    /// - Parameters:
    ///   - run: What backup and restore have in common.
    ///   - tables: What is restored; each entry has a name.
    ///   - assumesYes: No confirmation is asked for.
    public init(run: RunConfiguration = RunConfiguration(), tables: [RestoreEntry] = [], assumesYes: Bool = false) {
        self.run = run
        self.tables = tables
        self.assumesYes = assumesYes
    }
}

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

/// How a restore chooses the file to read.
public enum RestoreStrategy: String, Sendable, CaseIterable {
    /// The newest `{timestamp}` or `{date}` in the name.
    case useLatestFilename = "use_latest_filename"
    /// The newest modification time.
    case useLatestMetadata = "use_latest_metadata"
    /// The newest complete backup set; not supported yet.
    case useLatestSet = "use_latest_set"
}

/// What happens to the target's rows before a load.
public enum TruncateMode: String, Sendable {
    /// Rows stay (`truncate: false`).
    case keep
    /// The listed tables are emptied; never one that is not listed (`truncate: true`).
    case truncate
    /// Also the tables that refer to a listed one (`truncate: cascade`).
    case cascade
}
