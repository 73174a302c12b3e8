import Postgres
import Storage

/// Turns a merged and finished configuration into the validated model.
///
/// What is wrong goes to the report, and its default into the model: all problems are reported at once.
struct ConfigurationBuilder {
    let overrides: ConfigurationOverrides
    /// The command that is about to run; nil means both.
    let action: RunKind?
    /// The user's home folder (`HOME`), for locations that begin with `~/`.
    var home: String?
    let report = ConfigurationProblems()

    var read: ValueReader { ValueReader(report: report) }

    func configuration(_ root: SourceMapping) -> Configuration {
        report.checkKeys(of: root, .root)
        let backup = read.mapping(root["backup"], "backup", .command(.backup)) ?? SourceMapping()
        let restore = read.mapping(root["restore"], "restore", .command(.restore)) ?? SourceMapping()
        // What `config` shows of both commands together is what is at the root.
        let reporting =
            switch action {
            case .backup: KeyScope([backup, root])
            case .restore: KeyScope([restore, root])
            case nil: KeyScope([root])
            }
        let environment = read.text(root["environment"], "environment")
        for section in [backup, restore] {
            _ = logging(section["logging"])
            _ = sentry(section["sentry"], environment: environment)
        }
        for level in [root, backup, restore] {
            TableEntryBuilder(self, KeyScope([level])).checkGeneralValues()
        }
        return Configuration(
            environment: environment,
            logging: logging(reporting["logging"]),
            sentry: sentry(reporting["sentry"], environment: environment),
            backup: backupConfiguration(KeyScope([backup, root]), [backup, root]),
            restore: restoreConfiguration(KeyScope([restore, root]), [restore, root])
        )
    }

    /// The policy of the nearest level that has one; all levels are checked.
    private func retention(at levels: [SourceMapping]) -> RetentionPolicy? {
        let policies = levels.map { level in level["retention"].map { read.retention($0) } }
        return policies.lazy.compactMap(\.self).first ?? nil
    }

    /// The rows that are taken, by the nearest level that says so; all levels are checked.
    private func subset(at levels: [SourceMapping]) -> SubsetSettings? {
        let settings = levels.map { level in level["subset"].map { read.subset($0) } }
        return settings.lazy.compactMap(\.self).first ?? nil
    }

    /// The rules of all levels together, so that the environment can hold the key of rules in a file.
    private func masking(at levels: [SourceMapping]) -> MaskingConfiguration? {
        let values = levels.compactMap { $0["masking"] }.filter { !$0.isNull }
        let mappings = values.compactMap(\.mapping)
        guard let first = values.first, mappings.count == values.count else {
            // What is not a mapping is reported.
            return values.compactMap { read.masking($0) }.first
        }
        let merged = mappings.dropFirst().reduce(mappings[0]) { $0.laid(over: $1) }
        return read.masking(SourceValue(.mapping(merged), at: first.place))
    }

    private func backupConfiguration(_ scope: KeyScope, _ levels: [SourceMapping]) -> BackupConfiguration {
        let builder = TableEntryBuilder(self, scope)
        let tables = builder.backupEntries()
        var run = runConfiguration(scope, of: .backup)
        run.notifications = notifications(at: levels)
        if builder.hasDefinitions { run.definitions.isEnabled = true }
        run.resumeID = overrides.backupID
        return BackupConfiguration(
            run: run,
            tables: tables,
            retention: retention(at: levels),
            subset: subset(at: levels),
            masking: masking(at: levels),
            jobs: jobs(at: levels)
        )
    }

    /// The number of the nearest level that has one; all levels are checked.
    private func jobs(at levels: [SourceMapping]) -> Int? {
        let numbers = levels.map { level in level["jobs"].map { read.jobs($0) } }
        return numbers.lazy.compactMap(\.self).first ?? nil
    }

    /// The receivers of the nearest level that names some; all levels are checked.
    private func notifications(at levels: [SourceMapping]) -> [NotificationTarget] {
        let targets = levels.map { level in level["notify"].map { read.notifications($0) } }
        return targets.lazy.compactMap(\.self).first ?? []
    }

