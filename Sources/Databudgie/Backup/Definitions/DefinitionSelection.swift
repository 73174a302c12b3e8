import Postgres

/// Chooses the definitions for the tables of a group, and the files that they go to.
struct DefinitionSelection {
    typealias Unit = DefinitionHomes.Unit

    /// The files of each chosen definition, by its position.
    private(set) var units: [Int: Set<Unit>] = [:]
    /// Those without which the tables cannot be created.
    private(set) var needed: Set<Int> = []
    /// Files without which those of a schema are not complete: of the extensions that functions may use.
    private(set) var extensionUnits: Set<Unit> = []

    /// Entry types that are never written: they hold secrets or rows, or are no objects of the database.
    static let neverWritten: Set = [
        "ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES", "SUBSCRIPTION", "SUBSCRIPTION TABLE",
        "USER MAPPING", "BLOB", "BLOBS", "BLOB METADATA", "LARGE OBJECT", "TABLESPACE", "STATISTICS DATA",
    ]

    /// - Parameters:
    ///   - group: The tables.
    ///   - index: All definitions.
    ///   - homes: The file that each of them belongs to.
    init(_ group: DefinitionGroup, _ index: ArchiveIndex, _ homes: DefinitionHomes) {
        let selected = Set(group.relations.map(\.oid))
        let tables = Dictionary(grouping: group.relations) { Array($0.name.schema.utf8) }
        for (schema, relations) in tables {
            let positions = index.needed(by: relations.map(\.oid))
            needed.formUnion(positions)
            // What is outside all schemas is in the file of each schema that needs it.
            for position in positions { add(position, index, homes, neededBy: schema) }
        }
        let known = selected.union(needed.compactMap { index.relations[$0] })
        let bySchema = Self.optional(index, homes)
        let covered = Set(bySchema.keys.filter { group.covers(String(decoding: $0, as: UTF8.self)) })
        let extensions = Set(index.entries.indices.filter { index.entries[$0].type == "EXTENSION" })
        for schema in covered.union(tables.keys) {
            var positions = Set(bySchema[schema, default: []])
            if covered.contains(schema) {
                // What the bodies of functions use is not recorded anywhere, so all extensions are included.
                positions = index.closure(of: positions.union(extensions), where: known.contains)
            } else {
                positions = positions.filter { !extensions.contains(index.subject(of: $0) ?? $0) }
            }
            for position in positions.subtracting(needed) {
                add(position, index, homes, neededBy: schema)
                if let home = homes[position], index.entries[position].type == "EXTENSION" {
                    extensionUnits.insert(home)
                }
            }
        }
        if group.coverage.contains(where: \.isWholeDatabase) { addDatabase(index, homes, selected) }
    }

    private mutating func add(
        _ position: Int,
        _ index: ArchiveIndex,
        _ homes: DefinitionHomes,
        neededBy schema: [UInt8]
    ) {
        let entry = index.entries[position]
        guard !Self.neverWritten.contains(entry.type) else { return }
        if let relation = index.relations[position] {
            units[position, default: []].insert(.relation(relation))
        } else if !entry.schema.isEmpty {
            units[position, default: []].insert(.schema(Array(entry.schema.utf8)))
        } else if needed.contains(position) {
            units[position, default: []].insert(.schema(schema))
        } else {
            units[position, default: []].insert(homes[position] ?? .schema(schema))
        }
    }

    private mutating func addDatabase(_ index: ArchiveIndex, _ homes: DefinitionHomes, _ selected: Set<Relation.OID>) {
        for position in index.entries.indices where homes[position] == .database && units[position] == nil {
            let entry = index.entries[position]
            let relations = index.dependencies(of: position).compactMap { index.relations[$0] }
            guard !Self.neverWritten.contains(entry.type), selected.isSuperset(of: relations) else { continue }
            units[position] = [.database]
        }
    }

    /// Types, functions and the like by their schemas, whether a table needs them or not.
    private static func optional(_ index: ArchiveIndex, _ homes: DefinitionHomes) -> [[UInt8]: [Int]] {
        var positions: [[UInt8]: [Int]] = [:]
        for position in index.entries.indices where index.relations[position] == nil {
            if case .schema(let schema) = homes[position] { positions[schema, default: []].append(position) }
        }
        return positions
    }
}
