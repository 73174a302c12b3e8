import Postgres
import Storage

/// A file of definitions that a backup writes.
struct DefinitionFile: Sendable {
    let path: StoragePath
    let script: DefinitionScript
}

/// Sorts the definitions of an archive into files: one for each table, one for each schema.
struct DefinitionFiles {
    /// All definitions, in the order in which they can be run.
    private let entries: [ArchiveEntry]
    private let index: ArchiveIndex
    private let catalog: DatabaseCatalog
    private let timestamp: RunTimestamp

    /// - Parameters:
    ///   - entries: All definitions, in the order in which they can be run.
    ///   - owners: Which of them belong to which table.
    ///   - catalog: The tables.
    ///   - timestamp: When the backup began.
    init(entries: [ArchiveEntry], owners: DefinitionOwners, catalog: DatabaseCatalog, timestamp: RunTimestamp) {
        self.entries = entries
        self.catalog = catalog
        self.timestamp = timestamp
        index = ArchiveIndex(entries, owners)
    }

    /// Entry types that are never written: they concern the whole database, or may hold secrets.
    private static let neverWritten: Set = [
        "ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES", "PUBLICATION", "PUBLICATION TABLE",
        "PUBLICATION TABLES IN SCHEMA", "SUBSCRIPTION", "SUBSCRIPTION TABLE", "EVENT TRIGGER", "USER MAPPING", "BLOB",
        "BLOBS", "BLOB METADATA", "LARGE OBJECT", "TABLESPACE",
    ]

    /// Granted after the rows, so no role can read a table before its policies exist.
    private static let privileges: Set = ["ACL", "DEFAULT ACL"]

    /// What a file is about: the name that replaces `{table}` in its path.
    private enum Unit: Hashable {
        /// By the bytes of its name, as the server compares names.
        case schema([UInt8])
        case relation(Relation.OID)
    }

    /// The tables without a definition of their own, because they belong to an extension.
    ///
    /// - Parameter groups: All tables.
    /// - Returns: A warning for each.
    func findings(for groups: [DefinitionGroup]) -> [Finding] {
        groups.flatMap(\.relations).filter { index.parts[$0.oid] == nil }.map {
            .warning(
                "it belongs to an extension: CREATE EXTENSION will create it, so its definition is not backed up",
                of: $0.name.label
            )
        }
    }

    /// Sorts out the files for the tables of one entry of the configuration.
    ///
    /// - Parameter group: The entry's tables, and where their files go.
    /// - Returns: The files; one for all definitions when the entry's location has no `{table}`.
    /// - Throws: ``DatabudgieError`` for a location that is not a path.
    func files(for group: DefinitionGroup) throws -> [DefinitionFile] {
        let selected = Set(group.relations.map(\.oid))
        let schemas = Set(group.relations.map { Array($0.name.schema.utf8) })
        let needed = index.needed(by: selected)
        var definitions: [Unit: [Definition]] = [:]
        var required: [Unit: Set<Unit>] = [:]
        for (position, entry) in entries.enumerated() where !Self.neverWritten.contains(entry.type) {
            let isNeeded = needed.contains(position)
            guard isNeeded || index.isOptional(position, in: schemas) else { continue }
            for unit in units(of: position, schemas) {
                definitions[unit, default: []] += self.definitions(
                    entry,
                    at: position,
                    unit,
                    selected,
                    isOptional: !isNeeded
                )
                guard entry.type != "FK CONSTRAINT" else { continue }
                required[unit, default: []].formUnion(
                    index.dependencies(of: position).flatMap { units(of: $0, schemas) }
                )
            }
        }
        return try merged(definitions, required, group)
    }

    /// The files that a definition goes to; one outside all schemas, such as an extension, goes to each schema's.
    private func units(of position: Int, _ schemas: Set<[UInt8]>) -> [Unit] {
        if let relation = index.relations[position] { return [.relation(relation)] }
        let schema = entries[position].schema
        return schema.isEmpty ? schemas.map { .schema($0) } : [.schema(Array(schema.utf8))]
    }

    private func definitions(
        _ entry: ArchiveEntry,
        at position: Int,
        _ unit: Unit,
        _ selected: Set<Relation.OID>,
        isOptional: Bool
    )
        -> [Definition]
    {
        var definition = Definition(
            order: position,
            section: Self.privileges.contains(entry.type) ? .postData : entry.section,
            type: entry.type,
            schema: entry.schema,
            attachedTo: index.subject(of: position),
            isOptional: isOptional,
            sql: entry.sql
        )
        if case .relation(let oid) = unit, let relation = catalog[oid] {
            (definition.schema, definition.table) = (relation.name.schema, relation.name.name)
            if entry.type == "TABLE", relation.kind == .partitionedTable {
                definition.partitions = index.partitions(of: relation, in: selected).map { reference(.relation($0)) }
            }
        }
        let create = "CREATE SCHEMA ".utf8
        if entry.type == "SCHEMA", definition.sql.utf8.starts(with: create) {
            // The schema may exist, and several files may begin with it.
            definition.sql =
                "CREATE SCHEMA IF NOT EXISTS "
                + String(decoding: definition.sql.utf8.dropFirst(create.count), as: UTF8.self)
        }
        guard let ownerSQL = entry.ownerSQL else { return [definition] }
        var owner = definition
        (owner.type, owner.sql, owner.partitions) = ("OWNER", ownerSQL, [])
        return [definition, owner]
    }

    private func merged(
        _ definitions: [Unit: [Definition]],
        _ required: [Unit: Set<Unit>],
        _ group: DefinitionGroup
    ) throws -> [DefinitionFile] {
        var units: [StoragePath: [Unit]] = [:]
        for unit in definitions.keys {
            units[try group.path(reference(unit).component, timestamp), default: []].append(unit)
        }
        return units.map { path, units in
            var script = DefinitionScript(timestamp: timestamp.timestamp, definitions: [])
            script.selection = group.options.name.map { [TableSelection(catalog: catalog).pattern(for: $0)] } ?? []
            for unit in units {
                // Those without definitions of their own, such as the schema public, have no file.
                let others = required[unit, default: []].subtracting(units).filter { definitions[$0] != nil }
                script.merge(
                    DefinitionScript(requires: others.map(reference), definitions: definitions[unit, default: []])
                )
            }
            return DefinitionFile(path: path, script: script)
        }
    }

    private func reference(_ unit: Unit) -> DefinitionScript.Unit {
        switch unit {
        case .schema(let name):
            DefinitionScript.Unit(schema: String(decoding: name, as: UTF8.self))
        case .relation(let oid):
            DefinitionScript.Unit(schema: catalog[oid]?.name.schema ?? "", table: catalog[oid]?.name.name ?? "")
        }
    }
}
