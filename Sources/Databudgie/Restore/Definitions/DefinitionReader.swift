import Postgres
import Storage

/// Reads the definitions that the entries of a restore ask for.
struct DefinitionReader {
    let storages: StorageRouter
    let settings: DefinitionConfiguration
    /// The schema of names without a dot.
    let defaultSchema: String
    /// Globs do not find the manifest.
    let manifest: QualifiedName?
    /// The set whose definitions are read, where no entry chooses them in another way.
    var set: RestoreSet?

    /// What was found for the entries whose definitions come from one place.
    private struct Gathered {
        let found: DefinitionSearch.Conclusion
        let entries: [RestoreEntry]
        var included: [Inclusion]
    }

    /// A table that is included by foreign keys.
    private struct Inclusion {
        let candidate: DependencyDefinitions.Candidate
        let batch: ScriptBatch

        /// The file of its definitions.
        var path: StoragePath? {
            batch.scripts.first { $0.request.unit == candidate.unit }?.path
        }
    }

    /// Reads the lists of tables, and the files of those that an entry names.
    ///
    /// - Parameter entries: The restore's entries.
    /// - Returns: What is to be created, and which tables cannot be, because a file is missing or damaged.
    /// - Throws: ``DatabudgieError`` when there is no list, or when nothing of it is asked for; `StorageError`.
    func read(_ entries: [RestoreEntry]) async throws -> StoredDefinitions {
        let groups = try await gather(entries)
        let included = groups.flatMap(\.included)
        let owners =
            groups.flatMap { group in group.found.tables.map { ($0.unit, group.entries[$0.entry]) } }
            + included.map { ($0.candidate.unit, $0.candidate.entry) }
        var seen: Set<PathComponent> = []
        let listed =
            included.map(\.candidate.unit) + groups.flatMap(\.found.batch.listed) + included.flatMap(\.batch.listed)
        let scripts = Self.scripts(groups.flatMap(\.found.batch.scripts), included)
        let isolation = DefinitionIsolation(
            scripts,
            failures: (groups.flatMap(\.found.batch.failures) + included.flatMap(\.batch.failures)).map {
                (unit: $0.request.unit, error: $0.error)
            }
        )
        return isolation.separated(
            StoredDefinitions(
                listed: listed.filter { seen.insert($0.component).inserted }.map(\.tableName),
                definitions: scripts.definitions.flatMap { $0.withRowSecurityInTime() },
                included: included.map { ($0.candidate.unit.tableName, $0.candidate.entry) },
                rowless: Self.rowless(owners),
                findings: groups.flatMap(\.found.findings)
            ),
            strict: Set(owners.filter(\.1.options.isStrict).map(\.0.tableName))
        )
    }

    /// Finds the definitions from the set, and those of entries that choose theirs in another way.
    private func gather(_ entries: [RestoreEntry]) async throws -> [Gathered] {
        let recorded = settings.takesSet ? set.map { RecordedDefinitions($0) } : nil
        let isRecorded = { (entry: RestoreEntry) in
            recorded != nil && (settings.strategy == .useLatestSet || entry.takesSet)
        }
        let hasRecorded = entries.contains { $0.options.includesDefinition && isRecorded($0) }
        let hasOthers = entries.contains { $0.options.includesDefinition && !isRecorded($0) }
        var groups: [Gathered] = []
        if let recorded, hasRecorded {
            let own = recorded.placed(entries.map { isRecorded($0) ? $0 : $0.withoutDefinition })
            groups.append(try await gather(own, recorded))
        }
        if hasOthers || !hasRecorded {
            groups.append(try await gather(entries.map { isRecorded($0) ? $0.withoutDefinition : $0 }, nil))
        }
        guard groups.contains(where: { !$0.found.tables.isEmpty }) else {
            throw DefinitionSearch.nothing(in: groups[0].found.newest)
        }
        let named = Set(groups.flatMap { $0.found.tables.map(\.unit) })
        for index in groups.indices { groups[index].included.removeAll { named.contains($0.candidate.unit) } }
        return groups
    }

