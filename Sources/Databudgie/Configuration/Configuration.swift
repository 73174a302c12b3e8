public import Compression
public import Postgres
public import Storage

/// The validated settings of a run: what every later stage reads, and nothing else.
public struct Configuration: Sendable {
    /// The name of the environment the run belongs to, for reports (`environment`).
    public var environment: String?
    /// How much is logged (`logging`).
    public var logging: LoggingConfiguration
    /// Where failures are reported (`sentry`).
    public var sentry: SentryConfiguration?
    /// Settings of `databudgie backup`.
    public var backup: BackupConfiguration
    /// Settings of `databudgie restore`.
    public var restore: RestoreConfiguration
}

/// Settings of the `logging` key.
public struct LoggingConfiguration: Sendable, Equatable {
    public var enabled: Bool = true
    /// A level's name as Python's logging knows it: DEBUG, INFO, WARNING, ERROR, CRITICAL.
    public var level: String = "INFO"
}

/// Settings of the `sentry` key.
public struct SentryConfiguration: Sendable, Equatable {
    public var dsn: String
    public var version: String?
}

/// What backup and restore have in common.
public struct RunConfiguration: Sendable {
    /// The database to connect to; nil when neither `url` nor `connection` is set.
    public var connection: ConnectionParameters?
    /// Credentials and endpoint of S3 locations (`s3`).
    public var s3: S3Options
    /// The audit table's name, `schema.table` (`manifest`).
    public var manifest: String?
    /// Seconds after which the server ends an idle transaction of ours; nil leaves it without limit.
    public var idleInTransactionTimeout: Double?
    /// The whole run stops at the first failed table (`strict` at this command's level or above it).
    public var strict: Bool
    public var ddl: DDLConfiguration
}

/// Settings of the `ddl` key.
public struct DDLConfiguration: Sendable, Equatable {
    public var enabled: Bool = false
    /// Composed under `root_location`.
    public var location: String = "backups/ddl"
    public var filename: Template
    public var clean: Bool = false
    public var strategy: RestoreStrategy?
}

/// Settings of `databudgie backup`.
public struct BackupConfiguration: Sendable {
    public var run: RunConfiguration
    /// In order of appearance.
    public var tables: [BackupEntry]
}

/// Settings of `databudgie restore`.
public struct RestoreConfiguration: Sendable {
    public var run: RunConfiguration
    /// In order of appearance; entries without a name are left out, as they cannot be restored.
    public var tables: [RestoreEntry]
}

/// What every entry of `tables` has, on either side.
public struct TableOptions: Sendable {
    /// An exact name or a glob over `schema.table`; nil for an unnamed query.
    public var name: String?
    /// The folder of the data files, composed under `root_location`.
    public var location: Template
    public var filename: Template
    /// Globs; one without a dot matches the bare table name in any schema.
    public var exclude: [String]
    public var ddl: Bool
    public var sequences: Bool
    public var data: Bool
    public var followForeignKeys: Bool
    public var strict: Bool
    /// Where the entry stands, for messages: `databudgie.yml:12`, or `--table`.
    public var place: String
    /// `location` was given for this entry or at a level above it, rather than defaulted.
    public var hasExplicitLocation: Bool
}

/// One entry of `backup.tables`.
public struct BackupEntry: Sendable {
    public var options: TableOptions
    /// `select * from {table}` unless given.
    public var query: Template
    public var hasExplicitQuery: Bool
    public var compression: CompressionFormat?
    public var skipIfExists: Bool
}

/// One entry of `restore.tables`.
public struct RestoreEntry: Sendable {
    public var options: TableOptions
    /// nil: the default strategy.
    public var strategy: RestoreStrategy?
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
