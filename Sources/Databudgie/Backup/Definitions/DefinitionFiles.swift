import Postgres
import Storage

/// A file of definitions that a backup writes.
struct DefinitionFile: Sendable {
    let path: StoragePath
    let script: DefinitionScript
}

/// Sorts the definitions of an archive into files: one for each table, one for each schema, one for the database.
struct DefinitionFiles {
    private typealias Unit = DefinitionHomes.Unit

    private let index: ArchiveIndex
    private let homes: DefinitionHomes
    private let unpopulated: Set<Relation.OID>
    private let catalog: DatabaseCatalog
    private let timestamp: RunTimestamp
    /// Where the lists go, and with them the file of the database.
    private let lists: DefinitionConfiguration
    /// Statements to be added to the definitions of sequences.
    var statements: [Relation.OID: String] = [:]
    /// What is chosen for each group.
    private let selections: [(definitionGroup: DefinitionGroup, selection: DefinitionSelection)]

    /// - Parameters:
    ///   - groups: The tables, and where their files go.
    ///   - entries: All definitions, in the order in which they can be run.
    ///   - owners: Which of them belong to which table.
    ///   - catalog: The tables.
    ///   - timestamp: The moment in the names of the files.
    ///   - lists: Where the lists go, and with them the file of the database.
    init(
        for groups: [DefinitionGroup],
        entries: [ArchiveEntry],
        owners: DefinitionOwners,
        catalog: DatabaseCatalog,
        timestamp: RunTimestamp,
        lists: DefinitionConfiguration
    ) {
        // Schemas have files too, those without tables as well.
        self.catalog = catalog.counting(
            schemas: entries.map { $0.type == "SCHEMA" ? $0.name : $0.schema }.filter { !$0.isEmpty }
        )
        (self.timestamp, self.lists) = (timestamp, lists)
        let index = ArchiveIndex(entries, owners)
        let homes = DefinitionHomes(index, owners)
        selections = groups.map { ($0, DefinitionSelection($0, index, homes)) }
        (self.index, self.homes) = (index, homes)
        unpopulated = owners.unpopulated
    }

    private var entries: [ArchiveEntry] { index.entries }

    /// Granted after the rows, so no role can read a table before its policies exist.
    private static let privileges: Set = ["ACL", "DEFAULT ACL"]

    /// Sorts out all files.
    ///
    /// - Returns: One file a path, in the order of the paths; several tables are in one file when their location has no `{table}`.
    /// - Throws: ``DatabudgieError`` for a location that is not a path.
    func files() throws -> [DefinitionFile] {
        var scripts: [StoragePath: DefinitionScript] = [:]
        for (group, selection) in selections {
            for file in try files(for: group, selection) {
                scripts[file.path, default: DefinitionScript(timestamp: timestamp.timestamp, definitions: [])].merge(
                    file.script
                )
            }
        }
        return scripts.map { DefinitionFile(path: $0, script: $1) }
            .sorted { ByteKey($0.path.description) < ByteKey($1.path.description) }
    }

    /// The schemas that have a file without a table in it: a restore finds them by their names.
    ///
    /// - Returns: Names in the order of their bytes.
    func schemasWithoutTables() -> [String] {
        let tables = Set(selections.flatMap(\.definitionGroup.relations).map { ByteKey($0.name.schema) })
        let schemas = selections.flatMap { group, selection in
            selection.units.values.flatMap(\.self).compactMap { unit -> ByteKey? in
                guard case .schema(let name) = unit else { return nil }
                let text = String(decoding: name, as: UTF8.self)
                return group.covers(text) ? ByteKey(text) : nil
            }
        }
        return Set(schemas).subtracting(tables).sorted().map(\.string)
    }

    /// The sequences among the definitions that belong to no table.
    var schemaSequences: [Relation.OID] {
        selections.reduce(into: Set<Int>()) { $0.formUnion($1.selection.units.keys) }.sorted()
            .filter { entries[$0].type == "SEQUENCE" && index.relations[$0] == nil }.map { entries[$0].oid }
    }

