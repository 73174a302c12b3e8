import Foundation
import Postgres
import Storage

/// Writes the definitions of the planned tables, as the backup's snapshot sees them.
struct DefinitionExport {
    let session: Session
    let parameters: ConnectionParameters
    let settings: DefinitionConfiguration
    let catalog: DatabaseCatalog
    let moment: RunTimestamp
    let tools: DefinitionDump
    let isDryRun: Bool

    private var connection: Connection { session.connection }

    /// Dumps once for all tables, and writes their files, the list of tables last.
    ///
    /// - Parameter groups: The tables, and where their files go.
    /// - Throws: ``DatabudgieError`` when pg_dump is missing, too old or refuses; `StorageError` when a file cannot be
    ///   written.
    func run(_ groups: [DefinitionGroup]) async throws {
        let planned = DefinitionPlanner(catalog: catalog).order(groups)
        guard !planned.isEmpty else { return }
        let files = try await files(groups, of: planned)
        // Without those that an extension brings along.
        let defined = Set(files.flatMap { $0.script.blocks.compactMap(\.relation) })
        let order = planned.filter { defined.contains($0.name) }
        // All of them, before the first one is written.
        let texts = try files.map { (path: $0.path, bytes: Array(try $0.script.checkedText().utf8)) }
        guard !isDryRun else {
            session.recorder.defined(order.map(\.name.description))
            return
        }
        try await session.storages.checkWritable(files.compactMap(\.path.parent))
        let storages = session.storages
        _ = try await texts.concurrentMap { path, bytes in
            try await storages.storage(for: path).write(path, ifExists: .replace, from: SingleChunk(bytes))
        }
        let list = try listPath()
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let names = try encoder.encode(order.map(\.name.description))
        _ = try await storages.storage(for: list).write(list, ifExists: .replace, from: SingleChunk(Array(names)))
        session.recorder.defined(order.map(\.name.description))
        session.recorder.detail("The definitions of \(order.count) tables are written; \(list) lists them.")
    }

    private func files(_ groups: [DefinitionGroup], of order: [Relation]) async throws -> [DefinitionFile] {
        let owners = try await connection.withEmptySearchPath {
            try await DefinitionOwners(connection: connection, selection: order.map(\.oid))
        }
        let snapshot = try await connection.query("select pg_catalog.pg_export_snapshot() as snapshot").rows.first
        var entries = try await tools.definitions(
            of: parameters,
            at: connection.server,
            snapshot: snapshot?["snapshot"] ?? "",
            excluding: PsqlPattern.exact(unneeded(owners))
        )
        owners.correctSchemas(of: &entries)
        var warnings: [String] = []
        try await addPositions(to: &entries, owners, &warnings)
        let sorter = DefinitionFiles(entries: entries, owners: owners, catalog: catalog, moment: moment)
        let files = try groups.flatMap { try sorter.files(for: $0, warnings: &warnings) }
        warnings.forEach(session.recorder.warning)
        return merged(files)
    }

    /// A sequence of no table is made where it stands, as no file of positions has it.
    private func addPositions(
        to entries: inout [ArchiveEntry],
        _ owners: DefinitionOwners,
        _ warnings: inout [String]
    ) async throws {
        let sequences = entries.indices.filter { position in
            entries[position].type == "SEQUENCE" && owners.relation(of: entries[position]) == nil
        }
        let list = sequences.map { entries[$0].oid }.arrayLiteral
        let rows = try await connection.query(Self.positionsQuery, [list]).rows
        let positions = Dictionary(rows.map { ($0["oid"] ?? "", $0) }, uniquingKeysWith: { first, _ in first })
        for sequence in sequences {
            guard let row = positions[String(entries[sequence].oid)] else { continue }
            if row["is_readable"] != "t" {
                warnings.append(
                    "The position of the sequence \(entries[sequence].schema).\(entries[sequence].name) is not backed up, as the "
                        + "role may not read it; grant it SELECT on the sequence."
                )
            } else if let value = row["last_value"].flatMap({ Int64($0) }), let name = row["name"] {
                entries[sequence].sql += "\n\nSELECT pg_catalog.setval(\(quotedLiteral(name)), \(value), true);"
            }
        }
    }

    /// NULL for a sequence that has not been used.
    private static let positionsQuery = """
        select c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) as name,
            pg_catalog.has_sequence_privilege(c.oid, 'SELECT') as is_readable,
            case when pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
                then pg_catalog.pg_sequence_last_value(c.oid) end as last_value
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
        where c.oid operator(pg_catalog.=) any ($1::pg_catalog.oid[])
        """

    /// Tables that pg_dump would lock for nothing, or could not lock.
    private func unneeded(_ owners: DefinitionOwners) -> [QualifiedName] {
        catalog.relations.filter {
            ($0.kind == .table || $0.kind == .partitionedTable) && !owners.needed.contains($0.oid)
        }.map(\.name)
    }

    private func listPath() throws -> StoragePath {
        let values = moment.pathValues(table: nil, ext: "json")
        return try StoragePath(settings.location.render(values)).appending(settings.filename.render(values))
    }

    /// One file a path, as two entries may ask for the same table in one location with other rows.
    private func merged(_ files: [DefinitionFile]) -> [DefinitionFile] {
        var scripts: [StoragePath: DefinitionScript] = [:]
        for file in files {
            scripts[file.path, default: DefinitionScript(moment: moment.timestamp, blocks: [])].merge(file.script)
        }
        return scripts.map { DefinitionFile(path: $0, script: $1) }.sorted { $0.path.description < $1.path.description }
    }
}
