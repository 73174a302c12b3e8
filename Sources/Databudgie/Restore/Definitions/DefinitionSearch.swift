import Postgres
import Storage

/// Finds the tables that the entries of a restore ask for in the lists that backups have left, and reads their definitions.
struct DefinitionSearch {
    let storages: StorageRouter
    let settings: DefinitionConfiguration
    let entries: [RestoreEntry]
    /// The schema of names without a dot.
    let defaultSchema: String
    /// Globs do not find the manifest.
    let manifest: QualifiedName?
    /// The files of a set, which are the only ones that count; nil when the storages are searched.
    var recorded: RecordedDefinitions?

    /// The tables that are asked for, from the newest list that has each.
    struct Conclusion {
        /// The tables that the entries name.
        var tables: [ScriptRequest] = []
        var batch = ScriptBatch(listed: [])
        /// All tables of the lists that were read.
        var names: [QualifiedName] = []
        let newest: DefinitionLists.List
        /// What the user should know about the lists.
        var findings: [Finding] = []
    }

    /// Reads list after list, until nothing older can be asked for.
    ///
    /// - Returns: What was found.
    /// - Throws: ``DatabudgieError`` when there is no list, or when one is damaged; `StorageError`.
    func run() async throws -> Conclusion {
        let lists = try await DefinitionLists(
            settings,
            in: storages,
            defaultSchema: defaultSchema,
            recorded: recorded
        )
        let reader = ScriptReader(
            storages: storages,
            strategy: settings.strategy,
            entries: entries,
            recorded: recorded
        )
        var search = ListSearch(entries, defaultSchema: defaultSchema)
        var result = Conclusion(newest: try await lists.read(0))
        var hasDatabase = false
        var names: Set<QualifiedName> = []
        var schemas: Set<ByteKey> = []
        for number in 0..<lists.count where number == 0 || !search.isComplete {
            let list = number == 0 ? result.newest : try await lists.read(number)
            let matched = requests(list)
            let wanted = matched.filter { search.isWanted($0.unit, for: $0.entry) }
            let covered = covered(list.schemas).filter { schemas.insert(ByteKey($0.unit.schema)).inserted }
            var batch = ScriptBatch(listed: [])
            if !wanted.isEmpty || !covered.isEmpty {
                batch = try await reader.read(
                    ScriptRequest.withSchemas(covered + wanted),
                    list,
                    listed: wanted.map(\.unit),
                    besides: result.batch.tables
                )
                if !result.tables.isEmpty, !wanted.isEmpty {
                    result.findings.append(Self.mixing(wanted.map(\.unit), list, result.newest))
                }
            }
            search.add(
                list.names,
                found: Set(matched.map(\.entry)),
                batch.scripts.map(\.script),
                isIncomplete: !batch.failures.isEmpty
            )
            result.tables += wanted
            result.batch.listed += batch.listed
            result.batch.scripts += batch.scripts
            result.batch.failures += batch.failures
            if !hasDatabase, let database = try await readDatabase(list) {
                hasDatabase = true
                result.batch.scripts.append(database)
            }
            result.names += list.names.filter { names.insert($0).inserted }
        }
        return result
    }

    /// The error of a restore that finds nothing in its lists.
    static func nothing(in list: DefinitionLists.List) -> DatabudgieError {
        DatabudgieError(
            .nothingToDo,
            "\(list.path) has \(counted(list.names.count, "table")), none of which is matched with 'ddl: true'",
            hint: "check the tables' names, or turn ddl off"
        )
    }

    private static func mixing(
        _ units: [DefinitionScript.Unit],
        _ list: DefinitionLists.List,
        _ newest: DefinitionLists.List
    ) -> Finding {
        let names = Set(units.map(\.label)).sorted { ByteKey($0) < ByteKey($1) }
        return .warning(
            "\(names.listed()): restored as listed in \(list.path), because the newest list, \(newest.path), does not have "
                + "\(names.count == 1 ? "it" : "them"); the restore mixes backups of different moments",
            hint: "exclude what is no longer wanted, or take a full backup"
        )
    }

    /// The tables of a list that entries ask for, in the order of the list.
    private func requests(_ list: DefinitionLists.List) -> [ScriptRequest] {
        var catalog = list.catalog
        catalog.manifest = manifest
        let selection = TableSelection(catalog: catalog)
        var tables: [(place: UInt32, request: ScriptRequest)] = []
        for (number, entry) in entries.enumerated() where entry.options.includesDefinition {
            guard let name = entry.options.name else { continue }
            for relation in selection.match(name, excluding: entry.options.exclude).relations {
                let unit = DefinitionScript.Unit(schema: relation.name.schema, table: relation.name.name)
                tables.append((relation.oid, ScriptRequest(entry: number, unit: unit)))
            }
        }
        return tables.sorted { $0.place < $1.place }.map(\.request)
    }

    /// The schemas without tables that entries cover.
    private func covered(_ schemas: [String]) -> [ScriptRequest] {
        schemas.compactMap { schema in
            entries.firstIndex { coverage($0.options)?.contains(schema) == true }
                .map { ScriptRequest(entry: $0, unit: DefinitionScript.Unit(schema: schema)) }
        }
    }

    /// The definitions of what belongs to the database as a whole, when all of it is asked for.
    private func readDatabase(_ list: DefinitionLists.List) async throws -> FoundScript? {
        guard let path = list.database,
            let entry = entries.firstIndex(where: { coverage($0.options)?.isWholeDatabase == true })
        else { return nil }
        let request = ScriptRequest(entry: entry, unit: .database)
        return FoundScript(
            path: path,
            request: request,
            script: try await ScriptReader.script(path, request, storages, recorded)
        )
    }

    /// What an entry that asks for definitions covers beside tables.
    private func coverage(_ options: TableOptions) -> SchemaCoverage? {
        guard options.includesDefinition, let name = options.name else { return nil }
        return SchemaCoverage(name, excluding: options.exclude, defaultSchema: defaultSchema)
    }
}

extension ScriptBatch {
    /// The tables whose files were read.
    fileprivate var tables: Set<PathComponent> {
        Set(scripts.compactMap { $0.request.unit.table == nil ? nil : $0.request.unit.component })
    }
}
