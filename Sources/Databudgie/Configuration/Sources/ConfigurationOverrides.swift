/// What the command line says; each option beats the same key at every level of the configuration.
public struct ConfigurationOverrides: Sendable, Equatable {
    /// `--strict` or `--no-strict`.
    public var strict: Bool?
    /// `--adapter`.
    public var adapter: String?
    /// The files named by `--config`, later ones over earlier ones.
    public var configFiles: [String] = []
    /// `--connection`: a name among `connections`, or a URL.
    public var connection: String?
    /// `--ddl` or `--no-ddl`.
    public var ddl: Bool?
    /// `--url`.
    public var url: String?
    /// `--location`; still composed under `root_location`.
    public var location: String?
    /// The names given by `--table`; they replace any `tables`.
    public var tables: [String] = []
    /// The globs given by `--exclude`; they replace any `exclude`.
    public var excludes: [String] = []
    /// The `TABLE=CONDITION` pairs given by `--start`; they replace any `start` of `subset`.
    public var starts: [String] = []
    /// `--jobs`: how many tables a backup exports, or groups of tables a restore loads, at once.
    public var jobs: Int?
    /// `--metrics`: the file to which monitoring looks.
    public var metrics: String?
    /// `--dry-run` or `--no-dry-run`.
    public var dryRun: Bool?
    /// `--raw-config`: configuration as a text.
    public var rawConfig: String?
    /// `--raw-config-format`: the format of ``rawConfig`` and of standard input.
    public var rawConfigFormat: ConfigurationFormat = .json
    /// `--backup-id`.
    public var backupID: Int?
    /// `--restore-id`.
    public var restoreID: Int?
    /// `--clean` or `--no-clean`.
    public var clean: Bool?
    /// `--yes`: no confirmation is asked for.
    public var yes: Bool = false
    /// `--set`: the id of a backup set, or how it begins, or `latest`.
    public var set: String?
    /// `--as-of`: a date or a time, as ISO 8601 has it.
    public var asOf: String?

    /// Creates options of which none is given.
    public init() {}

    /// Writes the options over a configuration: they are at its root, and nowhere else.
    ///
    /// - Throws: ``ConfigurationError`` when options exclude each other.
    func apply(to root: inout SourceMapping) throws(ConfigurationError) {
        if url != nil, connection != nil {
            throw ConfigurationError(
                .conflictingOptions,
                "--url and --connection exclude each other",
                hint: "use only one of them"
            )
        }
        if set != nil, asOf != nil {
            throw ConfigurationError(
                .conflictingOptions,
                "--set and --as-of exclude each other",
                hint: "use only one of them"
            )
        }
        if let url { replace(["url", "connection"], with: ("url", url), option: "--url", in: &root) }
        if let connection {
            replace(["url", "connection"], with: ("connection", connection), option: "--connection", in: &root)
        }
        if let adapter { replace(["adapter"], with: ("adapter", adapter), option: "--adapter", in: &root) }
        if let location { replace(["location"], with: ("location", location), option: "--location", in: &root) }
        if let strict {
            let place = SourcePlace(strict ? "--strict" : "--no-strict")
            replace(["strict"], key: "strict", value: .bool(strict, at: place), in: &root)
        }
        if let jobs {
            replace(["jobs"], with: ("jobs", String(jobs)), option: "--jobs", in: &root)
        }
        if let metrics { replace(["metrics"], with: ("metrics", metrics), option: "--metrics", in: &root) }
        if !tables.isEmpty { replace(["tables"], key: "tables", value: list(tables, "--table"), in: &root) }
        if !excludes.isEmpty { replace(["exclude"], key: "exclude", value: list(excludes, "--exclude"), in: &root) }
        if !starts.isEmpty { try applyStarts(to: &root) }
        if let ddl { apply(ddl: ddl, to: &root) }
    }

    private func list(_ texts: [String], _ option: String) -> SourceValue {
        let place = SourcePlace(option)
        return SourceValue(.list(texts.map { SourceValue(text: $0, at: place) }), at: place)
    }

