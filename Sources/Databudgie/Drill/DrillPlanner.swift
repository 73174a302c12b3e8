import Postgres
import Storage

/// What a drill restores of a set.
struct DrillPlan: Sendable {
    /// The entries of the tables that have definitions; none when the set has no definitions.
    var entries: [RestoreEntry] = []
    /// How the definitions are found.
    var definitions = DefinitionConfiguration()
    /// The tables that are restored, each from one file of the set, by their names.
    var tables: [(key: QualifiedName, value: SetRecord.Table)] = []
    /// Those of them without definitions.
    var undefinedNames: Set<QualifiedName> = []
    /// What the user should know.
    var findings: [Finding] = []
}

/// Plans a drill: every table of the set, as the entries of the configuration or the record say where it is.
struct DrillPlanner {
    /// The schema of names without one: the scratch database has no other.
    static let defaultSchema = "public"

    let record: SetRecord
    let catalog: SetCatalog
    let configuration: Configuration
    /// Whose catalog it is.
    let kind: RunKind

    /// Chooses the tables, and reads the definitions for it.
    ///
    /// - Throws: ``DatabudgieError`` when the definitions of the set are not found; `StorageError`.
    func plan() async throws -> DrillPlan {
        var plan = DrillPlan()
        chooseTables(&plan)
        plan.undefinedNames = Set(plan.tables.map(\.key))
        guard !record.definitions.isEmpty else {
            plan.findings.append(withoutDefinitions)
            return plan
        }
        plan.definitions = configuration.run(for: kind).definitions
        (plan.definitions.isEnabled, plan.definitions.recreatesDatabase) = (true, false)
        (plan.definitions.role, plan.definitions.strategy) = (nil, .useLatestSet)
        var entries = configuredEntries
        let configured = EntryNames(entries)
        entries += plan.tables.filter { name, _ in configured.first(of: name) == nil }.map { name, table in
            RestoreEntry(options: options(name, table), strategy: .useLatestSet)
        }
        guard let stored = try await definitions(plan.definitions, entries) else { return plan }
        let listed = Set(stored.listed).union(stored.failures.map(\.unit.tableName))
        plan.undefinedNames.subtract(listed)
        let foreign = foreignTables(stored)
        for name in plan.tables.map(\.key) where foreign.contains(name) {
            plan.findings.append(
                .warning("its rows are in another database, so it is restored without any", of: name.label)
            )
        }
        plan.tables.removeAll { foreign.contains($0.key) }
        plan.entries = placed(entries, known: listed, rowless: foreign.intersection(listed), plan)
        if !plan.undefinedNames.isEmpty { plan.findings.append(Self.undefined(plan.undefinedNames.count)) }
        return plan
    }

    private var withoutDefinitions: Finding {
        .warning(
            "the set \(record.id) has no definitions: its tables are created with the recorded columns, and no keys or other "
                + "constraints are tested",
            hint: "back up with 'ddl: true' for sets that can be restored without anything else"
        )
    }

    private static func undefined(_ count: Int) -> Finding {
        .warning(
            "\(counted(count, "table")) of the set \(count == 1 ? "has" : "have") no definitions, and "
                + "\(count == 1 ? "is" : "are") created with the recorded columns alone"
        )
    }

    /// One file for each table: all rows of it if possible.
    private func chooseTables(_ plan: inout DrillPlan) {
        var places: [QualifiedName: Int] = [:]
        var queries = 0
        for table in record.tables where table.file != nil {
            guard let name = table.tableName(defaultSchema: Self.defaultSchema) else {
                queries += 1
                continue
            }
            guard let place = places[name] else {
                places[name] = plan.tables.count
                plan.tables.append((name, table))
                continue
            }
            if plan.tables[place].value.query != nil, table.query == nil { plan.tables[place].value = table }
            plan.findings.append(
                .warning("the set has more than one file of it, of which one is restored", of: name.label)
            )
        }
        guard queries > 0 else { return }
        plan.findings.append(
            .warning(
                "the \(queries == 1 ? "result of a query" : "results of \(queries) queries") without a name "
                    + "\(queries == 1 ? "belongs" : "belong") to no table, and \(queries == 1 ? "is" : "are") not restored"
            )
        )
    }

    // MARK: - Entries

    /// The entries of the configuration, without what it says about the target of a restore.
    private var configuredEntries: [RestoreEntry] {
        let entries: [(options: TableOptions, query: String?)] =
            switch kind {
            case .backup:
                configuration.backup.tables.map { ($0.options, $0.hasExplicitQuery ? $0.query.description : nil) }
            case .restore: configuration.restore.tables.map { ($0.options, $0.query) }
            }
        return entries.filter { $0.options.name != nil }.map { options, query in
            var options = options
            // The tables that are included by foreign keys are in the record themselves.
            (options.isStrict, options.followsForeignKeys) = (false, false)
            return RestoreEntry(options: options, strategy: .useLatestSet, query: query)
        }
    }

