public import Foundation

/// The validated settings of a run: what every later stage reads, and nothing else.
///
/// Settings come from files, variables and options with ``load(_:for:)`` and its kin, or are written in code, where
/// everything has the default that it has in a file:
///
/// ```swift
/// let products = TableOptions(
///     name: "public.*",
///     location: try Template("s3://backups/shop/{table}"),
///     exclude: ["audit_*"]
/// )
/// let configuration = Configuration(
///     backup: BackupConfiguration(
///         run: RunConfiguration(connection: try ConnectionParameters(url: "postgresql://reader@db.example.com/shop")),
///         tables: [BackupEntry(options: products, compression: .zstd)]
///     ),
///     restore: RestoreConfiguration(
///         run: RunConfiguration(connection: try ConnectionParameters(url: "postgresql://localhost/shop_dev")),
///         tables: [RestoreEntry(options: products, truncate: .truncate)]
///     )
/// )
/// ```
public struct Configuration: Sendable, Equatable {
    /// The name of the environment the run belongs to, for reports (`environment`).
    public var environment: String?
    /// How much is logged (`logging`).
    public var logging: LoggingConfiguration
    /// Where failures are reported (`sentry`); nil: nowhere.
    public var sentry: SentryConfiguration?
    /// Settings of `databudgie backup`.
    public var backup: BackupConfiguration
    /// Settings of `databudgie restore`.
    public var restore: RestoreConfiguration
    /// What the user should know about the configuration, each with its place.
    public internal(set) var warnings: [Finding] = []
    /// What the configuration was read from, strongest first: `environment`, `standard input`, `--raw-config`, files.
    public internal(set) var sources: [String] = []
    /// The folder in which the default files were looked for in vain; nil when one was found or another source named.
    public internal(set) var folderWithoutFiles: String?

    /// Gathers settings; each has its default.
    ///
    /// Nothing is checked here: a run checks its settings when it plans.
    /// - Parameters:
    ///   - environment: The name of the environment the run belongs to, for reports.
    ///   - logging: How much is logged.
    ///   - sentry: Where failures are reported; nil: nowhere.
    ///   - backup: Settings of a backup.
    ///   - restore: Settings of a restore.
    public init(
        environment: String? = nil,
        logging: LoggingConfiguration = LoggingConfiguration(),
        sentry: SentryConfiguration? = nil,
        backup: BackupConfiguration = BackupConfiguration(),
        restore: RestoreConfiguration = RestoreConfiguration()
    ) {
        self.environment = environment
        self.logging = logging
        self.sentry = sentry
        self.backup = backup
        self.restore = restore
    }

    /// Reads, merges and validates a configuration.
    ///
    /// - Parameters:
    ///   - sources: Everything that the configuration can come from.
    ///   - action: The command that is about to run; rules that concern only the other one are skipped, such as
    ///     that two entries must not write the same file. Nil applies all rules.
    /// - Returns: The settings of both commands, with all defaults filled in.
    /// - Throws: ``ConfigurationError`` with all problems that were found.
    public static func load(
        _ sources: ConfigurationSources,
        for action: RunKind? = nil
    ) throws(ConfigurationError) -> Configuration {
        var (root, names) = try sources.merged()
        let unchanged = root
        try sources.overrides.apply(to: &root)
        var resolver = ReferenceResolver(root: root, interpolation: Interpolation(sources: sources))
        let finished = resolver.resolve()
        if let error = ConfigurationError(resolver.problems) { throw error }
        let builder = ConfigurationBuilder(
            overrides: sources.overrides,
            action: action,
            home: sources.environment["HOME"]
        )
        var configuration = builder.configuration(finished)
        if let error = ConfigurationError(builder.report.problems, warnings: builder.report.warnings) { throw error }
        if !sources.overrides.tables.isEmpty { configuration.keepCatalogs(of: unchanged, sources) }
        configuration.warnings = builder.report.warnings
        configuration.sources = names
        if sources.looksForDefaultFiles, sources.overrides.configFiles.isEmpty,
            names.allSatisfy({ $0 == ConfigurationSources.environmentName })
        {
            configuration.folderWithoutFiles = sources.workingDirectory
        }
        return configuration
    }

    /// Lets a run of fewer tables record its set where a run of all of them does.
    ///
    /// - Parameters:
    ///   - root: The configuration without what the command line says.
    ///   - sources: What the configuration comes from.
    private mutating func keepCatalogs(of root: SourceMapping, _ sources: ConfigurationSources) {
        var (root, overrides) = (root, sources.overrides)
        overrides.tables = []
        guard (try? overrides.apply(to: &root)) != nil else { return }
        var resolver = ReferenceResolver(root: root, interpolation: Interpolation(sources: sources))
        let builder = ConfigurationBuilder(overrides: overrides, action: nil, home: sources.environment["HOME"])
        // What is wrong with the tables that the run does not use is no concern of it.
        let whole = builder.configuration(resolver.resolve())
        backup.run.catalog = backup.run.catalog ?? whole.catalog(for: .backup)
        restore.run.catalog = restore.run.catalog ?? whole.catalog(for: .restore)
    }

    /// Reads configuration files, later ones over earlier ones.
    ///
    /// - Parameters:
    ///   - files: Paths whose names end in `.yml`, `.yaml`, `.json` or `.toml`; with none, the default files are searched for.
    ///   - environment: The variables that interpolations and the `DATABUDGIE_` settings are read from.
    /// - Returns: The settings of both commands, with all defaults filled in.
    /// - Throws: ``ConfigurationError`` with all problems that were found.
    public static func load(
        files: [String],
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ConfigurationError) -> Configuration {
        var sources = ConfigurationSources(environment: environment)
        sources.overrides.configFiles = files
        return try load(sources)
    }

    /// Reads configuration from a text; no file is searched for.
    ///
    /// - Parameters:
    ///   - yaml: The configuration as YAML.
    ///   - environment: The variables that interpolations and the `DATABUDGIE_` settings are read from.
    /// - Returns: The settings of both commands, with all defaults filled in.
    /// - Throws: ``ConfigurationError`` with all problems that were found.
    public static func load(
        yaml: String,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ConfigurationError) -> Configuration {
        var sources = ConfigurationSources(environment: environment)
        sources.overrides.rawConfig = yaml
        sources.overrides.rawConfigFormat = .yaml
        sources.rawConfigName = "yaml"
        sources.looksForDefaultFiles = false
        return try load(sources)
    }
}
