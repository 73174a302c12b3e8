import Foundation
import Postgres
import Storage

/// Writes the definitions of the planned tables, as the backup's snapshot sees them.
struct DefinitionExport {
    let session: DatabaseSession
    let catalog: DatabaseCatalog
    let dump: DefinitionDump
    /// The moment in the names of the files.
    let timestamp: RunTimestamp
    let published: PublishedFiles

    private var connection: Connection { session.connection }

    /// Dumps once for all tables, and writes their files, the list of tables last.
    ///
    /// - Parameter groups: The tables, and where their files go.
    /// - Returns: The tables and views whose definitions were written, referenced ones first.
    /// - Throws: ``DatabudgieError`` when pg_dump is missing, too old or refuses; `StorageError` when a file cannot be
    ///   written, or when another run has written one under the same timestamp.
    func run(_ groups: [DefinitionGroup]) async throws -> [QualifiedName] {
        let planned = DefinitionPlanner(catalog: catalog).order(groups)
        guard !planned.isEmpty else { return [] }
        let files = try await files(groups, of: planned)
        // Without those that an extension creates.
        let defined = Set(files.flatMap { $0.script.definitions.compactMap(\.relation) })
        let names = planned.map(\.name).filter(defined.contains)
        // All of them, before the first one is written.
        let texts = try files.map { (path: $0.path, bytes: Array(try $0.script.checkedText().utf8)) }
        let storages = session.storages
        try await storages.checkWritable(files.compactMap(\.path.parent))
        // The first one on its own: of two runs that begin in one second, one gives way before it has written anything.
        for (path, bytes) in texts.prefix(1) { try await write(bytes, to: path) }
        _ = try await texts.dropFirst().concurrentMap { path, bytes in try await write(bytes, to: path) }
        let list = try FileLayout(session.settings.definitions).path(.definitionList, of: nil, at: timestamp)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let lines = try encoder.encode(names.map { PathComponent($0).text })
        try await write(Array(lines), to: list)
        if !session.settings.isDryRun {
            session.recorder.found(.note("the definitions of \(names.count) tables are written, and listed in \(list)"))
        }
        return names
    }

    /// A file whose name holds the timestamp can only come from another run.
    private func write(_ bytes: [UInt8], to path: StoragePath) async throws {
        let isUnique = path.description.containsBytes(of: timestamp.timestamp)
        _ = try await session.storages.storage(for: path)
            .write(path, ifExists: isUnique ? .fail : .replace, from: SingleChunk(bytes))
        if isUnique { published.add([path]) }
    }

    private func files(_ groups: [DefinitionGroup], of order: [Relation]) async throws -> [DefinitionFile] {
        let owners = try await connection.withEmptySearchPath {
            try await DefinitionOwners(connection: connection, selection: order.map(\.oid))
        }
        let snapshot = try await connection.query(
            "select pg_catalog.pg_export_snapshot() as snapshot, "
                + "pg_catalog.current_setting('standard_conforming_strings') as strings"
        ).rows.first
        var entries = try await dump.definitions(
            of: session.settings.database,
            at: connection.server,
            snapshot: snapshot?["snapshot"] ?? "",
            hasStandardStrings: snapshot?["strings"] == "on",
            excluding: PsqlPattern.exact(unneeded(owners)),
            oddSchemas: owners.oddSchemas
        )
        owners.correctSchemas(of: &entries)
        let unreadable = try await addSequenceValues(to: &entries, owners)
        let sorter = DefinitionFiles(entries: entries, owners: owners, catalog: catalog, timestamp: timestamp)
        let files = try groups.flatMap { try sorter.files(for: $0) }
        (unreadable + sorter.findings(for: groups)).forEach(session.recorder.found)
        return merged(files)
    }

    /// The value of a sequence of no table is set where the sequence is created, because no file of values has it.
    ///
    /// - Returns: A warning for each sequence that cannot be read.
    private func addSequenceValues(
        to entries: inout [ArchiveEntry],
        _ owners: DefinitionOwners
    ) async throws -> [Finding] {
        let sequences = entries.indices.filter { position in
            entries[position].type == "SEQUENCE" && owners.relation(of: entries[position]) == nil
        }
        let list = sequences.map { entries[$0].oid }.arrayLiteral
        let rows = try await connection.query(Self.valuesQuery, [list]).rows
        let values = Dictionary(rows.map { ($0["oid"] ?? "", $0) }, uniquingKeysWith: { first, _ in first })
        var findings: [Finding] = []
        for sequence in sequences {
            guard let row = values[String(entries[sequence].oid)] else { continue }
            if row["is_readable"] != "t" {
                findings.append(
                    .warning(
                        "the value of the sequence \(entries[sequence].schema).\(entries[sequence].name) is not backed up, "
                            + "because the role lacks SELECT on it",
                        hint: "grant it"
                    )
                )
            } else if let value = row["last_value"].flatMap({ Int64($0) }), let name = row["name"] {
                entries[sequence].sql += "\n\nSELECT pg_catalog.setval(\(quotedLiteral(name)), \(value), true);"
            }
        }
        return findings
    }

    /// NULL for a sequence that has not been used.
    private static let valuesQuery = """
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

    /// One file a path, because two entries may name the same table in one location with other rows.
    private func merged(_ files: [DefinitionFile]) -> [DefinitionFile] {
        var scripts: [StoragePath: DefinitionScript] = [:]
        for file in files {
            scripts[file.path, default: DefinitionScript(timestamp: timestamp.timestamp, definitions: [])].merge(
                file.script
            )
        }
        return scripts.map { DefinitionFile(path: $0, script: $1) }
            .sorted { ByteKey($0.path.description) < ByteKey($1.path.description) }
    }
}
