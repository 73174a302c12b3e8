public import Postgres
public import Storage

/// What backup and restore have in common.
public struct RunConfiguration: Sendable {
    /// The database to connect to; nil when neither `url` nor `connection` is set.
    public var connection: ConnectionParameters?
    /// All named connections, in the order of their appearance (`connections`).
    public var connections: [NamedConnection] = []
    /// Credentials and endpoint of S3 locations (`s3`).
    public var s3: S3Options
    /// The audit table's name, `schema.table` (`manifest`).
    public var manifest: String?
    /// The folder that all locations were composed under (`root_location`).
    public var rootLocation: String?
    /// Seconds after which the server ends an idle transaction of ours; nil leaves it without limit.
    public var idleInTransactionTimeout: Double?
    /// The whole run stops at the first failed table (`strict` at this command's level or above it).
    public var strict: Bool
    /// Settings of the `ddl` key.
    public var definitions: DefinitionConfiguration
    /// Nothing is written (`--dry-run`).
    public var isDryRun: Bool = false
    /// A summary is printed at the end (`--stats`; a dry run implies it).
    public var showsStatistics: Bool = false
    /// The manifest's transaction id of this run (`--backup-id`, `--restore-id`); nil takes a new one.
    public var resumeID: Int?
    /// What the configuration asks for and this version cannot do, one line each, with its place.
    var unsupportedFeatures: [String] = []
}

/// One of `connections`.
public struct NamedConnection: Sendable, Equatable {
    /// The name that `connection` and `--connection` select it by.
    public var name: String
    /// How to connect.
    public var parameters: ConnectionParameters
}

/// Settings of the `ddl` key.
public struct DefinitionConfiguration: Sendable, Equatable {
    /// Definitions of tables and schemas are a part of the run.
    public var enabled: Bool = false
    /// The folder of the list of tables, composed under `root_location`.
    public var location: Template
    /// The name of each file.
    public var filename: Template
    /// Restore: the database is dropped and created again first.
    public var clean: Bool = false
    /// How a restore chooses the files; nil: the default strategy.
    public var strategy: RestoreStrategy?
}
