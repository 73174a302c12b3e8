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
    private let index: Index
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
        index = Index(entries, owners)
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

extension DefinitionFiles {
    /// How the entries of an archive hang together, by their positions.
    private struct Index {
        private let entries: [ArchiveEntry]
        private let positions: [Int: Int]
        /// The table or view that each entry belongs to.
        let relations: [Relation.OID?]
        /// What the index behind a constraint needs, which pg_dump does not say.
        private let indexNeeds: [Int: [Int]]
        /// The entries of each table or view.
        let parts: [Relation.OID: [Int]]
        /// Comments and privileges of what belongs to no table.
        private let attachments: [Int: [Int]]

        init(_ entries: [ArchiveEntry], _ owners: DefinitionOwners) {
            self.entries = entries
            let positions = Dictionary(
                entries.enumerated().map { ($1.identifier, $0) },
                uniquingKeysWith: { first, _ in first }
            )
            self.positions = positions
            var relations: [Relation.OID?] = []
            for entry in entries {
                // What has no row of its own, such as a comment, follows what it depends on first, which comes before it.
                let first = entry.oid == 0 ? entry.dependencies.first.flatMap { positions[$0] } : nil
                let followed = first.flatMap { $0 < relations.count ? relations[$0] : nil }
                relations.append(entry.oid == 0 ? followed : owners.relation(of: entry))
            }
            self.relations = relations
            var parts: [Relation.OID: [Int]] = [:]
            for (position, relation) in relations.enumerated() {
                if let relation { parts[relation, default: []].append(position) }
            }
            self.parts = parts
            var attachments: [Int: [Int]] = [:]
            for (position, entry) in entries.enumerated() where entry.oid == 0 && relations[position] == nil {
                guard let number = entry.dependencies.first, let first = positions[number] else { continue }
                attachments[first, default: []].append(position)
            }
            self.attachments = attachments
            let objects = Dictionary(
                entries.enumerated().map { (DefinitionOwners.Object(catalog: $1.catalog, oid: $1.oid), $0) },
                uniquingKeysWith: { first, _ in first }
            )
            var indexNeeds: [Int: [Int]] = [:]
            for (constraint, needs) in owners.indexNeeds {
                guard let position = objects[constraint] else { continue }
                indexNeeds[position] = needs.compactMap { objects[$0] }
            }
            self.indexNeeds = indexNeeds
        }

        func partitions(of relation: Relation, in selected: Set<Relation.OID>) -> [Relation.OID] {
            relation.children.filter { selected.contains($0) && parts[$0] != nil }
        }

        /// What a comment, a label or a privilege is for.
        func subject(of position: Int) -> Int? {
            let isAttached = ["COMMENT", "ACL", "SECURITY LABEL"].contains(entries[position].type)
            return isAttached ? dependencies(of: position).first : nil
        }

        func dependencies(of position: Int) -> [Int] {
            entries[position].dependencies.compactMap { positions[$0] } + indexNeeds[position, default: []]
        }

        /// Everything without which some tables cannot be created, themselves included.
        func needed(by relations: Set<Relation.OID>) -> Set<Int> {
            var needed: Set<Int> = []
            var pending = relations.flatMap { parts[$0] ?? [] }
            while let position = pending.popLast() {
                guard needed.insert(position).inserted else { continue }
                if let relation = self.relations[position] { pending += parts[relation] ?? [] }
                pending += attachments[position] ?? []
                // The table that a foreign key refers to is not part of the one that has it.
                if entries[position].type != "FK CONSTRAINT" { pending += dependencies(of: position) }
            }
            return needed
        }

        /// Types, functions and the like in the schemas of the tables, whether these need them or not.
        func isOptional(_ position: Int, in schemas: Set<[UInt8]>) -> Bool {
            let entry = entries[position]
            return relations[position] == nil && schemas.contains(Array(entry.schema.utf8))
        }
    }
}