    private func restoreConfiguration(_ scope: KeyScope, _ levels: [SourceMapping]) -> RestoreConfiguration {
        let builder = TableEntryBuilder(self, scope)
        let tables = builder.restoreEntries()
        var run = runConfiguration(scope, of: .restore)
        run.notifications = notifications(at: levels)
        if builder.hasDefinitions { run.definitions.isEnabled = true }
        run.resumeID = overrides.restoreID
        if let clean = overrides.clean { run.definitions.recreatesDatabase = clean }
        return RestoreConfiguration(
            run: run,
            tables: tables,
            assumesYes: overrides.yes,
            set: setSelection(),
            transaction: read.choice(scope["transaction"], "transaction", RestoreTransaction.self) ?? .group,
            safeHosts: safeHosts(scope["safe_hosts"]),
            requiresMasks: read.bool(scope["require_masked"], "require_masked") ?? false,
            jobs: jobs(at: levels)
        )
    }

    /// Without the key nothing is asked, so what cannot be read must not count as its absence.
    private func safeHosts(_ value: SourceValue?) -> [String]? {
        guard let value, !value.isNull else { return nil }
        let hosts = read.texts(value, "safe_hosts") ?? []
        for host in hosts where host.utf8.isEmpty {
            report.add(.invalidValue, "'safe_hosts' has an empty name", hint: "remove it", at: value.place)
        }
        return hosts
    }

    /// The set that the command line names.
    private func setSelection() -> SetSelection {
        if let id = overrides.set { return .id(id) }
        guard let text = overrides.asOf else { return .newest }
        guard let moment = SetSelection.moment(text) else {
            report.add(
                .invalidValue,
                "'\(text)' is not a date or a time",
                hint:
                    "write it as 2026-11-26, 2026-11-26T03:00 or 2026-11-26T03:00:00+01:00; without an offset it is UTC",
                at: SourcePlace("--as-of")
            )
            return .newest
        }
        return .asOf(moment)
    }

    private func runConfiguration(
        _ scope: KeyScope,
        of side: RunKind
    ) -> RunConfiguration {
        // A run needs no connection of the other command, which may be available on another machine only.
        let isNeeded = action == nil || action == side
        let connections = ConnectionBuilder(scope, isNeeded ? report : ConfigurationProblems())
        checkAdapter(scope["adapter"])
        let ddl = ddl(scope, root: read.text(scope["root_location"], "root_location"))
        return RunConfiguration(
            connection: connections.connection(),
            connections: connections.all(warns: action == nil),
            s3: read.s3(scope["s3"]),
            manifest: read.string(scope["manifest"], "manifest"),
            rootLocation: read.text(scope["root_location"], "root_location"),
            catalog: catalog(scope),
            idleInTransactionTimeout: read.seconds(
                scope["idle_in_transaction_timeout"],
                "idle_in_transaction_timeout"
            ),
            isStrict: read.bool(scope["strict"], "strict") ?? false,
            definitions: ddl,
            isDryRun: overrides.dryRun ?? false,
            metrics: metrics(scope["metrics"])
        )
    }

    /// The path of a local file; a null or an empty one is none.
    private func metrics(_ value: SourceValue?) -> String? {
        guard let value, let text = read.string(value, "metrics"), !text.isEmpty else { return nil }
        guard !text.containsBytes(of: "://"), text.utf8.last != UInt8(ascii: "/"), !text.utf8.contains(0) else {
            report.add(
                .invalidValue,
                "'metrics' is not the path of a local file",
                hint: "write the path of a file in the folder that the textfile collector reads",
                at: value.place
            )
            return nil
        }
        guard text.startsWithBytes(of: "~/"), let home, home.startsWithBytes(of: "/") else { return text }
        return home + String(decoding: text.utf8.dropFirst(), as: UTF8.self)
    }

    private func checkAdapter(_ value: SourceValue?) {
        guard let value, let text = read.text(value, "adapter") else { return }
        switch text.lowercased() {
        case "postgres", "postgresql": return
        case "python":
            report.warn("the adapter 'python' runs as 'postgres', which does the same and is faster", at: value.place)
        default:
            report.add(
                .invalidValue,
                ValueReader.refusal(of: text, as: "adapter"),
                hint: "use postgres or postgresql, or remove it",
                at: value.place
            )
        }
    }

