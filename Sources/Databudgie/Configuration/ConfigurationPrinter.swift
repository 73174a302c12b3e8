import Compression
import Postgres
import Storage
import Yams

/// Writes a configuration as YAML, with every default filled in and secrets as `***`.
///
/// Locations are printed as they were composed under `root_location`.
public struct ConfigurationPrinter: Sendable {
    /// What is printed in place of a secret.
    static let mask = "***"

    /// Creates a printer.
    public init() {}

    /// - Parameter configuration: The settings of both commands.
    /// - Returns: A YAML document that ends in a line break.
    public func yaml(_ configuration: Configuration) -> String {
        let root = mapping([
            ("environment", text(configuration.environment)),
            ("logging", logging(configuration.logging)),
            ("sentry", configuration.sentry.map(sentry) ?? null),
            (
                "backup",
                mapping(
                    run(configuration, .backup) + [
                        ("jobs", configuration.backup.jobs.map { plain(String($0)) } ?? null),
                        ("retention", configuration.backup.retention.map(retention) ?? null),
                        ("subset", configuration.backup.subset.map(subset) ?? null),
                        ("masking", configuration.backup.masking.map(masking) ?? null),
                        ("tables", list(configuration.backup.tables.map { entry($0, configuration.backup.run) })),
                    ]
                )
            ),
            (
                "restore",
                mapping(
                    run(configuration, .restore) + [
                        ("jobs", configuration.restore.jobs.map { plain(String($0)) } ?? null),
                        ("safe_hosts", configuration.restore.safeHosts.map { list($0.map { text($0) }) } ?? null),
                        ("transaction", text(configuration.restore.transaction.rawValue)),
                        ("require_masked", bool(configuration.restore.requiresMasks)),
                        ("tables", list(configuration.restore.tables.map { entry($0, configuration.restore.run) })),
                    ]
                )
            ),
        ])
        // Our own nodes hold nothing that the emitter could refuse.
        return (try? serialize(node: root, width: -1, allowUnicode: true)) ?? ""
    }

    typealias Pair = (key: String, value: Node)

    private func logging(_ logging: LoggingConfiguration) -> Node {
        mapping([("enabled", bool(logging.isEnabled)), ("level", text(logging.level))])
    }

    private func sentry(_ sentry: SentryConfiguration) -> Node {
        mapping([
            ("sentry_dsn", text(sentry.dsn.description)), ("version", text(sentry.version)),
            ("environment", text(sentry.environment)),
        ])
    }

    private func run(_ configuration: Configuration, _ kind: RunKind) -> [Pair] {
        let run = configuration.run(for: kind)
        return [
            ("connection", run.connection.map(connection) ?? null),
            ("connections", mapping(run.connections.map { ($0.name, connection($0.parameters)) })),
            ("s3", s3(run.s3)),
            ("manifest", text(run.manifest)),
            ("root_location", text(run.rootLocation)),
            ("catalog", text(configuration.catalog(for: kind)?.description)),
            ("idle_in_transaction_timeout", run.idleInTransactionTimeout.map(number) ?? null),
            ("strict", bool(run.isStrict)),
            ("ddl", ddl(run.definitions)),
            ("notify", notify(run.notifications)),
            ("metrics", text(run.metrics)),
        ]
    }

    private func retention(_ policy: RetentionPolicy) -> Node {
        let counts = RetentionPolicy.Rule.allCases.map { rule -> Pair in
            switch policy.counts[rule] {
            case .unlimited: (rule.key, text("unlimited"))
            case .atMost(let number): (rule.key, plain(String(number)))
            case nil: (rule.key, null)
            }
        }
        return mapping(counts + [(RetentionPolicy.keyOfPeriod, text(policy.within?.description))])
    }

    private func connection(_ parameters: ConnectionParameters) -> Node {
        var rest = Set(parameters.keywords.keys)
        var pairs: [Pair] = []
        for (key, keyword) in [
            ("host", "host"), ("port", "port"), ("database", "dbname"), ("username", "user"), ("password", "password"),
        ] where rest.remove(keyword) != nil {
            pairs.append((key, text(parameters.shownValue(of: keyword))))
        }
        if !rest.isEmpty {
            pairs.append(("query", mapping(rest.sorted().map { ($0, text(parameters.shownValue(of: $0))) })))
        }
        return mapping(pairs)
    }

    /// A URL whose user part is masked; nil when it has none.
    private static func withoutUser(_ url: String) -> String? {
        guard let start = url.utf8.firstRange(of: "://".utf8)?.upperBound else { return nil }
        let authority = url.utf8[start...].prefix { !"/?#".utf8.contains($0) }
        guard let at = authority.lastIndex(of: UInt8(ascii: "@")) else { return nil }
        return url[..<start] + mask + url[at...]
    }

