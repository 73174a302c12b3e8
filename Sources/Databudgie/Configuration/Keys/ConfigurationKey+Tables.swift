import Compression

/// Keys of an entry of `tables`.
extension ConfigurationKey {
    static let ofTables: [ConfigurationKey] =
        ofFiles + ofLoading + [
            Self(
                "sequences",
                .bool,
                default: .value("true"),
                "values of the table's [sequences](restore.md#sequences) are part of the run"
            ),
            Self(
                "ddl",
                KeyForm("true, false or mapping", KeyForm.bool.alternatives + [KeyForm.part(.ddl)]),
                default: .words("as above it, else `false`"),
                "[definitions of tables](definitions.md) are part of the run; a mapping says [where they are](#ddl), for an entry "
                    + "only `{enabled: …}`"
            ),
            Self(
                "follow_foreign_keys",
                .bool,
                default: .value("false"),
                "also what it refers to, [see below](#follow_foreign_keys)"
            ),
        ]

    private static let ofFiles: [ConfigurationKey] = [
        Self("name", .text, default: nil, "an exact name or a glob over `schema.table`"),
        Self(
            "query",
            .template,
            default: .value("select * from {table}"),
            for: .backup,
            "one query, which can end in `;`"
        ),
        Self(
            "location",
            .text.named("template"),
            default: .value("backups/{table}"),
            "the folder of the files: a local path (`~/` is the home folder) or `s3://bucket/key`"
        ),
        Self("filename", .template, default: .value("{timestamp}.{ext}"), "the name of each file"),
        Self(
            "compression",
            compression,
            "how a backup compresses the files, [with a level](#levels-of-compression) if wanted; a restore detects it, and "
                + "prefers it among files of one moment"
        ),
        Self(
            "exclude",
            .texts.named("list of globs"),
            default: .value("[]"),
            "one without a dot matches the bare table name in any schema"
        ),
        Self("data", .bool, default: .value("true"), "the rows are part of the run"),
        Self("strict", .bool, default: .value("false"), "the run stops when this table fails"),
        Self(
            "skip_if_exists",
            .bool,
            default: .value("false"),
            for: .backup,
            "a table that already has a file is skipped"
        ),
        Self(
            "row_security",
            .bool,
            default: .value("false"),
            for: .backup,
            "[row-level security](backup.md#row-level-security) filters the rows"
        ),
    ]

    private static let ofLoading: [ConfigurationKey] = [
        Self(
            "strategy",
            .choice(RestoreStrategy.self),
            for: .restore,
            "[which file is read](restore.md#which-file-is-read)"
        ),
        Self(
            "truncate",
            truncate,
            default: .value("false"),
            for: .restore,
            "the listed tables are emptied first"
        ),
        Self(
            "mode",
            .choice(LoadMode.self),
            default: .value("append"),
            for: .restore,
            "what happens to [rows that are there](restore.md#rows-that-are-there)"
        ),
        Self(
            "conflict_columns",
            .texts.named("list of columns"),
            default: .value("[]"),
            for: .restore,
            "the key by which `upsert` and `skip_existing` recognize rows"
        ),
        Self(
            "extra_columns",
            .choice(ExtraColumns.self),
            default: .value("error"),
            for: .restore,
            "[columns of the file that the table lacks](restore.md#columns-that-differ)"
        ),
        Self(
            "missing_columns",
            .choice(MissingColumns.self).named("`error`, `default`, `null`"),
            for: .restore,
            "columns of the table that the file lacks; `null` is `default` with a warning"
        ),
        Self(
            "triggers",
            .choice(TriggerMode.self),
            default: .value("auto"),
            for: .restore,
            "whether [triggers](restore.md#triggers) fire for the rows"
        ),
        Self(
            "indexes",
            .choice(RebuildMode.self),
            default: .value("auto"),
            for: .restore,
            "whether [indexes and unique keys](restore.md#indexes-and-keys) are built after the rows"
        ),
        Self(
            "foreign_keys",
            .choice(RebuildMode.self),
            default: .value("auto"),
            for: .restore,
            "whether foreign keys are checked after the rows"
        ),
        Self(
            "max_rejects",
            .number(from: 0, "whole number"),
            default: .value("0"),
            for: .restore,
            "[rows that may be rejected](restore.md#rejected-rows) before the table fails"
        ),
        Self("rename", .mapping(.rename), for: .restore, "[under which other names](restore.md#other-names)"),
    ]

    // MARK: Forms

    private static let truncate = KeyForm(
        "true, false, `cascade`",
        KeyForm.bool(or: "cascade").alternatives + [
            ["type": "string", "pattern": .text("^\(KeyForm.anyCase("cascade"))$")]
        ]
    )

    /// With the levels of each format, and the words for none.
    private static let compression: KeyForm = {
        let levels = CompressionFormat.allCases.map { format in
            "\(format.rawValue):(level=)?0?(\(format.levels.map { String($0) }.joined(separator: "|")))"
        }
        let none = ["none", "null", "false", "no", "off"].map { KeyForm.anyCase($0) }
        return .choice(
            CompressionFormat.allCases.map(\.rawValue),
            hidden: [false],
            pattern: "^(|\((levels + none).joined(separator: "|")))\\n?$|^(gzip|zstd)\\n$"
        )
        .named("`gzip`, `zstd`, `null`")
    }()
}
