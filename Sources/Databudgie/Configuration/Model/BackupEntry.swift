public import Compression

/// One entry of `backup.tables`.
public struct BackupEntry: Sendable, Equatable {
    /// What every entry has.
    public var options: TableOptions
    /// What is exported: `select * from {table}` unless given.
    public var query: Template
    /// `query` was given for this entry or at a level above it, rather than defaulted.
    public var hasExplicitQuery: Bool
    /// How the data files are compressed; nil leaves them plain.
    public var compression: CompressionFormat?
    /// How hard they are compressed, one of the format's `levels`; nil: its standard one.
    public var compressionLevel: Int?
    /// A table that already has a data file is skipped.
    public var skipsIfExists: Bool
    /// Row-level security filters what is exported; otherwise a policy that would is an error.
    public var appliesRowSecurity: Bool

    /// Describes an entry.
    ///
    /// - Parameters:
    ///   - options: What every entry has.
    ///   - query: What is exported; nil: `select * from {table}`.
    ///   - compression: How the data files are compressed; nil leaves them plain.
    ///   - compressionLevel: How hard they are compressed, one of the format's `levels`; nil: its standard one.
    ///   - skipsIfExists: A table that already has a data file is skipped.
    ///   - appliesRowSecurity: Row-level security filters what is exported; otherwise a policy that would is an error.
    public init(
        options: TableOptions,
        query: Template? = nil,
        compression: CompressionFormat? = nil,
        compressionLevel: Int? = nil,
        skipsIfExists: Bool = false,
        appliesRowSecurity: Bool = false
    ) {
        self.options = options
        self.query = query ?? Defaults.query
        hasExplicitQuery = query != nil
        self.compression = compression
        self.compressionLevel = compressionLevel
        self.skipsIfExists = skipsIfExists
        self.appliesRowSecurity = appliesRowSecurity
    }
}