    private func s3(_ options: S3Options) -> Node {
        mapping([
            ("aws_access_key_id", text(options.accessKeyID.map { _ in Self.mask })),
            ("aws_secret_access_key", text(options.secretAccessKey.map { _ in Self.mask })),
            ("aws_session_token", text(options.sessionToken.map { _ in Self.mask })),
            ("region", text(options.region)),
            ("profile", text(options.profile)),
            ("endpoint_url", text(options.endpointURL.map { Self.withoutUser($0) ?? $0 })),
            ("addressing_style", text(options.addressingStyle.rawValue)),
            ("server_side_encryption", text(options.serverSideEncryption?.rawValue)),
            ("sse_kms_key_id", text(options.kmsKeyID)),
            ("storage_class", text(options.storageClass)),
            ("tags", mapping(options.tags.map { ($0.key, text($0.value)) })),
            ("request_payer", text(options.requestPayer?.rawValue)),
        ])
    }

    private func ddl(_ ddl: DefinitionConfiguration) -> Node {
        mapping([
            ("enabled", bool(ddl.isEnabled)), ("location", text(ddl.location.description)),
            ("filename", text(ddl.filename.description)), ("clean", bool(ddl.recreatesDatabase)),
            ("strategy", strategy(ddl.strategy)), ("run_as", text(ddl.role)),
        ])
    }

    /// What the default comes to depends on whether there are sets.
    private func strategy(_ strategy: RestoreStrategy?) -> Node {
        text(strategy?.rawValue)
    }

    private func entry(_ entry: BackupEntry, _ run: RunConfiguration) -> Node {
        var pairs = options(entry.options, run)
        pairs.insert(("query", text(entry.query.description)), at: 1)
        pairs += [("compression", text(compression(entry))), ("skip_if_exists", bool(entry.skipsIfExists))]
        pairs.append(("row_security", bool(entry.appliesRowSecurity)))
        return mapping(pairs)
    }

    private func compression(_ entry: BackupEntry) -> String? {
        entry.compression.map { format in format.rawValue + (entry.compressionLevel.map { ":\($0)" } ?? "") }
    }

    private func entry(_ entry: RestoreEntry, _ run: RunConfiguration) -> Node {
        let truncate: Node =
            switch entry.truncate {
            case .keep: bool(false)
            case .truncate: bool(true)
            case .cascade: text("cascade")
            }
        let pairs = [
            ("strategy", strategy(entry.strategy)), ("compression", text(entry.compression?.rawValue)),
            ("mode", text(entry.mode.rawValue)), ("truncate", truncate),
            ("conflict_columns", list(entry.conflictColumns.map { text($0) })),
            ("extra_columns", text(entry.extraColumns.rawValue)),
            ("missing_columns", text(entry.missingColumns?.rawValue)), ("triggers", text(entry.triggers.rawValue)),
            ("indexes", text(entry.indexes.rawValue)), ("foreign_keys", text(entry.foreignKeys.rawValue)),
            ("rename", renaming(entry.renaming)), ("max_rejects", plain(String(entry.maxRejects))),
        ]
        return mapping(options(entry.options, run) + pairs)
    }

    private func renaming(_ renaming: Renaming) -> Node {
        guard !renaming.isEmpty else { return null }
        func rules(_ rules: [Renaming.Rule]) -> Node { mapping(rules.map { ($0.pattern, text($0.replacement)) }) }
        return mapping([("schema", rules(renaming.schemas)), ("table", rules(renaming.tables))])
    }

    private func options(_ options: TableOptions, _ run: RunConfiguration) -> [Pair] {
        [
            ("name", text(options.name)), ("location", text(options.location.description)),
            ("filename", text(options.filename.description)), ("exclude", list(options.exclude.map { text($0) })),
            ("ddl", bool(run.definitions.isEnabled && options.includesDefinition)),
            ("sequences", bool(options.includesSequences)),
            ("data", bool(options.includesRows)),
            ("follow_foreign_keys", bool(options.followsForeignKeys)), ("strict", bool(options.isStrict)),
        ]
    }
}

extension ConfigurationPrinter {
    var null: Node { plain("null") }

    func plain(_ text: String) -> Node {
        .scalar(Node.Scalar(text, Tag(.implicit), .plain))
    }

    func bool(_ value: Bool) -> Node { plain(value ? "true" : "false") }

    func number(_ value: Double) -> Node {
        plain(value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value))
    }

    func text(_ text: String?) -> Node {
        guard let text else { return null }
        // YAML 1.1 readers take more words for something else than YAML 1.2 does.
        let words: Set = ["yes", "no", "on", "off", "y", "n", "true", "false", "null", "~", ""]
        let isWord = words.contains(text.lowercased()) || ScalarLiteral.plainYAML(text).kind != .string
        let looksLikeNumber = text.first.map { $0.isNumber || "+-.".contains($0) } ?? false
        let style: Node.Scalar.Style =
            if text.contains(where: \.isNewline) { .doubleQuoted } else if isWord || looksLikeNumber {
                .singleQuoted
            } else { .any }
        return .scalar(Node.Scalar(text, Tag(.str), style))
    }

    func list(_ elements: [Node]) -> Node {
        .sequence(Node.Sequence(elements, Tag(.seq), elements.isEmpty ? .flow : .block))
    }

    func mapping(_ pairs: [Pair]) -> Node {
        .mapping(Node.Mapping(pairs.map { (text($0.key), $0.value) }, Tag(.map), pairs.isEmpty ? .flow : .block))
    }
}
