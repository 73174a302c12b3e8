/// Settings of `databudgie restore`.
public struct RestoreConfiguration: Sendable {
    /// What backup and restore have in common.
    public var run: RunConfiguration
    /// In order of appearance; entries without a name are left out, as they cannot be restored.
    public var tables: [RestoreEntry]
    /// Nobody is asked for a confirmation (`--yes`).
    public var assumesYes: Bool = false
}

/// One entry of `restore.tables`.
public struct RestoreEntry: Sendable {
    /// What every entry has.
    public var options: TableOptions
    /// How the file is chosen; nil: the default strategy.
    public var strategy: RestoreStrategy?
    /// What happens to the rows that are there.
    public var truncate: TruncateMode
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
