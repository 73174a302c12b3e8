import Storage

/// Keys of mappings that are the value of another key.
extension ConfigurationKey {
    static let ofLogging: [ConfigurationKey] = [
        Self("enabled", .bool, default: .value("true"), "`false`: only errors on standard error"),
        Self("level", level, default: .value("INFO"), "the least important messages that are shown"),
        // The guide of databudgie 2.9.3 has this key in its example.
        Self("logging", level, default: nil, alias: "level", "another name of `level`"),
    ]

    static let ofSentry: [ConfigurationKey] = [
        Self(
            "sentry_dsn",
            .secret.named("string"),
            "the address of the project, `https://key@host/project`; empty or null: no reports; any other text: a warning and "
                + "no reports"
        ),
        Self("dsn", .secret, default: nil, alias: "sentry_dsn", "another name of `sentry_dsn`"),
        Self("version", .text, default: .words("`databudgie@` and its version"), "the release"),
        Self("environment", .text, default: .words("`environment` of the root"), "the environment"),
    ]

    static let ofConnections: [ConfigurationKey] = [
        Self(
            "drivername",
            .text(
                "string",
                pattern: #"^postgres(ql)?(\+.*)?$"#
            ),
            default: .value("postgresql"),
            isPrinted: false,
            "`postgresql`; a suffix of SQLAlchemy's, as in `postgresql+psycopg2`, changes nothing"
        ),
        Self("username", .secret, default: .words("libpq's"), "the role"),
        Self("password", .secret, default: .words("libpq's"), "its password"),
        Self("host", .secret, default: .words("libpq's"), "the server, or the folder of its socket"),
        Self("port", .secret.named("1 to 65535"), default: .words("libpq's"), "its port"),
        Self("database", .secret, default: .words("libpq's"), "the database"),
        Self(
            "query",
            .map(to: KeyForm.oneOrMore(KeyForm.secret.schema)),
            default: .value("{}"),
            "any option of libpq, such as `sslmode`"
        ),
        Self(
            "url",
            KeyForm("string or mapping", [["type": ["string", "null"]], KeyForm.part(.connection)]),
            isPrinted: false,
            "all of it, in place of the parts above"
        ),
        Self("name", .text, default: nil, isPrinted: false, "its name, where `connections` is a list"),
    ]

    static let ofS3: [ConfigurationKey] = [
        Self(
            "aws_access_key_id",
            .secret,
            default: .words("as for the AWS tools: environment, `~/.aws`, roles"),
            "who asks"
        ),
        Self("aws_secret_access_key", .secret, default: .words("the same"), "the secret of the key"),
        Self("aws_session_token", .secret, default: .words("the same"), "the token of a key that ends"),
        Self("region", .text, default: .words("as for the AWS tools"), "where the bucket is"),
        Self("profile", .text, default: .words("`AWS_PROFILE`"), "the part of `~/.aws` that counts"),
        Self(
            "endpoint_url",
            .string,
            default: .words("`AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, else Amazon's"),
            "the address of another server than Amazon's"
        ),
        Self(
            "addressing_style",
            .choice(S3Options.AddressingStyle.self),
            default: .value("auto"),
            "whether the bucket is in the host's name; `auto`: with Amazon only"
        ),
        Self(
            "server_side_encryption",
            .choice(S3Options.ServerSideEncryption.self),
            default: .words("that of the bucket"),
            "how the server [encrypts](storage.md#encryption-classes-tags) the files of a backup"
        ),
        Self(
            "sse_kms_key_id",
            .text,
            default: .words("that of the bucket"),
            "the key of KMS for `aws:kms` and `aws:kms:dsse`: its id, ARN or alias"
        ),
        Self(
            "storage_class",
            .text("string", pattern: "^[A-Za-z0-9_.-]{0,255}$"),
            default: .words("the server's, `STANDARD`"),
            "the [storage class](storage.md#encryption-classes-tags) of data files"
        ),
        Self(
            "tags",
            tags,
            default: .words("none"),
            "[tags](storage.md#encryption-classes-tags) of files: names and values"
        ),
        Self(
            "request_payer",
            .choice(S3Options.RequestPayer.self),
            default: .words("the owner of the bucket pays"),
            "`requester`: you pay for the requests"
        ),
    ]

    static let ofDefinitions: [ConfigurationKey] = [
        Self("enabled", .bool, default: .words("as above it, else `false`"), "definitions are part of the run"),
        Self("location", .text.named("template"), default: .value("backups/ddl"), "the folder of the list of tables"),
        Self("filename", .template, default: .value("{timestamp}.{ext}"), "the name of the list"),
        Self("clean", .bool, default: .value("false"), for: .restore, "drop and re-create the database first"),
        Self(
            "strategy",
            .choice(RestoreStrategy.self),
            for: .restore,
            "which list is read, as for [tables](#keys-of-a-table)"
        ),
        Self("run_as", .text, for: .restore, "the role that [runs the definitions](definitions.md#trust)"),
    ]

    static let ofRetention: [ConfigurationKey] =
        RetentionPolicy.Rule.allCases.map { rule in
            let kept =
                switch rule {
                case .last: "the newest sets, this many"
                case .hourly: "the newest set of each hour that has sets, for this many hours"
                case .daily: "the newest set of each day that has sets, for this many days"
                case .weekly: "the newest set of each week that has sets, for this many weeks"
                case .monthly: "the newest set of each month that has sets, for this many months"
                case .yearly: "the newest set of each year that has sets, for this many years"
                }
            return Self(rule.key, count, kept)
        } + [
            Self(
                RetentionPolicy.keyOfPeriod,
                .text("length of time", pattern: "^([0-9]{1,9}[ymdh]){1,4}$"),
                "all sets that are younger than this, counted from the newest set: `36h`, `7d`, `2y5m7d3h`"
            )
        ]

    static let ofRenaming: [ConfigurationKey] = [
        Self("schema", names, default: .value("{}"), "names or globs of schemas, each with the new name"),
        Self("table", names, default: .value("{}"), "names or globs over `schema.table`, each with the new name"),
    ]

    // MARK: Forms

    private static let level: KeyForm = {
        let words = LoggingConfiguration.levels + ["WARN", "FATAL", "NOTSET"]
        let numbers = stride(from: 0, through: 50, by: 10).map { $0 }
        return .choice(
            LoggingConfiguration.levels,
            hidden: numbers.map { .number($0) },
            pattern: "^(\((words.map { KeyForm.anyCase($0) } + numbers.map { String($0) }).joined(separator: "|")))$"
        )
        .named("string")
    }()

    private static let tags = KeyForm(
        "mapping of up to \(S3Options.Tag.maximumCount) names to values",
        [
            [
                "type": ["object", "null"], "maxProperties": .number(S3Options.Tag.maximumCount),
                "additionalProperties": KeyForm.sql.schema,
            ],
            KeyForm.outside,
        ]
    )

    private static let count = KeyForm(
        "whole number or `unlimited`",
        [["enum": ["unlimited"]]] + KeyForm.number(from: 0, "").alternatives
    )

    private static let names = KeyForm.map(to: ["type": ["string", "number"]])
}