    /// The options of a table that no entry names, because the configuration has changed: where its file is.
    private func options(_ name: QualifiedName, _ table: SetRecord.Table) -> TableOptions {
        let path = table.file.flatMap { try? catalog.paths.path(of: $0.path) }
        let folder = path?.parent.map { Template(parts: [.literal($0.description)]) }
        return TableOptions(name: name.asPattern, location: folder)
    }

    /// The definitions that the entries ask for; nil when the set has none of them.
    private func definitions(
        _ settings: DefinitionConfiguration,
        _ entries: [RestoreEntry]
    ) async throws -> StoredDefinitions? {
        let reader = DefinitionReader(
            storages: catalog.storages,
            settings: settings,
            defaultSchema: Self.defaultSchema,
            manifest: nil,
            set: try RestoreSet(record, paths: catalog.paths, defaultSchema: Self.defaultSchema)
        )
        do {
            return try await reader.read(entries)
        } catch let error as DatabudgieError where error.code == .nothingToDo {
            return nil
        }
    }

    /// The entries of tables with definitions: those of the configuration, and one for each table that needs another.
    private func placed(
        _ entries: [RestoreEntry],
        known: Set<QualifiedName>,
        rowless: Set<QualifiedName>,
        _ plan: DrillPlan
    ) -> [RestoreEntry] {
        let recorded = record.tables.compactMap { $0.tableName(defaultSchema: Self.defaultSchema) }
        let several = Set(Dictionary(grouping: recorded, by: \.self).filter { $0.value.count > 1 }.keys)
        let special = rowless.union(several.subtracting(plan.undefinedNames))
        let excluded = special.union(plan.undefinedNames).map(\.asPattern).sorted { ByteKey($0) < ByteKey($1) }
        let matcher = EntryNames(entries)
        let own = special.sorted().compactMap { name -> RestoreEntry? in
            guard var entry = matcher.first(of: name).map({ entries[$0] }) else { return nil }
            (entry.options.name, entry.options.exclude) = (name.asPattern, [])
            entry.query = plan.tables.first { $0.key == name }?.value.query
            if rowless.contains(name) { (entry.options.includesRows, entry.options.includesSequences) = (false, false) }
            return entry
        }
        let names = known.union(recorded)
        let others = entries.compactMap { entry -> RestoreEntry? in
            guard let name = entry.options.name else { return nil }
            let pattern = TableSelection.pattern(for: name, in: Self.defaultSchema)
            if !Glob(pattern).hasWildcards {
                guard let exact = PathComponent.name(pattern), names.contains(exact), !special.contains(exact),
                    !plan.undefinedNames.contains(exact)
                else { return nil }
            }
            var entry = entry
            entry.options.exclude += excluded
            return entry
        }
        return others + own
    }

    /// Foreign tables, whose rows are in another database, and partitioned tables with some among their partitions.
    private func foreignTables(_ stored: StoredDefinitions) -> Set<QualifiedName> {
        var foreign = Set(stored.kinds.filter { $0.value == .foreignTable }.keys)
        guard !foreign.isEmpty else { return [] }
        let attachments = stored.definitions.compactMap { PartitionAttachment($0.definition) }
        var count = 0
        while count < foreign.count {
            count = foreign.count
            for attachment in attachments where foreign.contains(attachment.partition) {
                foreign.insert(attachment.root)
            }
        }
        return foreign
    }
}

/// Which entry names a table first, exactly or by a glob.
private struct EntryNames {
    private var exact: [ByteKey: [Int]] = [:]
    private var globs: [(number: Int, glob: Glob)] = []
    private let isExcluded: [(QualifiedName) -> Bool]

    init(_ entries: [RestoreEntry]) {
        isExcluded = entries.map { TableSelection.exclusion($0.options.exclude) }
        for (number, entry) in entries.enumerated() {
            guard let name = entry.options.name else { continue }
            let pattern = TableSelection.pattern(for: name, in: DrillPlanner.defaultSchema)
            exact[ByteKey(pattern), default: []].append(number)
            let glob = Glob(pattern)
            if glob.hasWildcards { globs.append((number, glob)) }
        }
    }

    func first(of name: QualifiedName) -> Int? {
        let text = name.description
        let named = exact[ByteKey(text), default: []] + globs.filter { $0.glob.matches(text) }.map(\.number)
        return named.filter { !isExcluded[$0](name) }.min()
    }
}

extension QualifiedName {
    /// A name for an entry that finds this relation alone, whatever characters it has.
    var asPattern: String {
        let special = ["*", "?", "["].map { UInt8(ascii: $0) }
        return String(
            decoding: description.utf8.flatMap { byte in
                special.contains(byte) ? [UInt8(ascii: "["), byte, UInt8(ascii: "]")] : [byte]
            },
            as: UTF8.self
        )
    }
}
