import Foundation
import Postgres
import Storage

/// Finds and reads the DDL files that the entries of a restore ask for.
struct DefinitionReader {
    let storages: StorageRouter
    let settings: DefinitionConfiguration
    /// The schema of names without a dot.
    let defaultSchema: String
    /// Globs do not find the manifest.
    let manifest: QualifiedName?

    /// The most bytes that a list or a script may have.
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

    /// Reads the list of tables, and the files of those that an entry names.
    ///
    /// - Parameter entries: The restore's entries.
    /// - Returns: What is to be made.
    /// - Throws: ``DatabudgieError`` when there is no list, when nothing of it is asked for, or when a file is missing or
    ///   damaged; `StorageError`.
    func read(_ entries: [RestoreEntry]) async throws -> StoredDefinitions {
        let (list, names) = try await readList()
        let requests = try requests(entries, names)
        var tables = requests.map(\.unit).filter { $0.table != nil }
        guard !tables.isEmpty else {
            throw DatabudgieError(
                .nothingToDo,
                "none of the \(names.count) tables in \(list.path) is matched with 'ddl: true'",
                hint: "check the tables' names, or turn ddl off"
            )
        }
        var found = try await readAll(requests, entries, moment: list.time, listed: &tables)
        let followed = try await follow(requests, entries, names, moment: list.time, &found, listed: &tables)
        var seen: Set<PathComponent> = []
        let listed = (followed.map(\.unit) + tables).filter { seen.insert($0.component).inserted }.map {
            QualifiedName(schema: $0.schema, name: $0.table ?? "")
        }
        return StoredDefinitions(listed: listed, blocks: Self.ordered(found), included: followed.map(\.entry))
    }

    /// Reads the definitions of the tables that come along.
    ///
    /// - Returns: Those that were found, each once.
    private func follow(
        _ requests: [Request],
        _ entries: [RestoreEntry],
        _ names: [QualifiedName],
        moment: String,
        _ found: inout [Found],
        listed: inout [DefinitionScript.Unit]
    ) async throws -> [DependencyDefinitions.Candidate] {
        let units = names.map { DefinitionScript.Unit(schema: $0.schema, table: $0.name) }
        var search = DependencyDefinitions(
            owners: requests.filter { $0.unit.table != nil }.map { .init(entry: $0.entry, unit: $0.unit) },
            entries: entries,
            units: units
        )
        var followed: [DependencyDefinitions.Candidate] = []
        var scripts = Dictionary(grouping: found, by: \.request.unit.component).mapValues { $0.map(\.script) }
        while true {
            let candidates = search.next(scripts)
            guard !candidates.isEmpty else { return followed }
            let places = candidates.map(\.entry)
            let patterns = try candidates.enumerated().map { number, candidate in
                try pattern(Request(entry: number, unit: candidate.unit), places)
            }
            let files = try await FileListing(patterns, in: storages)
            for (number, candidate) in candidates.enumerated() where scripts[candidate.unit.component] == nil {
                guard files.newest(patterns[number], by: settings.strategy ?? candidate.entry.strategy) != nil else {
                    continue
                }
                let request = Request(entry: number, unit: candidate.unit)
                let schema = Request(entry: number, unit: DefinitionScript.Unit(schema: candidate.unit.schema))
                var units = [candidate.unit]
                let read = try await readAll([schema, request], places, moment: moment, listed: &units)
                // The table itself is noted below, its partitions are not.
                listed += units.dropFirst()
                found = read + found
                scripts[candidate.unit.component] = read.filter { $0.request == request }.map(\.script)
                followed.append(candidate)
            }
        }
    }

    private func readList() async throws -> (list: (path: StoragePath, time: String), names: [QualifiedName]) {
        let pattern = try FileLayout(settings).pattern(.definitionList, of: nil)
        let files = try await FileListing([pattern], in: storages)
        guard let file = files.newest(pattern, by: settings.strategy) else {
            throw DatabudgieError(
                .preflight,
                "there is no list of tables in \(pattern.folder) that matches '\(settings.filename)': no definition can be restored",
                hint: "check ddl.location, or turn ddl off"
            )
        }
        let bytes = try await storages.storage(for: file.path).read(file.path).collect(upTo: Self.sizeLimit)
        guard let names = try? JSONDecoder().decode([String].self, from: Data(bytes)) else {
            throw DatabudgieError(
                .dataFile,
                "\(file.path) is not a list of table names in JSON",
                hint: "restore it from the backup, or remove it to use an older one"
            )
        }
        // Parts of names are encoded apart, so it is clear where a name with several dots is cut.
        let tables = names.map { PathComponent.name($0) ?? QualifiedName(schema: defaultSchema, name: $0) }
        return ((file.path, pattern.time(of: file.path) ?? ""), tables)
    }

