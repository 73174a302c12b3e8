import Postgres
import Storage

/// A DDL file that a backup writes.
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
    private let moment: RunTimestamp

    /// - Parameters:
    ///   - entries: All definitions, in the order in which they can be run.
    ///   - owners: Which of them belong to which table.
    ///   - catalog: The tables.
    ///   - moment: When the backup began.
    init(entries: [ArchiveEntry], owners: DefinitionOwners, catalog: DatabaseCatalog, moment: RunTimestamp) {
        self.entries = entries
        self.catalog = catalog
        self.moment = moment
        index = Index(entries, owners)
    }

    /// Of no use to a part of a database, or with secrets in them.
    private static let leftOut: Set = [
        "ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES", "PUBLICATION", "PUBLICATION TABLE",
        "PUBLICATION TABLES IN SCHEMA", "SUBSCRIPTION", "SUBSCRIPTION TABLE", "EVENT TRIGGER", "USER MAPPING", "BLOB",
        "BLOBS", "BLOB METADATA", "LARGE OBJECT", "TABLESPACE",
    ]

    /// Nobody reads a table before its policies are there.
    private static let rights: Set = ["ACL", "DEFAULT ACL"]

    /// What a file is about: the name that stands for `{table}` in its path.
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
    /// - Returns: The files; where the entry's location does without `{table}`, all definitions are in one.
    /// - Throws: ``DatabudgieError`` for a location that is no path.
    func files(for group: DefinitionGroup) throws -> [DefinitionFile] {
        let selected = Set(group.relations.map(\.oid))
        let schemas = Set(group.relations.map { Array($0.name.schema.utf8) })
        let needed = index.needed(by: selected)
        var blocks: [Unit: [Definition]] = [:]
        var required: [Unit: Set<Unit>] = [:]
        for (position, entry) in entries.enumerated() where !Self.leftOut.contains(entry.type) {
            let isNeeded = needed.contains(position)
            guard isNeeded || index.isOptional(position, in: schemas) else { continue }
            for unit in units(of: position, schemas) {
                blocks[unit, default: []] += self.blocks(entry, at: position, unit, selected, isOptional: !isNeeded)
                guard entry.type != "FK CONSTRAINT" else { continue }
                required[unit, default: []].formUnion(
                    index.dependencies(of: position).flatMap { units(of: $0, schemas) }
                )
            }
        }
        return try merged(blocks, required, group)
    }

    /// The files that a definition goes to; one outside all schemas, such as an extension, goes to each schema's.
    private func units(of position: Int, _ schemas: Set<[UInt8]>) -> [Unit] {
        if let relation = index.relations[position] { return [.relation(relation)] }
        let schema = entries[position].schema
        return schema.isEmpty ? schemas.map { .schema($0) } : [.schema(Array(schema.utf8))]
    }

    private func blocks(
        _ entry: ArchiveEntry,
        at position: Int,
        _ unit: Unit,
        _ selected: Set<Relation.OID>,
        isOptional: Bool
    )
        -> [Definition]
    {
        var block = Definition(
            order: position,
            section: Self.rights.contains(entry.type) ? .postData : entry.section,
            type: entry.type,
            schema: entry.schema,
            attachedTo: index.subject(of: position),
            isOptional: isOptional,
            sql: entry.sql
        )
        if case .relation(let oid) = unit, let relation = catalog[oid] {
            (block.schema, block.table) = (relation.name.schema, relation.name.name)
            if entry.type == "TABLE", relation.kind == .partitionedTable {
                block.partitions = index.partitions(of: relation, in: selected).map { reference(.relation($0)) }
            }
        }
        let create = "CREATE SCHEMA ".utf8
        if entry.type == "SCHEMA", block.sql.utf8.starts(with: create) {
            // The schema may be there, and several files may begin with it.
            block.sql =
                "CREATE SCHEMA IF NOT EXISTS " + String(decoding: block.sql.utf8.dropFirst(create.count), as: UTF8.self)
        }
        guard let ownerSQL = entry.ownerSQL else { return [block] }
        var owner = block
        (owner.type, owner.sql, owner.partitions) = ("OWNER", ownerSQL, [])
        return [block, owner]
    }

    private func merged(
        _ blocks: [Unit: [Definition]],
        _ required: [Unit: Set<Unit>],
        _ group: DefinitionGroup
    ) throws -> [DefinitionFile] {
        var units: [StoragePath: [Unit]] = [:]
        for unit in blocks.keys { units[try group.path(reference(unit).component, moment), default: []].append(unit) }
        return units.map { path, units in
            var script = DefinitionScript(moment: moment.timestamp, blocks: [])
            for unit in units {
                // Those without definitions of their own, such as the schema public, have no file.
                let others = required[unit, default: []].subtracting(units).filter { blocks[$0] != nil }
                script.merge(
                    DefinitionScript(requires: others.map(reference), blocks: blocks[unit, default: []])
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
        /// Comments and rights of what belongs to no table.
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
                // What has no row of its own, such as a comment, follows what it depends on first, which stands before it.
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

        /// What a comment, a label or a right is for.
        func subject(of position: Int) -> Int? {
            let isAttached = ["COMMENT", "ACL", "SECURITY LABEL"].contains(entries[position].type)
            return isAttached ? dependencies(of: position).first : nil
        }

        func dependencies(of position: Int) -> [Int] {
            entries[position].dependencies.compactMap { positions[$0] } + indexNeeds[position, default: []]
        }

        /// Everything without which some tables cannot be made, themselves included.
        func needed(by relations: Set<Relation.OID>) -> Set<Int> {
            var needed: Set<Int> = []
            var pending = relations.flatMap { parts[$0] ?? [] }
            while let position = pending.popLast() {
                guard needed.insert(position).inserted else { continue }
                if let relation = self.relations[position] { pending += parts[relation] ?? [] }
                pending += attachments[position] ?? []
                // The table that a foreign key points to is no part of the one that has it.
                if entries[position].type != "FK CONSTRAINT" { pending += dependencies(of: position) }
            }
            return needed
        }

        /// Types, functions and the like that lie beside the tables, whether these need them or not.
        func isOptional(_ position: Int, in schemas: Set<[UInt8]>) -> Bool {
            let entry = entries[position]
            return relations[position] == nil && schemas.contains(Array(entry.schema.utf8))
        }
    }
}