    private func replace(
        _ keys: [String],
        with pair: (key: String, text: String),
        option: String,
        in root: inout SourceMapping
    ) {
        replace(keys, key: pair.key, value: SourceValue(text: pair.text, at: SourcePlace(option)), in: &root)
    }

    private func replace(_ keys: [String], key: String, value: SourceValue, in root: inout SourceMapping) {
        root.changeLevels { level, _ in
            for key in keys { level[key] = nil }
        }
        root[key] = value
    }

    /// Chooses other rows to begin with, and leaves the rest of `subset` as it is.
    private func applyStarts(to root: inout SourceMapping) throws(ConfigurationError) {
        let place = SourcePlace("--start")
        var tables = SourceMapping()
        for start in starts {
            let parts = start.utf8.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                throw ConfigurationError(
                    .invalidValue,
                    "'\(start)' is not a table and a condition",
                    hint: "write TABLE=CONDITION, for instance 'public.customers=id = 4'",
                    at: place
                )
            }
            let (table, condition) = (
                String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self)
            )
            let before = tables[table]?.list ?? []
            tables[table] = SourceValue(.list(before + [SourceValue(text: condition, at: place)]), at: place)
        }
        let value = SourceValue(.mapping(tables), at: place)
        var isDone = false
        func apply(to level: inout SourceMapping) {
            guard let subset = level["subset"], var mapping = subset.mapping else { return }
            mapping["start"] = value
            level["subset"] = SourceValue(.mapping(mapping), at: subset.place)
            isDone = true
        }
        apply(to: &root)
        if let backup = root["backup"], var level = backup.mapping {
            // A null there would hide what is at the root.
            if level["subset"]?.isNull == true { level["subset"] = nil }
            apply(to: &level)
            root["backup"] = SourceValue(.mapping(level), at: backup.place)
        }
        guard !isDone else { return }
        var mapping = SourceMapping()
        mapping["start"] = value
        root["subset"] = SourceValue(.mapping(mapping), at: place)
    }

    /// Switches definitions on or off without losing where the files are and how they are named.
    private func apply(ddl: Bool, to root: inout SourceMapping) {
        let value = SourceValue.bool(ddl, at: SourcePlace(ddl ? "--ddl" : "--no-ddl"))
        root.changeLevels { level, isTable in
            guard let given = level["ddl"] else { return }
            if var mapping = given.mapping, !isTable {
                mapping["enabled"] = value
                level["ddl"] = SourceValue(.mapping(mapping), at: given.place)
            } else {
                level["ddl"] = nil
            }
        }
        if root["ddl"] == nil { root["ddl"] = value }
    }
}

extension SourceMapping {
    /// Changes the root, `backup`, `restore` and every entry of their tables.
    fileprivate mutating func changeLevels(_ change: (_ level: inout SourceMapping, _ isTable: Bool) -> Void) {
        changeTables(change)
        for command in ["backup", "restore"] {
            guard let value = self[command], var level = value.mapping else { continue }
            level.changeTables(change)
            change(&level, false)
            self[command] = SourceValue(.mapping(level), at: value.place)
        }
        change(&self, false)
    }

    private mutating func changeTables(_ change: (_ level: inout SourceMapping, _ isTable: Bool) -> Void) {
        guard let tables = self["tables"] else { return }
        func changed(_ entry: SourceValue) -> SourceValue {
            guard var level = entry.mapping else { return entry }
            change(&level, true)
            return SourceValue(.mapping(level), at: entry.place)
        }
        switch tables.content {
        case .list(let entries):
            self["tables"] = SourceValue(.list(entries.map(changed)), at: tables.place)
        case .mapping(var entries):
            for entry in entries.entries {
                entries.set(entry.key, changed(entry.value), keyPlace: entry.keyPlace)
            }
            self["tables"] = SourceValue(.mapping(entries), at: tables.place)
        case .scalar: return
        }
    }
}