    /// The files of the schemas first, then those of the tables in the order of the list.
    private func requests(_ entries: [RestoreEntry], _ names: [QualifiedName]) throws -> [Request] {
        var catalog = DatabaseCatalog(listed: names, defaultSchema: defaultSchema)
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
        let ordered = tables.sorted { $0.place < $1.place }.map(\.request)
        var seen: Set<Request> = []
        let schemas = ordered.map { Request(entry: $0.entry, unit: DefinitionScript.Unit(schema: $0.unit.schema)) }
        return (schemas + ordered).filter { seen.insert($0).inserted }
    }

    /// Reads the wanted files, and those that they require in turn; the partitions of listed tables are listed with them.
    private func readAll(
        _ requests: [Request],
        _ entries: [RestoreEntry],
        moment: String,
        listed: inout [DefinitionScript.Unit]
    ) async throws -> [Found] {
        var found: [Found] = []
        var known: Set<Request> = []
        var paths: Set<StoragePath> = []
        var pending = requests
        while !pending.isEmpty {
            let wanted = pending.filter { known.insert($0).inserted }
            let patterns = try wanted.map { try pattern($0, entries) }
            let files = try await FileListing(patterns, in: storages)
            var chosen: [(Request, StoragePath)] = []
            for (request, pattern) in zip(wanted, patterns) {
                // Of the list's own backup where it is there, so that definitions fit together.
                let strategy = settings.strategy ?? entries[request.entry].strategy
                if let file = files.file(pattern, of: moment) ?? files.newest(pattern, by: strategy) {
                    if paths.insert(file.path).inserted { chosen.append((request, file.path)) }
                } else if request.unit.table != nil {
                    throw missing(request, pattern)
                }
            }
            let storages = storages
            let scripts = try await chosen.concurrentMap { request, path in
                Found(path: path, request: request, script: try await Self.script(path, request, storages))
            }
            found += scripts
            pending = scripts.flatMap { item in
                item.script.requires.map { Request(entry: item.request.entry, unit: $0) }
            }
            pending += Self.addPartitions(of: found, to: &listed)
        }
        return found
    }

    private static func addPartitions(of found: [Found], to listed: inout [DefinitionScript.Unit]) -> [Request] {
        var added: [Request] = []
        var names = Set(listed.map(\.component))
        var count = -1
        while count < added.count {
            count = added.count
            for item in found {
                for block in item.script.blocks where block.unit.map({ names.contains($0.component) }) == true {
                    added += block.partitions.filter { names.insert($0.component).inserted }
                        .map { Request(entry: item.request.entry, unit: $0) }
                }
            }
        }
        listed += added.map(\.unit)
        return added
    }

    private func pattern(_ request: Request, _ entries: [RestoreEntry]) throws -> FilePattern {
        try FileLayout(entries[request.entry].options).pattern(.definition, of: request.unit.component)
    }

    private func missing(_ request: Request, _ pattern: FilePattern) -> DatabudgieError {
        DatabudgieError(
            .preflight,
            "there is no definition in \(pattern.folder), though the backup lists the table",
            table: request.unit.component.text,
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

    /// By pg_dump's order where all come from one backup; else schemas before tables, these as the list has them, and their
    /// foreign keys last, as the keys that they point to may stand in a later file.
    private static func ordered(_ found: [Found]) -> [StoredDefinition] {
        let moments = Set(found.map(\.script.moment))
        var blocks = found.flatMap { item in item.script.blocks.map { StoredDefinition(block: $0, path: item.path) } }
        guard moments.count == 1, moments != [nil] else {
            let keys = Set(
                blocks.filter { $0.block.type == "FK CONSTRAINT" }.map(DefinitionRunner.Place.init(subjectOf:))
            )
            let isLate = { (stored: StoredDefinition) in keys.contains(DefinitionRunner.Place(subjectOf: stored)) }
            return blocks.filter { !isLate($0) } + blocks.filter(isLate)
        }
        var seen: Set<Int> = []
        blocks = blocks.filter { seen.insert($0.block.rank).inserted }
        return blocks.sorted { $0.block.rank < $1.block.rank }
    }
}

extension DatabaseCatalog {
    /// Tables of which only the names are known; their OIDs are their places in the list.
    ///
    /// - Parameters:
    ///   - names: The tables' names, each once.
    ///   - defaultSchema: The schema of names without a dot.
    init(listed names: [QualifiedName], defaultSchema: String) {
        let relations = names.enumerated().map { number, name in
            Relation(
                oid: Relation.OID(number),
                name: name,
                kind: .table,
                isPartition: false,
                parents: [],
                children: [],
                columns: [],
                estimatedRows: nil,
                sequences: [],
                isReadable: true
            )
        }
        self.init(defaultSchema: defaultSchema, relations: relations, foreignKeys: [])
    }
}
