import Storage

/// A file of definitions that is wanted for an entry.
struct ScriptRequest: Hashable {
    /// The position of the entry, which says where the file is.
    let entry: Int
    let unit: DefinitionScript.Unit

    /// The requests for the files of the tables' schemas, then those for the tables.
    static func withSchemas(_ tables: [ScriptRequest]) -> [ScriptRequest] {
        var seen: Set<ScriptRequest> = []
        // Some are schemas themselves.
        let schemas = tables.map {
            ScriptRequest(entry: $0.entry, unit: DefinitionScript.Unit(schema: $0.unit.schema))
        }
        return (schemas + tables).filter { seen.insert($0).inserted }
    }
}

/// A script that was read.
struct FoundScript: Sendable {
    let path: StoragePath
    let request: ScriptRequest
    var script: DefinitionScript
}

/// The scripts of some tables and of what these require.
struct ScriptBatch {
    var scripts: [FoundScript] = []
    /// The tables that were asked for, and their partitions.
    var listed: [DefinitionScript.Unit]
    /// Those whose files are missing or cannot be used, each with the reason.
    var failures: [(request: ScriptRequest, error: DatabudgieError)] = []
}

extension [FoundScript] {
    /// All definitions of the scripts, each once, in the order in which they are run.
    ///
    /// In pg_dump's order when all are from one backup; else schemas before tables, these in the order of the list, and their
    /// foreign keys last, because the keys that they refer to may be in a later file.
    var definitions: [StoredDefinition] {
        let timestamps = Set(map(\.script.timestamp))
        let all = flatMap { item in
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