    private func gather(_ entries: [RestoreEntry], _ recorded: RecordedDefinitions?) async throws -> Gathered {
        let search = DefinitionSearch(
            storages: storages,
            settings: recorded?.placed(settings) ?? settings,
            entries: entries,
            defaultSchema: defaultSchema,
            manifest: manifest,
            recorded: recorded
        )
        let found = try await search.run()
        let included = try await included(by: found, entries, recorded)
        return Gathered(found: found, entries: entries, included: included)
    }

    /// The scripts of tables that others refer to, then those of the tables that entries name.
    private static func scripts(_ named: [FoundScript], _ included: [Inclusion]) -> [FoundScript] {
        let places = Dictionary(
            included.compactMap { item in item.path.map { (item.candidate.unit, $0) } },
            uniquingKeysWith: { first, _ in first }
        )
        return (included.reversed().flatMap(\.batch.scripts) + named).map { item in
            // A view, say, may require a table that is included as well, from another place.
            var item = item
            item.script.definitions.removeAll { definition in
                definition.unit.flatMap { places[$0] }.map { $0 != item.path } ?? false
            }
            return item
        }
    }

    /// The tables of which no entry wants the rows.
    private static func rowless(_ owners: [(unit: DefinitionScript.Unit, entry: RestoreEntry)]) -> Set<QualifiedName> {
        let withRows = Set(owners.filter(\.entry.options.includesRows).map(\.unit))
        return Set(owners.filter { !withRows.contains($0.unit) }.map(\.unit.tableName))
    }

    /// Reads the definitions of the tables that are included by foreign keys.
    ///
    /// - Returns: Those that were found, each once.
    private func included(
        by found: DefinitionSearch.Conclusion,
        _ entries: [RestoreEntry],
        _ recorded: RecordedDefinitions?
    ) async throws -> [Inclusion] {
        var search = DependencyDefinitions(
            owners: found.tables.map {
                .init(entry: $0.entry, unit: $0.unit, component: found.newest.catalog.component(of: $0.unit))
            },
            entries: entries,
            units: found.names.map { DefinitionScript.Unit(schema: $0.schema, table: $0.name) }
        )
        var included: [Inclusion] = []
        var scripts = Dictionary(grouping: found.batch.scripts, by: \.request.unit.component)
            .mapValues { $0.map(\.script) }
        while true {
            let candidates = try search.next(scripts)
            guard !candidates.isEmpty else { return included }
            for candidate in try await existing(candidates, found.newest, recorded) where search.find(candidate) {
                let table = ScriptRequest(entry: 0, unit: candidate.unit)
                let batch = try await reader([candidate.entry], recorded).read(
                    ScriptRequest.withSchemas([table]),
                    found.newest,
                    listed: [candidate.unit]
                )
                scripts[candidate.unit.component] = batch.scripts.filter { $0.request == table }.map(\.script)
                included.append(Inclusion(candidate: candidate, batch: batch))
            }
        }
    }

    /// Those of some places that have a file.
    private func existing(
        _ candidates: [DependencyDefinitions.Candidate],
        _ list: DefinitionLists.List,
        _ recorded: RecordedDefinitions?
    ) async throws -> [DependencyDefinitions.Candidate] {
        let requests = candidates.enumerated().map { ScriptRequest(entry: $0, unit: $1.unit) }
        let exist = try await reader(candidates.map(\.entry), recorded).exist(requests, list)
        return zip(candidates, exist).filter(\.1).map(\.0)
    }

    private func reader(_ entries: [RestoreEntry], _ recorded: RecordedDefinitions?) -> ScriptReader {
        ScriptReader(storages: storages, strategy: settings.strategy, entries: entries, recorded: recorded)
    }
}

extension RestoreEntry {
    /// The same, whose definitions come from another place; it keeps its position among the others.
    fileprivate var withoutDefinition: RestoreEntry {
        var entry = self
        entry.options.includesDefinition = false
        return entry
    }
}

extension DefinitionScript.Unit {
    /// The name of the table that the unit is about.
    var tableName: QualifiedName { QualifiedName(schema: schema, name: table ?? "") }

    /// What messages call the unit.
    var label: String { table == nil ? schema : tableName.label }
}