    private func logging(_ value: SourceValue?) -> LoggingConfiguration {
        var logging = LoggingConfiguration()
        guard let mapping = read.mapping(value, "logging", .logging) else { return logging }
        logging.isEnabled = read.bool(mapping["enabled"], "enabled") ?? logging.isEnabled
        // The guide of databudgie 2.9.3 calls the key "logging" in its example.
        let key = mapping["level"] == nil ? "logging" : "level"
        guard let value = mapping[key], let text = read.text(value, key) else { return logging }
        if let level = LoggingConfiguration.levelName(text) {
            logging.level = level
        } else {
            let levels = LoggingConfiguration.levels.joined(separator: ", ")
            report.add(
                .invalidValue,
                ValueReader.refusal(of: text, as: key),
                hint: "use one of \(levels)",
                at: value.place
            )
        }
        return logging
    }

    private func sentry(_ value: SourceValue?, environment: String?) -> SentryConfiguration? {
        guard let mapping = read.mapping(value, "sentry", .sentry) else { return nil }
        let key = read.anyText(mapping["sentry_dsn"], "sentry_dsn") == nil ? "dsn" : "sentry_dsn"
        let version = read.text(mapping["version"], "version")
        let environment = read.text(mapping["environment"], "environment") ?? environment
        // An empty one switches reports off, as everywhere with Sentry.
        guard let value = mapping[key], let text = read.anyText(value, key), !text.isEmpty else { return nil }
        guard let dsn = SentryDSN(text) else {
            // A backup is worth more than the reports of its failures, and 2.9.3 ran with any text here. It is not
            // repeated: its key is a secret, wherever in it the mistake is.
            report.warn(
                "'\(key)' is not the address of a Sentry project, so failures are not reported there",
                hint: "write it as https://key@host/project, or remove it",
                at: value.place
            )
            return nil
        }
        return SentryConfiguration(
            dsn: dsn,
            version: version.flatMap { $0.isEmpty ? nil : $0 },
            environment: environment.flatMap { $0.isEmpty ? nil : $0 }
        )
    }

    private func ddl(_ scope: KeyScope, root: String?) -> DefinitionConfiguration {
        let value = scope["ddl"]
        let mapping = value?.mapping ?? SourceMapping()
        let place = mapping["location"]?.place ?? value?.place
        let given = read.text(mapping["location"], "location")
        let location = composedLocation(given, root, "backups/ddl", at: place)
        var definitions = DefinitionConfiguration(
            isEnabled: read.includesDefinitions(scope) ?? false,
            location: location,
            filename: read.template(mapping["filename"], "filename"),
            recreatesDatabase: read.bool(mapping["clean"], "clean") ?? false,
            strategy: read.choice(mapping["strategy"], "strategy", RestoreStrategy.self),
            role: read.text(mapping["run_as"], "run_as").flatMap { $0.isEmpty ? nil : $0 }
        )
        definitions.hasExplicitLocation = given?.isEmpty == false
        return definitions
    }

    private func catalog(_ scope: KeyScope) -> StoragePath? {
        guard let value = scope["catalog"], let given = read.text(value, "catalog"), !given.isEmpty else { return nil }
        let root = read.text(scope["root_location"], "root_location")
        let location = composedLocation(given, root, given, at: value.place)
        guard location.variables.isEmpty else {
            report.add(
                .invalidTemplate,
                "'catalog' has a variable, but all sets of a configuration are in one catalog",
                hint: "write the path of a folder",
                at: value.place
            )
            return nil
        }
        do {
            return try StoragePath(location.render([:]))
        } catch {
            report.add(.invalidValue, "'catalog' is not a folder: \(error.message)", hint: error.hint, at: value.place)
            return nil
        }
    }

    /// A location under the root, or the default under it when there is none.
    func composedLocation(_ location: String?, _ root: String?, _ fallback: String, at place: SourcePlace?) -> Template
    {
        let given = location.flatMap { $0.isEmpty ? nil : $0 } ?? fallback
        do {
            let composed = try LocationForm.checked(RootLocation.compose(root, given), home: home)
            return read.template(composed, "location", at: place) ?? Defaults.location
        } catch {
            report.add(error.code, error.message, hint: error.hint, at: place)
            return Defaults.location
        }
    }
}
