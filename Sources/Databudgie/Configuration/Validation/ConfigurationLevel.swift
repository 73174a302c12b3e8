/// A mapping of the configuration, with the keys that it may have.
enum ConfigurationLevel: Sendable {
    case root, command(RunKind), table, ddl, s3, logging, sentry, connection, retention, rename, masking, redact
    case subset, subsetStart, subsetReference, notify

    private static let tableKeys = [
        "name", "query", "location", "filename", "compression", "exclude", "ddl", "sequences", "data",
        "follow_foreign_keys", "strict", "skip_if_exists", "row_security", "strategy", "truncate",
        "triggers", "mode", "conflict_columns", "extra_columns", "missing_columns", "rename",
        "max_rejects", "indexes", "foreign_keys",
    ]
    private static let commandKeys = [
        "url", "connection", "connections", "tables", "manifest", "root_location", "idle_in_transaction_timeout",
        "adapter", "s3", "catalog", "jobs", "notify",
    ]
    private static let backupKeys = ["retention", "subset", "masking"]
    private static let restoreKeys = ["transaction", "safe_hosts", "require_masked"]
    private static let rootKeys = ["environment", "sentry", "logging", "backup", "restore"]

    /// Any key is allowed at a more general level than its own.
    var keys: [String] {
        switch self {
        case .root: Self.tableKeys + Self.commandKeys + Self.backupKeys + Self.restoreKeys + Self.rootKeys
        case .command(.backup): Self.tableKeys + Self.commandKeys + Self.backupKeys + ["sentry", "logging"]
        case .command(.restore): Self.tableKeys + Self.commandKeys + Self.restoreKeys + ["sentry", "logging"]
        case .table: Self.tableKeys
        case .ddl: ["enabled", "location", "filename", "clean", "strategy", "run_as"]
        case .s3:
            [
                "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "region", "profile", "endpoint_url",
                "addressing_style", "server_side_encryption", "sse_kms_key_id", "storage_class", "tags",
                "request_payer",
            ]
        case .logging: ["enabled", "level", "logging"]
        case .sentry: ["sentry_dsn", "dsn", "version", "environment"]
        case .connection:
            ["drivername", "username", "password", "host", "port", "database", "query", "url", "name"]
        case .rename: ["schema", "table"]
        case .retention: RetentionPolicy.Rule.allCases.map(\.key) + [RetentionPolicy.keyOfPeriod]
        case .subset:
            ["start", "children", "whole", "unconnected", "max_rows", "references", "tenants", "crossing"]
        case .subsetStart: ["where", "order_by", "limit", "sample", "allow_empty"]
        case .subsetReference:
            ["follow", "to", "when", "expression", "elements", "where", "limit", "order_by", "sample"]
        case .masking: ["key", "policy", "columns", "keep"]
        case .redact: ["first", "last"]
        case .notify: ["healthchecks", "url", "command", "events", "format", "headers"]
        }
    }

    /// Where a key is, for messages.
    var phrase: String {
        switch self {
        case .root: "at the root"
        case .command(let action): "in '\(action.rawValue)'"
        case .table: "in a table entry"
        case .ddl: "in 'ddl'"
        case .s3: "in 's3'"
        case .logging: "in 'logging'"
        case .sentry: "in 'sentry'"
        case .connection: "in a connection"
        case .retention: "in 'retention'"
        case .masking: "in 'masking'"
        case .redact: "in the mask 'redact'"
        case .rename: "in 'rename'"
        case .notify: "in 'notify'"
        case .subset: "in 'subset'"
        case .subsetStart: "in a start of 'subset'"
        case .subsetReference: "in a reference of 'subset'"
        }
    }

    /// A level that has keys of a whole run, or of a part of one.
    private var belongsToRun: Bool {
        switch self {
        case .table, .command: true
        default: false
        }
    }

    /// What to do about a key that is not one of ``keys``.
    func advice(for key: String) -> String {
        if case .table = self, Self.commandKeys.contains(key) || Self.rootKeys.contains(key) {
            let place = Self.rootKeys.contains(key) ? "at the root" : "in 'backup', in 'restore' or at the root"
            return "it belongs \(place)"
        }
        if case .table = self, Self.backupKeys.contains(key) { return "it belongs in 'backup' or at the root" }
        if case .command(.restore) = self, Self.backupKeys.contains(key) {
            return "it belongs in 'backup' or at the root"
        }
        if Self.restoreKeys.contains(key), belongsToRun { return "it belongs in 'restore' or at the root" }
        if case .command = self, Self.rootKeys.contains(key) { return "it belongs at the root" }
        if let nearest = KeySuggestion.nearest(to: key, among: keys) { return "did you mean '\(nearest)'?" }
        return "remove it, or begin its name with 'x-' to keep it as a note"
    }
}