    /// Whether an entry names a schema as a whole that has something in it.
    var coversSchema: Bool {
        let schemas = Set(entries.map { ByteKey($0.schema) })
            .union(selections.flatMap(\.definitionGroup.relations).map { ByteKey($0.name.schema) })
        return selections.contains { item in schemas.contains { item.definitionGroup.covers($0.string) } }
    }

    /// What is missing from the files though a restored database is not complete without it.
    ///
    /// - Parameter others: What else is missing, that no archive has, as in `3 large objects`.
    /// - Returns: Warnings.
    func findings(others: [String]) -> [Finding] {
        let members = selections.flatMap(\.definitionGroup.relations).filter { index.parts[$0.oid] == nil }.map {
            Finding.warning(
                "it belongs to an extension: CREATE EXTENSION will create it, so its definition is not backed up",
                of: $0.name.label
            )
        }
        let names = missing() + others
        guard !names.isEmpty else { return members }
        return members + [
            .warning(
                "the definitions do not include " + names.joined(separator: ", "),
                hint: "create what is needed of it by hand after a restore"
            )
        ]
    }

    /// What belongs to the database as a whole and is not written, when schemas of it are.
    private func missing() -> [String] {
        let coverage = selections.flatMap(\.definitionGroup.coverage)
        let written = selections.reduce(into: Set<Int>()) { $0.formUnion($1.selection.units.keys) }
        guard coversSchema else { return [] }
        let selected = Set(selections.flatMap(\.definitionGroup.relations).map(\.oid))
        let isWhole = coverage.contains(where: \.isWholeDatabase)
        return entries.indices.filter { position in
            guard !written.contains(position), index.subject(of: position) == nil else { return false }
            let relations = index.dependencies(of: position).compactMap { index.relations[$0] }
            switch entries[position].type {
            case "SUBSCRIPTION", "EVENT TRIGGER": return true
            case "PUBLICATION TABLE": return !isWhole && !selected.isDisjoint(with: relations)
            case "PUBLICATION", "FOREIGN DATA WRAPPER", "SERVER", "PROCEDURAL LANGUAGE", "CAST", "TRANSFORM",
                "USER MAPPING":
                return isWhole
            default: return false
            }
        }.map { position in
            let entry = entries[position]
            let isNamedInFull = entry.name.utf8.starts(with: "\(entry.type) ".utf8)
            return isNamedInFull ? "the " + Self.lowercased(entry) : "the \(entry.type.lowercased()) \(entry.name)"
        }
    }

    /// A name that begins with the type, as in `USER MAPPING u SERVER s`.
    private static func lowercased(_ entry: ArchiveEntry) -> String {
        entry.type.lowercased() + String(decoding: entry.name.utf8.dropFirst(entry.type.utf8.count), as: UTF8.self)
    }

    private func files(for group: DefinitionGroup, _ selection: DefinitionSelection) throws -> [DefinitionFile] {
        let selected = Set(group.relations.map(\.oid))
        var definitions: [Unit: [Definition]] = [:]
        var required: [Unit: Set<Unit>] = [:]
        for (position, units) in selection.units.sorted(by: { $0.key < $1.key }) {
            for unit in units {
                definitions[unit, default: []] += self.definitions(
                    at: position,
                    unit,
                    selected,
                    isOptional: !selection.needed.contains(position)
                )
                guard entries[position].type != "FK CONSTRAINT" else { continue }
                required[unit, default: []].formUnion(
                    index.dependencies(of: position).flatMap { nearest(selection.units[$0, default: []], to: unit) }
                )
            }
        }
        for unit in definitions.keys {
            guard case .schema(let schema) = unit, group.covers(String(decoding: schema, as: UTF8.self)) else {
                continue
            }
            required[unit, default: []].formUnion(selection.extensionUnits)
        }
        return try merged(definitions, required, group)
    }

