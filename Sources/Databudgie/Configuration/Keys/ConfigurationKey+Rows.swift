/// Keys that choose rows and mask columns.
extension ConfigurationKey {
    static let ofSubsets: [ConfigurationKey] = [
        Self(
            "start",
            .map(to: KeyForm.oneOrMore(KeyForm.sql.schema, KeyForm.part(.subsetStart)), notes: [:]),
            default: .words("required"),
            "tables, each with a condition, a mapping (below), or a list of them"
        ),
        Self("children", .bool, default: .value("true"), "rows that refer to chosen rows are chosen, too"),
        Self("whole", .texts, default: .value("[]"), "names or globs of tables of which all rows are exported"),
        Self(
            "unconnected",
            .choice(SubsetSettings.Unconnected.self),
            default: .words("`whole`; `error` with `tenants`"),
            "tables that no chain of references connects with the start"
        ),
        Self(
            "max_rows",
            .number(from: 1, "whole number"),
            default: .words("no limit"),
            "more rows than this, chosen, linked and of whole tables, stop the run"
        ),
        Self(
            "references",
            .map(
                to: KeyForm.oneOrMore(
                    ["enum": .list(SubsetReference.Follow.allCases.map { .text($0.rawValue) })],
                    KeyForm.part(.subsetReference),
                    KeyForm.outside
                ),
                notes: [:]
            ),
            default: .value("{}"),
            "what is special about references: a word of `follow`, a mapping (below), or a list of them"
        ),
        Self("tenants", .text, "the table of the tenants"),
        Self(
            "crossing",
            .choice(SubsetSettings.Crossing.self),
            default: .value("error"),
            "references to rows of other tenants"
        ),
    ]

    static let ofSubsetStarts: [ConfigurationKey] = [
        Self("where", sql, "a condition over the columns of the table; `null`: all rows"),
        Self("order_by", sql, "the order in which rows count for `limit`"),
        Self("limit", count, default: .words("no limit"), "the most rows"),
        Self(
            "sample",
            sample,
            default: .words("all rows"),
            "a share of the rows such as `1%`, by a hash of the primary key"
        ),
        Self("allow_empty", .bool, default: .value("false"), "a start that selects nothing is not an error"),
    ]

    static let ofSubsetReferences: [ConfigurationKey] = [
        Self(
            "follow",
            .choice(SubsetReference.Follow.self),
            default: .words("`both`; `parents` with `children: false`"),
            "[how it is followed](#references)"
        ),
        Self("to", .text, "what it refers to, `schema.table.column`, when no constraint says so"),
        Self("when", sql, "a condition of the referring row, without which it refers to nothing"),
        Self("expression", sql, "an expression over the columns of the referring row, in place of a column"),
        Self("elements", .bool, default: .value("false"), "the column is an array of keys"),
        Self("where", sql, "which of the referring rows are chosen: a condition over their columns"),
        Self(
            "limit",
            count,
            default: .words("no limit"),
            "the most referring rows that are chosen, for each row they refer to"
        ),
        Self("order_by", sql, "the order in which referring rows count for `limit`"),
        Self("sample", sample, default: .words("all rows"), "a share of the referring rows such as `1%`"),
    ]

    static let ofMasking: [ConfigurationKey] = [
        Self(
            "key",
            .secret,
            "what masks depend on, at least 16 bytes; `random`, or none: another one in each run"
        ),
        Self(
            "policy",
            .choice(MaskingConfiguration.Policy.self),
            default: .value("open"),
            "what becomes of columns without a rule: they are reported, or stop the run"
        ),
        Self(
            "columns",
            .map(to: mask, notes: [:]),
            default: .value("{}"),
            "exact names or globs over `schema.table.column`, each with its [mask](masking.md#rules)"
        ),
        Self("keep", .texts, default: .value("[]"), "exact names or globs of what is exported as it is"),
    ]

    static let ofMasks: [ConfigurationKey] =
        [Self("mask", .choice(Mask.names), default: nil, "the name of a mask that needs no value")]
        + Mask.names.map { name in Self(name, maskValue(name), default: nil, "the [mask](masking.md#rules) `\(name)`") }
        + ofMaskOptions

    /// What a mask can have besides its name.
    static let ofMaskOptions: [ConfigurationKey] = [
        Self("by", .text, "the column whose value it depends on, in place of the masked one"),
        Self("context", .text, "a word; values of one context are equal only among themselves"),
        Self("locale", .choice(NameLocale.self), default: .value("en"), "the language of names"),
        Self("unique", .bool, default: .value("false"), "the expression of `sql` keeps different values different"),
    ]

    static let ofRedact: [ConfigurationKey] = [
        Self("first", shown, default: .value("0"), "how many characters stay at the beginning"),
        Self("last", shown, default: .value("0"), "how many characters stay at the end"),
    ]

    // MARK: Forms

    private static let sql = KeyForm("string", KeyForm.secret.alternatives)
    private static let count = KeyForm.number(from: 1, "whole number")
    private static let sample = KeyForm.text("string", pattern: #"^[0-9]*\.?[0-9]*%$"#)
    private static let shown = KeyForm.number(from: 0, to: 1_000, "0 to 1000")

    /// A word, or a mapping with the mask's name among its keys.
    private static let mask: SchemaNode = [
        "anyOf": [
            ["enum": .list(Mask.names.map { .text($0) } + [.null])], KeyForm.part(.mask), KeyForm.outside,
        ]
    ]

    /// What the name of a mask can have as its value.
    private static func maskValue(_ name: String) -> KeyForm {
        switch name {
        case "value", "sql": .secret
        case "shift", "noise": .text
        case "truncate": .choice(Mask.DateUnit.self)
        case "redact": .mapping(.redact)
        case "choose":
            .list(of: ["type": ["string", "number", "boolean"]], "list")
        case "each": KeyForm("mask", [mask])
        case "paths": .map(to: mask)
        case "keep_paths": .texts
        // `{email: }` and `{email: true}` say no more than `email`.
        default: KeyForm("true", [["enum": [true, .null]]])
        }
    }
}
