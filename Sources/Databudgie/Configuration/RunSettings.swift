public import Postgres
import Storage

/// All that one run needs, resolved once from the configuration: the only truth of a run.
struct RunSettings: Sendable {
    let kind: RunKind
    /// The database that the run reads or loads.
    let database: ConnectionParameters
    let s3: S3Options
    /// Where finished tables are recorded; nil when nothing is.
    let manifest: ManifestTable?
    /// The run in the manifest that is resumed; nil begins a new one.
    let resumeID: Int?
    /// The whole run stops at the first failed table, and warnings about names are errors.
    let isStrict: Bool
    /// Queries and checks run, and nothing is written.
    let isDryRun: Bool
    let definitions: DefinitionConfiguration
    /// The folder of the set records; nil when the locations have no folder in common.
    let catalog: StoragePath?
    /// Which rows a backup takes; nil: all.
    let subset: SubsetSettings?
    /// Which set a restore reads.
    let set: SetSelection
    /// All of a restore is one transaction.
    let isAllOrNothing: Bool
    /// Seconds after which the server ends an idle transaction of ours; nil leaves it without limit.
    let idleInTransactionTimeout: Double?
    /// Which columns a backup masks; nil when it masks none.
    let masking: MaskingConfiguration?
    /// What its masks depend on.
    let maskKey: MaskKey?
    /// How many tables a backup exports at once, or groups of tables a restore loads, if there are as many; nil: ``standardJobs``,
    /// if that is worth it.
    let jobs: Int?
    /// How many there are at once when nothing else is said.
    let standardJobs: Int
    /// The least size of the ranges in which a backup exports a large table, in bytes.
    let rangeSize: Int64
    let sentry: SentryConfiguration?
    /// The moment of the run, as its file names carry it.
    let timestamp: RunTimestamp
    /// Environment variables by name.
    let variables: [String: String]
    /// The longest time that reports of failures may take, all of a run together.
    let reportingTimeLimit: Duration
    /// The folder in which rejected rows get a folder of their own.
    let rejectFolder: String
    /// The age at which a backup's snapshot is reported, because it holds vacuum back.
    let snapshotAgeLimit: Duration

    /// Resolves what a run needs.
    ///
    /// - Parameters:
    ///   - configuration: The validated configuration.
    ///   - kind: What the run does.
    ///   - environment: The run's surroundings.
    /// - Throws: ``DatabudgieError`` with the code `configuration` when no database is configured, when the command line
    ///   names a set and an entry another strategy, when a restore in one transaction is to re-create the database, when
    ///   a table is to be renamed whose definition is restored, when the manifest's name is not a table's, or when a run is resumed
    ///   that no manifest knows.
    init(
        _ configuration: Configuration,
        for kind: RunKind,
        in environment: RunEnvironment
    ) throws(DatabudgieError) {
        let run = configuration.run(for: kind)
        if kind == .restore {
            try configuration.restore.checkSelection()
            try configuration.restore.checkTransaction()
            try configuration.restore.checkRenaming()
        }
        manifest = try Self.manifest(run, kind)
        if kind == .backup { try configuration.backup.checkResumption() }
        database = try configuration.database(for: kind)
        self.kind = kind
        s3 = run.s3
        resumeID = run.resumeID
        isStrict = run.isStrict
        isDryRun = run.isDryRun
        definitions = run.definitions
        catalog = configuration.catalog(for: kind)
        subset = kind == .backup ? configuration.backup.subset : nil
        set = kind == .restore ? configuration.restore.set : .newest
        isAllOrNothing = kind == .restore && configuration.restore.transaction == .all
        idleInTransactionTimeout = run.idleInTransactionTimeout
        masking = kind == .backup ? configuration.backup.masking : nil
        maskKey = masking.map { MaskKey($0.key) }
        jobs = kind == .backup ? configuration.backup.jobs : configuration.restore.jobs
        standardJobs = min(max(environment.cores / 2, 1), 4)
        rangeSize = environment.rangeSize
        sentry = configuration.sentry
        timestamp = RunTimestamp(environment.now)
        variables = environment.variables
        reportingTimeLimit = environment.reportingTimeLimit
        rejectFolder = environment.rejectFolder
        snapshotAgeLimit = environment.snapshotAgeLimit
    }

    /// What a run that fails before it loads anything has left behind; nil for a backup, which changes no database.
    var effectBeforeLoading: RunEffect? {
        guard kind == .restore else { return nil }
        return definitions.recreatesDatabase ? .databaseRecreated : .nothingChanged
    }

