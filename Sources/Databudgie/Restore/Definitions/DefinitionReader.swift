import Foundation
import Postgres
import Storage

/// Finds and reads the definition files that the entries of a restore ask for.
struct DefinitionReader {
    let storages: StorageRouter
    let settings: DefinitionConfiguration
    /// The schema of names without a dot.
    let defaultSchema: String
    /// Globs do not find the manifest.
    let manifest: QualifiedName?

    /// The most bytes that a script may have.
    private static let sizeLimit = 256 << 20

    /// A file that is wanted for an entry.
    private struct Request: Hashable {
        let entry: Int
        let unit: DefinitionScript.Unit
    }

    /// A script that was read.
    private struct Found {
        let path: StoragePath
        let request: Request
        let script: DefinitionScript
    }

    /// The scripts of some tables and of what these require.
    private struct Batch {
        var scripts: [Found] = []
        /// The tables that were asked for, and their partitions.
        var listed: [DefinitionScript.Unit]
    }

    /// A table that is included by foreign keys.
    private struct Inclusion {
        let candidate: DependencyDefinitions.Candidate
        let batch: Batch
    }

    /// Reads the lists of tables, and the files of those that an entry names.
    ///
    /// - Parameter entries: The restore's entries.
    /// - Returns: What is to be created.
    /// - Throws: ``DatabudgieError`` when there is no list, when nothing of it is asked for, or when a file is missing or
    ///   damaged; `StorageError`.
    func read(_ entries: [RestoreEntry]) async throws -> StoredDefinitions {
        let found = try await search(entries)
        let tables = found.tables
        let search = DependencyDefinitions(
            owners: tables.map {
                .init(entry: $0.entry, unit: $0.unit, component: found.newest.catalog.component(of: $0.unit))
            },
            entries: entries,
            units: found.names.map { DefinitionScript.Unit(schema: $0.schema, table: $0.name) }
        )
        let included = try await included(by: found.batch, search, found.newest)
        let units = included.map(\.candidate.unit) + found.batch.listed + included.flatMap(\.batch.listed)
        let owners =
            tables.map { ($0.unit, entries[$0.entry]) } + included.map { ($0.candidate.unit, $0.candidate.entry) }
        var seen: Set<PathComponent> = []
        return StoredDefinitions(
            listed: units.filter { seen.insert($0.component).inserted }.map {
                QualifiedName(schema: $0.schema, name: $0.table ?? "")
            },
            // Tables that others refer to come first.
            definitions: Self.ordered(included.reversed().flatMap(\.batch.scripts) + found.batch.scripts)
                .flatMap { $0.withRowSecurityInTime() },
            included: included.map(\.candidate.entry),
            rowless: Self.rowless(owners),
            findings: found.findings
        )
    }

    /// The tables that are asked for, from the newest list that has each.
    private struct Findings {
        /// The tables that the entries name.
        var tables: [Request] = []
        var batch = Batch(listed: [])
        /// The newest file of what belongs to the database as a whole.
        var database: Found?
        /// All tables of the lists that were read.
        var names: [QualifiedName] = []
        let newest: DefinitionLists.List
        var findings: [Finding] = []
    }

    private func search(_ entries: [RestoreEntry]) async throws -> Findings {
        let lists = try await DefinitionLists(settings, in: storages, defaultSchema: defaultSchema)
        var search = ListSearch(entries, defaultSchema: defaultSchema)
        var result = Findings(newest: try await lists.read(0))
        var names: Set<QualifiedName> = []
        var schemas: Set<ByteKey> = []
        for number in 0..<lists.count where number == 0 || !search.isComplete {
            let list = number == 0 ? result.newest : try await lists.read(number)
            let matched = requests(entries, list)
            let wanted = matched.filter { search.isWanted($0.unit, for: $0.entry) }
            let covered = covered(list.schemas, entries).filter { schemas.insert(ByteKey($0.unit.schema)).inserted }
            var batch = Batch(listed: [])
            if !wanted.isEmpty || !covered.isEmpty {
                let units = wanted.map(\.unit)
                let known = Set(
                    result.batch.scripts.compactMap { $0.request.unit.table == nil ? nil : $0.request.unit.component }
                )
                batch = try await read(
                    Self.withSchemas(covered + wanted),
                    entries,
                    list,
                    listed: units,
                    besides: known
                )
                if !result.tables.isEmpty, !units.isEmpty {
                    result.findings.append(Self.mixing(units, list, result.newest))
                }
            }
            search.add(list.names, found: Set(matched.map(\.entry)), batch.scripts.map(\.script))
            result.tables += wanted
            result.batch.listed += batch.listed
            result.batch.scripts += batch.scripts
            if result.database == nil, let database = try await readDatabase(list, entries) {
                result.database = database
                result.batch.scripts.append(database)
            }
            result.names += list.names.filter { names.insert($0).inserted }
        }
        guard !result.tables.isEmpty else {
            throw DatabudgieError(
                .nothingToDo,
                "none of the \(result.newest.names.count) tables in \(result.newest.path) is matched with 'ddl: true'",
                hint: "check the tables' names, or turn ddl off"
            )
        }
        return result
    }

