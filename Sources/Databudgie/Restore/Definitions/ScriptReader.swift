import Postgres
import Storage

/// Finds and reads files of definitions, and those that they require in turn.
struct ScriptReader {
    let storages: StorageRouter
    /// Which file is the newest one, instead of what the entries say.
    let strategy: RestoreStrategy?
    /// Where the files are.
    let entries: [RestoreEntry]
    /// The files of a set, which are the only ones that count; nil when the storages are searched.
    var recorded: RecordedDefinitions?

    /// The most bytes that a script may have.
    private static let sizeLimit = 256 << 20

    /// Reads the wanted files, and those that they require in turn, besides tables whose files were read before; the partitions
    /// of listed tables are listed with them.
    ///
    /// - Parameters:
    ///   - requests: What is wanted.
    ///   - list: That of the backup whose files are preferred.
    ///   - listed: The tables among them.
    ///   - others: Tables whose files were read before.
    /// - Returns: What was found; a file that is missing or damaged concerns its table alone.
    /// - Throws: `StorageError` when the storage cannot be used at all.
    func read(
        _ requests: [ScriptRequest],
        _ list: DefinitionLists.List,
        listed: [DefinitionScript.Unit],
        besides others: Set<PathComponent> = []
    ) async throws -> ScriptBatch {
        var batch = ScriptBatch(listed: listed)
        var known: Set<ScriptRequest> = []
        var paths: Set<StoragePath> = []
        var damages: [StoragePath: DatabudgieError] = [:]
        var pending = requests
        while !pending.isEmpty {
            let wanted = pending.filter { request in
                known.insert(request).inserted
                    && (request.unit.table == nil || !others.contains(request.unit.component))
            }
            let chosen = try await choose(wanted, list, &batch)
            let new = chosen.filter { paths.insert($0.path).inserted }
            let (storages, recorded) = (storages, recorded)
            let results = try await new.concurrentMap(limit: 32) { request, path in
                let script = try await FileFailure.result { try await Self.script(path, request, storages, recorded) }
                return (path, script.map { FoundScript(path: path, request: request, script: $0) })
            }
            var scripts: [FoundScript] = []
            for (path, result) in results {
                switch result {
                case .success(let script): scripts.append(script)
                case .failure(let error): damages[path] = error
                }
            }
            // Several tables may share a file.
            batch.failures += chosen.compactMap { request, path in
                damages[path].map { (request: request, error: $0) }
            }
            batch.scripts += scripts
            pending = scripts.flatMap { item in
                item.script.requires.map { ScriptRequest(entry: item.request.entry, unit: $0) }
            }
            pending += Self.addPartitions(to: &batch)
        }
        return batch
    }

    /// The file for each request; a schema may have none.
    private func choose(
        _ requests: [ScriptRequest],
        _ list: DefinitionLists.List,
        _ batch: inout ScriptBatch
    ) async throws -> [(request: ScriptRequest, path: StoragePath)] {
        let patterns = try requests.map { try pattern($0, list) }
        var files = recorded?.listing ?? FileListing()
        try await files.add(patterns, in: storages)
        var chosen: [(request: ScriptRequest, path: StoragePath)] = []
        for (request, pattern) in zip(requests, patterns) {
            // Of the list's own backup when it has one, so the definitions match one another.
            let strategy = strategy ?? entries[request.entry].strategy
            if let failure = files.failure(of: [pattern]) {
                batch.failures.append((request, failure))
            } else if let file = files.file(pattern, of: list.time) ?? files.newest(pattern, by: strategy) {
                chosen.append((request, file.path))
            } else if request.unit.table != nil {
                batch.failures.append((request, Self.missing(pattern)))
            }
        }
        return chosen
    }

    /// Those of some requests that have a file.
    ///
    /// - Parameters:
    ///   - requests: What may be there.
    ///   - list: Its names decide how a name is written in paths.
    /// - Returns: For each whether it is.
    /// - Throws: `StorageError`.
    func exist(_ requests: [ScriptRequest], _ list: DefinitionLists.List) async throws -> [Bool] {
        let patterns = try requests.map { try pattern($0, list) }
        let files = try await FileListing(patterns, in: storages, of: recorded?.listing)
        return zip(requests, patterns).map { request, pattern in
            files.newest(pattern, by: strategy ?? entries[request.entry].strategy) != nil
        }
    }

    private static func addPartitions(to batch: inout ScriptBatch) -> [ScriptRequest] {
        var added: [ScriptRequest] = []
        var names = Set(batch.listed.map(\.component))
        var count = -1
        while count < added.count {
            count = added.count
            for item in batch.scripts {
                for definition in item.script.definitions
                where definition.unit.map({ names.contains($0.component) }) == true {
                    added += definition.partitions.filter { names.insert($0.component).inserted }
                        .map { ScriptRequest(entry: item.request.entry, unit: $0) }
                }
            }
        }
        batch.listed += added.map(\.unit)
        return added
    }

    private func pattern(_ request: ScriptRequest, _ list: DefinitionLists.List) throws -> FilePattern {
        try FileLayout(entries[request.entry].options)
            .pattern(.definition, of: list.catalog.component(of: request.unit))
    }

    private static func missing(_ pattern: FilePattern) -> DatabudgieError {
        DatabudgieError(
            .preflight,
            "there is no definition in \(pattern.folder), though the backup lists the table",
            hint: "check location, or set 'ddl: false' for it"
        )
    }

    /// Reads one file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - request: What it was looked up for.
    ///   - storages: Where it is.
    ///   - recorded: What it has to be.
    /// - Returns: Its definitions.
    /// - Throws: ``DatabudgieError`` when the file is damaged, or is not the recorded one; `StorageError`.
    static func script(
        _ path: StoragePath,
        _ request: ScriptRequest,
        _ storages: StorageRouter,
        _ recorded: RecordedDefinitions?
    ) async throws -> DefinitionScript {
        let bytes =
            if let recorded { try await recorded.read(path, storages, upTo: sizeLimit) } else {
                try await storages.storage(for: path).read(path).collect(upTo: sizeLimit)
            }
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
}
