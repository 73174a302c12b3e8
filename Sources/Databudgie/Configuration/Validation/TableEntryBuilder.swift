import Compression

/// Builds the entries of `tables`.
struct TableEntryBuilder {
    private let builder: ConfigurationBuilder
    private let scope: KeyScope
    /// An entry's own `ddl` turns definitions on, so those that say nothing follow the level above.
    private(set) var hasDefinitions = false
    private var read: ValueReader { builder.read }
    private var report: ConfigurationProblems { builder.report }

    init(_ builder: ConfigurationBuilder, _ scope: KeyScope) {
        self.builder = builder
        self.scope = scope
        hasDefinitions = rawEntries().contains {
            $0.mapping["name"]?.isNull == false && read.includesDefinitions(KeyScope([$0.mapping])) == true
        }
    }

    /// An entry as it was written, with its name.
    private struct RawEntry {
        var mapping: SourceMapping
        var place: SourcePlace
    }

    func backupEntries() -> [BackupEntry] {
        var entries: [BackupEntry] = []
        for raw in rawEntries() {
            let scope = scope.inside(raw.mapping)
            let entry = backupEntry(scope, raw.place)
            if builder.action != .restore { check(entry, raw.place) }
            entries.append(entry)
        }
        if builder.action != .restore { PathCollisions.check(entries, report) }
        return entries
    }

    func restoreEntries() -> [RestoreEntry] {
        var entries: [RestoreEntry] = []
        for raw in rawEntries() {
            let scope = scope.inside(raw.mapping)
            let entry = restoreEntry(scope, raw.place)
            if entry.options.name == nil {
                if builder.action != .backup { check(backupEntry(scope, raw.place), raw.place) }
                continue
            }
            LoadModeReader(read).checkKey(in: raw.mapping, of: entry.mode)
            entries.append(entry)
        }
        return entries
    }

    /// Reads the values above any entry: they are checked even when every entry has its own.
    func checkGeneralValues() {
        let place = SourcePlace("")
        _ = backupEntry(scope, place)
        _ = restoreEntry(scope, place)
    }

    private func rawEntries() -> [RawEntry] {
        guard let tables = scope["tables"], !tables.isNull else { return [] }
        switch tables.content {
        case .mapping(let mapping):
            return mapping.entries.filter { !$0.isNote }.compactMap { entry in
                guard var options = entry.value.isNull ? SourceMapping() : entry.value.mapping else {
                    report.add(
                        .wrongType,
                        "the options of the table '\(entry.key)' must be a mapping, not \(entry.value.noun)",
                        at: entry.value.place
                    )
                    return nil
                }
                report.checkKeys(of: options, .table)
                if options["name"] == nil {
                    options.set("name", SourceValue(text: entry.key, at: entry.keyPlace), keyPlace: entry.keyPlace)
                }
                return RawEntry(mapping: options, place: entry.keyPlace)
            }
        case .list(let list):
            return list.compactMap { element in
                if let mapping = element.mapping {
                    report.checkKeys(of: mapping, .table)
                    return RawEntry(mapping: mapping, place: element.place)
                }
                guard !element.isNull, let scalar = element.scalar, scalar.kind != .bool else {
                    report.add(
                        .wrongType,
                        "an element of 'tables' must be a name or a mapping, not \(element.noun)",
                        at: element.place
                    )
                    return nil
                }
                var mapping = SourceMapping()
                mapping["name"] = element
                return RawEntry(mapping: mapping, place: element.place)
            }
        case .scalar:
            report.add(.wrongType, "'tables' must be a list or a mapping, not \(tables.noun)", at: tables.place)
            return []
        }
    }

    private func backupEntry(_ scope: KeyScope, _ place: SourcePlace) -> BackupEntry {
        let format = CompressionReader(read).format(scope["compression"])
        return BackupEntry(
            options: options(scope, place),
            query: read.template(nonEmpty(scope, "query"), "query"),
            compression: format.compression,
            compressionLevel: format.level,
            skipsIfExists: read.bool(scope["skip_if_exists"], "skip_if_exists") ?? false,
            appliesRowSecurity: read.bool(scope["row_security"], "row_security") ?? false
        )
    }

    private func restoreEntry(_ scope: KeyScope, _ place: SourcePlace) -> RestoreEntry {
        let (mode, truncate) = LoadModeReader(read).mode(scope)
        return RestoreEntry(
            options: options(scope, place),
            strategy: read.choice(scope["strategy"], "strategy", RestoreStrategy.self),
            compression: CompressionReader(read).format(scope["compression"]).compression,
            truncate: truncate,
            mode: mode,
            conflictColumns: LoadModeReader(read).key(scope),
            extraColumns: read.choice(scope["extra_columns"], "extra_columns", ExtraColumns.self) ?? .error,
            missingColumns: read.choice(scope["missing_columns"], "missing_columns", MissingColumns.self),
            triggers: read.choice(scope["triggers"], "triggers", TriggerMode.self) ?? .automatic,
            indexes: read.choice(scope["indexes"], "indexes", RebuildMode.self) ?? .automatic,
            foreignKeys: read.choice(scope["foreign_keys"], "foreign_keys", RebuildMode.self) ?? .automatic,
            renaming: read.renaming(scope["rename"]),
            maxRejects: read.number(scope["max_rejects"], "max_rejects") ?? 0,
            query: scope["query"]?.scalar?.text
        )
    }

    private func options(_ scope: KeyScope, _ place: SourcePlace) -> TableOptions {
        let location = read.text(scope["location"], "location")
        let root = read.text(scope["root_location"], "root_location")
        var options = TableOptions(
            name: read.name(nonEmpty(scope, "name"), "name"),
            location: builder.composedLocation(
                location,
                root,
                "backups/{table}",
                at: scope["location"]?.place ?? place
            ),
            filename: read.template(nonEmpty(scope, "filename"), "filename"),
            exclude: read.texts(scope["exclude"], "exclude") ?? [],
            includesDefinition: read.includesDefinitions(scope) ?? !hasDefinitions,
            includesSequences: read.bool(scope["sequences"], "sequences"),
            includesRows: read.bool(scope["data"], "data") ?? true,
            followsForeignKeys: read.bool(scope["follow_foreign_keys"], "follow_foreign_keys") ?? false,
            isStrict: read.bool(scope["strict"], "strict") ?? false,
            place: place.description
        )
        options.hasExplicitLocation = location?.isEmpty == false
        return options
    }

    private func nonEmpty(_ scope: KeyScope, _ key: String) -> SourceValue? {
        guard let value = scope[key] else { return nil }
        guard let scalar = value.scalar, scalar.kind == .string, scalar.text.isEmpty else { return value }
        report.add(.invalidValue, "'\(key)' is empty", hint: "remove it to use its default", at: value.place)
        return nil
    }

    private func check(_ entry: BackupEntry, _ place: SourcePlace) {
        guard entry.options.name == nil else { return }
        guard entry.hasExplicitQuery, entry.options.hasExplicitLocation else {
            report.add(
                .invalidValue,
                "an entry without 'name' needs 'query' and 'location'",
                hint: "give it a name, or both of them",
                at: place
            )
            return
        }
        for (key, template) in [
            ("query", entry.query), ("location", entry.options.location), ("filename", entry.options.filename),
        ] where template.variables.contains(.table) {
            report.add(
                .invalidValue,
                "an entry without 'name' has no table, so its '\(key)' cannot use {table}",
                hint: "give it a name",
                at: place
            )
        }
    }
}
