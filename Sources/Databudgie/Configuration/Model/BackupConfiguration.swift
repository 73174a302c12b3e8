public import Compression

/// Settings of `databudgie backup`.
public struct BackupConfiguration: Sendable {
    /// What backup and restore have in common.
    public var run: RunConfiguration
    /// In order of appearance.
    public var tables: [BackupEntry]
}

/// One entry of `backup.tables`.
public struct BackupEntry: Sendable {
    /// What every entry has.
    public var options: TableOptions
    /// What is exported: `select * from {table}` unless given.
    public var query: Template
    /// `query` was given for this entry or at a level above it, rather than defaulted.
    public var hasExplicitQuery: Bool
    /// How the data files are compressed; nil leaves them plain.
    public var compression: CompressionFormat?
    /// A table that has a data file already is left out.
    public var skipIfExists: Bool
}
