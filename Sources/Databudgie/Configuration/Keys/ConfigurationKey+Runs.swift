import Compression
import Storage

/// Keys of whole runs.
extension ConfigurationKey {
    static let ofRoot: [ConfigurationKey] = [
        Self("backup", .mapping(.command(.backup)), default: .value("{}"), "settings of `databudgie backup`"),
        Self("restore", .mapping(.command(.restore)), default: .value("{}"), "settings of `databudgie restore`"),
        Self("environment", .text, "a name for reports"),
        Self("$schema", .text, default: nil, isPrinted: false, "where editors find [the schema](#editors); ignored"),
    ]

    static let ofReporting: [ConfigurationKey] = [
        Self("logging", .mapping(.logging), default: nil, "[how much is shown](#logging) during a run"),
        Self("sentry", .mapping(.sentry), "[where failures are reported](#sentry)"),
    ]

    static let ofRuns: [ConfigurationKey] = [
        Self(
            "url",
            connection,
            default: .words("the connection named `default`, if any"),
            isPrinted: false,
            "[the database](#url-and-connection): a URL, its parts, or the name of one of `connections`"
        ),
        Self("connection", connection, default: nil, "another name of `url`"),
        Self("connections", connections, default: .value("{}"), "[named connections](#url-and-connection)"),
        Self("tables", tables, default: .value("[]"), "[what to export or restore](#keys-of-a-table)"),
        Self("root_location", .text, "[the folder](#root_location) that all locations are in"),
        Self("s3", .mapping(.s3), default: nil, "[credentials and endpoint](#s3) of `s3://` locations"),
        Self("manifest", .string, "the table that records finished tables, `schema.table` ([how](manifest.md))"),
        Self(
            "catalog",
            .text,
            default: .words("`catalog` in the folder that all locations are in"),
            "the folder of the [set records](sets.md)"
        ),
        Self(
            "notify",
            notify,
            default: .value("[]"),
            "[who is notified](notifications.md) that a run begins, and how it has ended"
        ),
        Self("metrics", .string, "a file in which [monitoring finds how a run has ended](notifications.md#metrics)"),
        Self(
            "idle_in_transaction_timeout",
            .seconds,
            "when the server ends an idle transaction; `null`, 0: never"
        ),
        Self(
            "adapter",
            adapter,
            default: .value("postgres"),
            isPrinted: false,
            "`postgres` or `postgresql`; `python` means the same, with a warning"
        ),
        Self(
            "jobs",
            .number(from: 1, to: BackupConfiguration.mostJobs, "1 to \(BackupConfiguration.mostJobs)"),
            "how many tables, or ranges of a large one, are [exported](backup.md#several-tables-at-once), or groups of them "
                + "[restored](restore.md#several-tables-at-once), at once; `null`: by the cores of the machine"
        ),
    ]

    static let ofBackups: [ConfigurationKey] = [
        Self("retention", .mapping(.retention), "[which backup sets stay](#retention)"),
        Self("subset", .mapping(.subset), "which rows are exported: some, and [what belongs to them](subset.md)"),
        Self("masking", .mapping(.masking), "[which columns are masked](#masking)"),
    ]

    static let ofRestores: [ConfigurationKey] = [
        Self(
            "safe_hosts",
            .texts.named("list of globs"),
            "other destinations are [confirmed](restore.md#safe-hosts)"
        ),
        Self(
            "transaction",
            .choice(RestoreTransaction.self),
            default: .value("group"),
            "[all tables or none](restore.md#all-or-nothing)"
        ),
        Self("require_masked", .bool, default: .value("false"), "only sets without unmasked columns are restored"),
    ]

    // MARK: Forms

    private static let connection = KeyForm(
        "string or mapping",
        [["type": ["string", "null"]], KeyForm.part(.connection)]
    )

    private static let connections = KeyForm(
        "mapping or list",
        [
            [
                "type": ["object", "null"], "patternProperties": ["^x-": [:]],
                "additionalProperties": connection.schema,
            ],
            ["type": "array", "items": ["allOf": [KeyForm.part(.connection), ["required": ["name"]]]]],
            KeyForm.outside,
        ]
    )

    private static let notify = KeyForm(
        "mapping or list",
        [
            ["type": ["null"]], KeyForm.part(.notify), ["type": "array", "items": KeyForm.part(.notify)],
            KeyForm.outside,
        ]
    )

    private static let tables = KeyForm(
        "mapping or list",
        [
            [
                "type": ["object", "null"], "patternProperties": ["^x-[^.]*$": [:]],
                "additionalProperties": ["anyOf": [KeyForm.part(.table), ["type": "null"], KeyForm.outside]],
            ],
            ["type": "array", "items": ["anyOf": [KeyForm.part(.table), ["type": ["string", "number"]]]]],
            KeyForm.outside,
        ]
    )

    private static let adapter = KeyForm.choice(
        ["postgres", "postgresql", "python"],
        pattern: "^(\(KeyForm.anyCase("postgres"))(\(KeyForm.anyCase("ql")))?|\(KeyForm.anyCase("python")))$"
    ).named("string")
}
