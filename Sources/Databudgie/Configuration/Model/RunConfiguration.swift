public import Postgres
public import Storage

/// What backup and restore have in common.
public struct RunConfiguration: Sendable, Equatable {
    /// The database to connect to; nil when neither `url` nor `connection` is set.
    public var connection: ConnectionParameters?
    /// All named connections, in the order of their appearance (`connections`).
    public var connections: [NamedConnection]
    /// Credentials and endpoint of S3 locations (`s3`).
    public var s3: S3Options
    /// The audit table's name, `schema.table` (`manifest`).
    public var manifest: String?
    /// The folder that all locations were composed under (`root_location`); for display: locations include it already.
    public var rootLocation: String?
    /// The folder of the set records (`catalog`); nil: in the deepest folder that holds all locations.
    public var catalog: StoragePath?
    /// Seconds after which the server ends an idle transaction of ours; nil sets no limit.
    public var idleInTransactionTimeout: Double?
    /// The whole run stops at the first failed table (`strict` at this command's level or above it).
    public var isStrict: Bool
    /// Settings of the `ddl` key.
    public var definitions: DefinitionConfiguration
    /// Nothing is written (`--dry-run`).
    public var isDryRun: Bool
    /// Who is notified when a run begins, and how it ended (`notify`).
    public var notifications: [NotificationTarget]
    /// The file to which monitoring looks (`metrics`); nil: none is written.
    public var metrics: String?
    /// The id in the manifest of the run to resume (`--backup-id`, `--restore-id`); nil begins a new one.
    public var resumeID: Int?

    /// Gathers settings; each has its default.
    ///
    /// - Parameters:
    ///   - connection: The database to connect to.
    ///   - connections: Named connections, which `--connection` chooses from.
    ///   - s3: Credentials and endpoint of S3 locations; what is missing there comes from the environment and `~/.aws`.
    ///   - manifest: The audit table's name, `schema.table`; nil records nothing.
    ///   - rootLocation: The folder that all locations are under, for display.
    ///   - catalog: The folder of the set records; nil: in the deepest folder that holds all locations.
    ///   - idleInTransactionTimeout: Seconds after which the server ends an idle transaction of ours; nil sets no limit.
    ///   - isStrict: The whole run stops at the first failed table.
    ///   - definitions: Whether definitions of tables are part of the run, and where they are.
    ///   - isDryRun: Nothing is written, and nobody notified.
    ///   - notifications: Who is notified when a run begins, and how it ended.
    ///   - metrics: The path of the file to which monitoring looks; nil: none is written.
    ///   - resumeID: The id in the manifest of the run to resume; nil begins a new one.
    public init(
        connection: ConnectionParameters? = nil,
        connections: [NamedConnection] = [],
        s3: S3Options = S3Options(),
        manifest: String? = nil,
        rootLocation: String? = nil,
        catalog: StoragePath? = nil,
        idleInTransactionTimeout: Double? = nil,
        isStrict: Bool = false,
        definitions: DefinitionConfiguration = DefinitionConfiguration(),
        isDryRun: Bool = false,
        notifications: [NotificationTarget] = [],
        metrics: String? = nil,
        resumeID: Int? = nil
    ) {
        self.connection = connection
        self.connections = connections
        self.s3 = s3
        self.manifest = manifest
        self.rootLocation = rootLocation
        self.catalog = catalog
        self.idleInTransactionTimeout = idleInTransactionTimeout
        self.isStrict = isStrict
        self.definitions = definitions
        self.isDryRun = isDryRun
        self.notifications = notifications
        self.metrics = metrics
        self.resumeID = resumeID
    }
}