    /// Of several files that have a definition the one of the same schema, if it is among them.
    private func nearest(_ units: Set<Unit>, to unit: Unit) -> Set<Unit> {
        let schema: Unit =
            if case .relation(let oid) = unit { .schema(Array((catalog[oid]?.name.schema ?? "").utf8)) } else { unit }
        return units.contains(schema) ? [schema] : units
    }

    private func definitions(
        at position: Int,
        _ unit: Unit,
        _ selected: Set<Relation.OID>,
        isOptional: Bool
    ) -> [Definition] {
        let entry = entries[position]
        var definition = Definition(
            order: position,
            section: Self.privileges.contains(entry.type) ? .postData : entry.section,
            type: entry.type,
            schema: entry.schema,
            attachedTo: index.subject(of: position),
            isOptional: isOptional,
            sql: entry.sql
        )
        if entry.type == "SEQUENCE", let statement = statements[entry.oid] { definition.sql += "\n\n" + statement }
        if case .relation(let oid) = unit, let relation = catalog[oid] {
            (definition.schema, definition.table) = (relation.name.schema, relation.name.name)
            if entry.type == "TABLE", relation.kind == .partitionedTable {
                definition.partitions = index.partitions(of: relation, in: selected).map { reference(.relation($0)) }
            }
            if entry.type == "MATERIALIZED VIEW" { definition.isPopulated = !unpopulated.contains(oid) }
        }
        for create in ["CREATE SCHEMA ", "CREATE SERVER "] where definition.sql.utf8.starts(with: create.utf8) {
            // It may exist, and several files may have it.
            definition.sql =
                create + "IF NOT EXISTS "
                + String(decoding: definition.sql.utf8.dropFirst(create.utf8.count), as: UTF8.self)
        }
        guard let ownerSQL = entry.ownerSQL else { return [definition] }
        var owner = definition
        (owner.type, owner.sql, owner.partitions, owner.isPopulated) = ("OWNER", ownerSQL, [], true)
        return [definition, owner]
    }

    private func merged(
        _ definitions: [Unit: [Definition]],
        _ required: [Unit: Set<Unit>],
        _ group: DefinitionGroup
    ) throws -> [DefinitionFile] {
        var units: [StoragePath: [Unit]] = [:]
        for unit in definitions.keys {
            units[try path(of: unit, group), default: []].append(unit)
        }
        // Of thousands of names each file says its own.
        let globs = group.names.filter { Glob($0).hasWildcards }
        let names = Set(group.names.map { ByteKey($0) })
        return units.map { path, units in
            var script = DefinitionScript(timestamp: timestamp.timestamp, definitions: [])
            script.selection = globs + units.compactMap { name(of: $0, in: names) }
            for unit in units {
                // Those without definitions of their own, such as the schema public, have no file.
                let others = required[unit, default: []].subtracting(units).filter {
                    definitions[$0] != nil && $0 != .database
                }
                script.merge(
                    DefinitionScript(requires: others.map(reference), definitions: definitions[unit, default: []])
                )
            }
            return DefinitionFile(path: path, script: script)
        }
    }

    /// The name of a table, if an entry has it.
    private func name(of unit: Unit, in names: Set<ByteKey>) -> String? {
        guard case .relation(let oid) = unit, let name = catalog[oid]?.name.description else { return nil }
        return names.contains(ByteKey(name)) ? name : nil
    }

    private func path(of unit: Unit, _ group: DefinitionGroup) throws -> StoragePath {
        guard unit == .database else { return try group.path(catalog.component(of: reference(unit)), timestamp) }
        return try FileLayout(lists).path(.databaseDefinition, of: nil, at: timestamp)
    }

    private func reference(_ unit: Unit) -> DefinitionScript.Unit {
        switch unit {
        case .schema(let name):
            DefinitionScript.Unit(schema: String(decoding: name, as: UTF8.self))
        case .relation(let oid):
            DefinitionScript.Unit(schema: catalog[oid]?.name.schema ?? "", table: catalog[oid]?.name.name ?? "")
        case .database:
            .database
        }
    }
}