    private static func manifest(_ run: RunConfiguration, _ kind: RunKind) throws(DatabudgieError) -> ManifestTable? {
        if let name = run.manifest { return try ManifestTable(name) }
        guard run.resumeID == nil else {
            throw DatabudgieError(
                .configuration,
                "--\(kind.rawValue)-id has no effect without a manifest, where finished tables are recorded",
                hint: "name its table under 'manifest', or remove the option"
            )
        }
        return nil
    }
}

extension BackupConfiguration {
    /// Rows of a subset belong together only when all of them are from one moment.
    fileprivate func checkResumption() throws(DatabudgieError) {
        guard subset != nil, run.resumeID != nil else { return }
        throw DatabudgieError(
            .configuration,
            "--backup-id cannot resume a run with 'subset', whose rows belong together only as they were at one moment",
            hint: "run it again without --backup-id"
        )
    }
}

extension RestoreConfiguration {
    /// What is restored from the set that the command line names cannot be chosen in another way.
    fileprivate func checkSelection() throws(DatabudgieError) {
        guard let option = set.option else { return }
        var choices = tables.map { (place: $0.options.place, strategy: $0.strategy) }
        if run.definitions.isEnabled { choices.append((place: "ddl", strategy: run.definitions.strategy)) }
        for (place, strategy) in choices {
            guard let strategy, strategy != .useLatestSet else { continue }
            throw DatabudgieError(
                .configuration,
                "\(place): 'strategy: \(strategy.rawValue)' and \(option) exclude each other",
                hint: "use only one of them"
            )
        }
    }
}

extension RestoreConfiguration {
    /// A database that was dropped does not come back when the transaction is rolled back.
    fileprivate func checkTransaction() throws(DatabudgieError) {
        guard transaction == .all, run.definitions.recreatesDatabase else { return }
        throw DatabudgieError(
            .configuration,
            "'transaction: all' and 'clean' exclude each other: re-creating the database cannot be rolled back",
            hint: "use only one of them"
        )
    }

    /// Names are all over the SQL of a definition, in the bodies of functions too.
    fileprivate func checkRenaming() throws(DatabudgieError) {
        guard run.definitions.isEnabled else { return }
        for entry in tables where !entry.renaming.isEmpty && entry.options.includesDefinition {
            throw DatabudgieError(
                .configuration,
                "\(entry.options.place): 'rename' and 'ddl' exclude each other, because definitions cannot be renamed",
                hint: "create the tables first, and set 'ddl: false' for them"
            )
        }
        for problem in tables.flatMap({ $0.renaming.schemas + $0.renaming.tables }).compactMap(\.problem) {
            throw DatabudgieError(.configuration, problem.message, hint: problem.hint)
        }
    }
}

extension Configuration {
    /// What a command has in common with the other one.
    func run(for kind: RunKind) -> RunConfiguration {
        switch kind {
        case .backup: backup.run
        case .restore: restore.run
        }
    }

    /// The database of a command.
    ///
    /// - Throws: ``DatabudgieError`` with the code `configuration` when none is configured.
    func database(for kind: RunKind) throws(DatabudgieError) -> ConnectionParameters {
        guard let database = run(for: kind).connection else {
            throw DatabudgieError(
                .configuration,
                "there is no database to connect to",
                hint: "give 'url' or 'connection' under '\(kind.rawValue)', or pass --url"
            )
        }
        return database
    }

    /// The database that a user names on the command line.
    ///
    /// - Parameters:
    ///   - text: A URL, or the name of one of `connections`.
    ///   - kind: The command whose connections are meant.
    /// - Returns: How to connect.
    /// - Throws: ``DatabudgieError`` with the code `configuration` for anything else.
    public func connection(_ text: String, for kind: RunKind) throws(DatabudgieError) -> ConnectionParameters {
        let connections = run(for: kind).connections
        if let named = connections.first(where: { $0.name.hasBytes(of: text) }) { return named.parameters }
        guard text.containsBytes(of: "://") || text.utf8.contains(UInt8(ascii: "=")) else {
            let names = connections.map { "'\($0.name)'" }.joined(separator: ", ")
            throw DatabudgieError(
                .configuration,
                // A URL without its scheme is not repeated, because it may hold a password.
                ValueReader.repeated(text).map { "there is no connection \($0)" }
                    ?? "the server is neither the name of one of 'connections' nor a URL with a scheme",
                hint: names.isEmpty
                    ? "give a URL such as postgresql://user@host/postgres"
                    : "use one of \(names), or a URL such as postgresql://user@host/postgres"
            )
        }
        do {
            return try ConnectionParameters(url: text)
        } catch {
            throw DatabudgieError(.configuration, error.message, hint: error.hint)
        }
    }
}