    private static func mixing(
        _ units: [DefinitionScript.Unit],
        _ list: DefinitionLists.List,
        _ newest: DefinitionLists.List
    ) -> Finding {
        let names = Set(units.map { QualifiedName(schema: $0.schema, name: $0.table ?? "").label }).sorted {
            ByteKey($0) < ByteKey($1)
        }
        let shown = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? " and \(names.count - 5) more" : "")
        return .warning(
            "\(shown): restored as listed in \(list.path), because the newest list, \(newest.path), does not have "
                + "\(names.count == 1 ? "it" : "them"); the restore mixes backups of different moments",
            hint: "exclude what is no longer wanted, or take a full backup"
        )
    }

    /// The tables of which no entry wants the rows.
    private static func rowless(_ owners: [(unit: DefinitionScript.Unit, entry: RestoreEntry)]) -> Set<QualifiedName> {
        let withRows = Set(owners.filter(\.entry.options.includesRows).map(\.unit))
        return Set(
            owners.filter { !withRows.contains($0.unit) }.map {
                QualifiedName(schema: $0.unit.schema, name: $0.unit.table ?? "")
            }
        )
    }

    /// Reads the definitions of the tables that are included by foreign keys.
    ///
    /// - Returns: Those that were found, each once.
    private func included(
        by named: Batch,
        _ search: DependencyDefinitions,
        _ list: DefinitionLists.List
    ) async throws -> [Inclusion] {
        var search = search
        var included: [Inclusion] = []
        var scripts = Dictionary(grouping: named.scripts, by: \.request.unit.component).mapValues { $0.map(\.script) }
        while true {
            let candidates = try search.next(scripts)
            guard !candidates.isEmpty else { return included }
            for candidate in try await existing(candidates, list) where scripts[candidate.unit.component] == nil {
                let table = Request(entry: 0, unit: candidate.unit)
                let schema = Request(entry: 0, unit: DefinitionScript.Unit(schema: candidate.unit.schema))
                let batch = try await read(
                    [schema, table],
                    [candidate.entry],
                    list,
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
        _ list: DefinitionLists.List
    ) async throws -> [DependencyDefinitions.Candidate] {
        let entries = candidates.map(\.entry)
        let patterns = try candidates.enumerated().map { number, candidate in
            try pattern(Request(entry: number, unit: candidate.unit), entries, list)
        }
        let files = try await FileListing(patterns, in: storages)
        return zip(candidates, patterns).compactMap { candidate, pattern in
            let strategy = settings.strategy ?? candidate.entry.strategy
            return files.newest(pattern, by: strategy) == nil ? nil : candidate
        }
    }

    /// The tables of a list that entries ask for, in the order of the list.
    private func requests(_ entries: [RestoreEntry], _ list: DefinitionLists.List) -> [Request] {
        var catalog = list.catalog
        catalog.manifest = manifest
        let selection = TableSelection(catalog: catalog)
        var tables: [(place: UInt32, request: Request)] = []
        for (number, entry) in entries.enumerated() where entry.options.includesDefinition {
            guard let name = entry.options.name else { continue }
            for relation in selection.match(name, excluding: entry.options.exclude).relations {
                let unit = DefinitionScript.Unit(schema: relation.name.schema, table: relation.name.name)
                tables.append((relation.oid, Request(entry: number, unit: unit)))
            }
        }
        return tables.sorted { $0.place < $1.place }.map(\.request)
    }

    /// The schemas without tables that entries cover.
    private func covered(_ schemas: [String], _ entries: [RestoreEntry]) -> [Request] {
        schemas.compactMap { schema in
            entries.firstIndex { coverage($0.options)?.contains(schema) == true }
                .map { Request(entry: $0, unit: DefinitionScript.Unit(schema: schema)) }
        }
    }

    /// The definitions of what belongs to the database as a whole, when all of it is asked for.
    private func readDatabase(_ list: DefinitionLists.List, _ entries: [RestoreEntry]) async throws -> Found? {
        guard let path = list.database,
            let entry = entries.firstIndex(where: { coverage($0.options)?.isWholeDatabase == true })
        else { return nil }
        let request = Request(entry: entry, unit: .database)
        return Found(path: path, request: request, script: try await Self.script(path, request, storages))
    }

    /// What an entry that asks for definitions covers beside tables.
    private func coverage(_ options: TableOptions) -> SchemaCoverage? {
        guard options.includesDefinition, let name = options.name else { return nil }
        return SchemaCoverage(name, excluding: options.exclude, defaultSchema: defaultSchema)
    }

    /// The files of the schemas first, then those of the tables.
    private static func withSchemas(_ tables: [Request]) -> [Request] {
        var seen: Set<Request> = []
        // Some are schemas themselves.
        let schemas = tables.map { Request(entry: $0.entry, unit: DefinitionScript.Unit(schema: $0.unit.schema)) }
        return (schemas + tables).filter { seen.insert($0).inserted }
    }

    /// Reads the wanted files, and those that they require in turn, besides tables whose files were read before; the partitions
    /// of listed tables are listed with them.
    private func read(
        _ requests: [Request],
        _ entries: [RestoreEntry],
        _ list: DefinitionLists.List,
        listed: [DefinitionScript.Unit],
        besides others: Set<PathComponent> = []
    ) async throws -> Batch {
        var batch = Batch(listed: listed)
        var known: Set<Request> = []
        var paths: Set<StoragePath> = []
        var pending = requests
        while !pending.isEmpty {
            let wanted = pending.filter { request in
                known.insert(request).inserted
                    && (request.unit.table == nil || !others.contains(request.unit.component))
            }
            let chosen = try await choose(wanted, entries, list).filter { paths.insert($0.path).inserted }
            let storages = storages
            let scripts = try await chosen.concurrentMap { request, path in
                Found(path: path, request: request, script: try await Self.script(path, request, storages))
            }
            batch.scripts += scripts
            pending = scripts.flatMap { item in
                item.script.requires.map { Request(entry: item.request.entry, unit: $0) }
            }
            pending += Self.addPartitions(to: &batch)
        }
        return batch
    }

    /// The file for each request; a schema may have none.
    private func choose(
        _ requests: [Request],
        _ entries: [RestoreEntry],
        _ list: DefinitionLists.List
    ) async throws -> [(request: Request, path: StoragePath)] {
        let patterns = try requests.map { try pattern($0, entries, list) }
        let files = try await FileListing(patterns, in: storages)
        return try zip(requests, patterns).compactMap { request, pattern in
            // Of the list's own backup when it has one, so the definitions match one another.
            let strategy = settings.strategy ?? entries[request.entry].strategy
            if let file = files.file(pattern, of: list.time) ?? files.newest(pattern, by: strategy) {
                return (request, file.path)
            }
            guard request.unit.table == nil else { throw missing(request, pattern) }
            return nil
        }
    }

    private static func addPartitions(to batch: inout Batch) -> [Request] {
        var added: [Request] = []
        var names = Set(batch.listed.map(\.component))
        var count = -1
        while count < added.count {
            count = added.count
            for item in batch.scripts {
                for definition in item.script.definitions
                where definition.unit.map({ names.contains($0.component) }) == true {
                    added += definition.partitions.filter { names.insert($0.component).inserted }
                        .map { Request(entry: item.request.entry, unit: $0) }
                }
            }
        }
        batch.listed += added.map(\.unit)
        return added
    }

    private func pattern(
        _ request: Request,
        _ entries: [RestoreEntry],
        _ list: DefinitionLists.List
    ) throws -> FilePattern {
        try FileLayout(entries[request.entry].options)
            .pattern(.definition, of: list.catalog.component(of: request.unit))
    }

    private func missing(_ request: Request, _ pattern: FilePattern) -> DatabudgieError {
        DatabudgieError(
            .preflight,
            "there is no definition in \(pattern.folder), though the backup lists the table",
            table: QualifiedName(schema: request.unit.schema, name: request.unit.table ?? "").label,
            hint: "check location, or set 'ddl: false' for it"
        )
    }

    private static func script(
        _ path: StoragePath,
        _ request: Request,
        _ storages: StorageRouter
    ) async throws -> DefinitionScript {
        let bytes = try await storages.storage(for: path).read(path).collect(upTo: sizeLimit)
        do {
            return try DefinitionScript(text: String(decoding: bytes, as: UTF8.self), of: request.unit)
        } catch is DefinitionScript.Damage {
            throw DatabudgieError(
                .dataFile,
                "\(path) is damaged: a quote or a comment in it has no end",
                hint: "take another backup, or restore an older one"
            )
        } catch {
            throw DatabudgieError(
                .dataFile,
                "\(path) is damaged: a comment line that begins with '-- databudgie' cannot be read",
                hint: "take another backup",
                underlying: error
            )
        }
    }

    /// In pg_dump's order when all are from one backup; else schemas before tables, these in the order of the list, and their
    /// foreign keys last, because the keys that they refer to may be in a later file.
    private static func ordered(_ found: [Found]) -> [StoredDefinition] {
        let timestamps = Set(found.map(\.script.timestamp))
        let all = found.flatMap { item in
            item.script.definitions.map { StoredDefinition(definition: $0, path: item.path) }
        }
        guard timestamps.count == 1, timestamps != [nil] else {
            let keys = Set(
                all.filter { $0.definition.type == "FK CONSTRAINT" }.map(DefinitionRunner.Place.init(subjectOf:))
            )
            let isForeignKey = { (item: StoredDefinition) in keys.contains(DefinitionRunner.Place(subjectOf: item)) }
            return all.filter { !isForeignKey($0) } + all.filter(isForeignKey)
        }
        var seen: Set<Int> = []
        return all.filter { seen.insert($0.definition.rank).inserted }
            .sorted { $0.definition.rank < $1.definition.rank }
    }
}
