import Foundation
import Postgres
import Storage

/// Writes the definitions of the planned tables, as the backup's snapshot sees them.
struct DefinitionExport: Sendable {
    var session: DatabaseSession
    let catalog: DatabaseCatalog
    let dump: DefinitionDump
    /// The moment in the names of the files.
    let timestamp: RunTimestamp
    let written: WrittenFiles

    private var connection: Connection { session.connection }

    /// Dumps once for all tables, and writes their files, the list of tables last.
    ///
    /// - Parameter groups: The tables, and where their files go.
    /// - Returns: The tables and views whose definitions were written, referenced ones first.
    /// - Throws: ``DatabudgieError`` when pg_dump is missing, too old or refuses; `StorageError` when a file cannot be
    ///   written, or when another run has written one under the same timestamp.
    func run(_ groups: [DefinitionGroup]) async throws -> [QualifiedName] {
        guard !groups.isEmpty else { return [] }
        let owners = try await connection.withEmptySearchPath {
            try await DefinitionOwners(connection: connection, selection: order(groups).map(\.oid))
        }
        let (groups, hidden) = try await withoutUnreadable(groups, owners)
        let planned = order(groups)
        guard !planned.isEmpty else { return [] }
        var entries = try await dump(planned, owners, isWhole: hidden.isEmpty)
        owners.correctSchemas(of: &entries)
        var sorter = DefinitionFiles(
            for: groups,
            entries: entries,
            owners: owners,
            catalog: catalog,
            timestamp: timestamp,
            lists: session.settings.definitions
        )
        let (statements, unread) = try await SchemaSequences(connection: connection).values(of: sorter.schemaSequences)
        sorter.statements = statements
        let files = try sorter.files()
        // Without those that an extension creates.
        let defined = Set(files.flatMap { $0.script.definitions.compactMap(\.relation) })
        let relations = planned.filter { defined.contains($0.name) }
        try await write(files)
        let derived = Set(groups.flatMap(\.derived))
        // For databudgie 2.9.3, which creates what its globs find in the order of the alphabet.
        let (further, tables) = (
            relations.filter { derived.contains($0.oid) }, relations.filter { !derived.contains($0.oid) }
        )
        let names =
            further.map { PathComponent($0.name).text }
            + sorter.schemasWithoutTables().map { PathComponent(schema: $0).text }
        // An older list under the same name must not stay.
        if !names.isEmpty || !session.settings.definitions.filename.variables.contains(.timestamp) {
            try await write(names, to: .furtherDefinitions)
        }
        try await write(tables.map { PathComponent($0.name).text }, to: .definitionList)
        let others = hidden + (sorter.coversSchema ? try await largeObjects() : [])
        (unread + sorter.findings(others: others)).forEach(session.recorder.found)
        if !session.settings.isDryRun { announce(tables.count, further.count) }
        return relations.map(\.name)
    }

    private func order(_ groups: [DefinitionGroup]) -> [Relation] {
        DefinitionPlanner(catalog: catalog).order(groups)
    }

    private func announce(_ tables: Int, _ further: Int) {
        let list = try? FileLayout(session.settings.definitions).path(.definitionList, of: nil, at: timestamp)
        let views = further == 0 ? "" : " and \(further) views and the like"
        session.recorder.found(
            .note(
                "the definitions of \(counted(tables, "table"))\(views) are written, and listed in \(list?.description ?? "")"
            )
        )
    }

    /// Writes all files; none before each of them is certain to be read back as it is meant.
    private func write(_ files: [DefinitionFile]) async throws {
        let texts = try files.map { (path: $0.path, bytes: Array(try $0.script.checkedText().utf8)) }
        let storages = session.storages
        try await storages.checkWritable(files.compactMap(\.path.parent))
        // The first one on its own: of two runs that begin in one second, one gives way before it has written anything.
        for (path, bytes) in texts.prefix(1) { try await write(bytes, to: path) }
        _ = try await texts.dropFirst().concurrentMap(limit: 32) { path, bytes in try await write(bytes, to: path) }
    }

    /// A file whose name holds the timestamp can only come from another run.
    private func write(_ bytes: [UInt8], to path: StoragePath) async throws {
        let isUnique = path.description.containsBytes(of: timestamp.timestamp)
        await FailPoint.reached(.definitionUnwritten)
        _ = try await written.write(path, isUnique: isUnique, from: SingleChunk(bytes))
        written.add(StoredFile(path, content: bytes), isUnique: isUnique)
        await FailPoint.reached(.definitionWritten)
    }

    private func write(_ names: [String], to content: FileLayout.Content) async throws {
        let path = try FileLayout(session.settings.definitions).path(content, of: nil, at: timestamp)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        try await write(Array(try encoder.encode(names)), to: path)
    }

    /// Skips the views that only a glob found and that read a table which pg_dump could not lock.
    ///
    /// - Returns: The other tables and views, and what is said of those that are skipped.
    private func withoutUnreadable(
        _ groups: [DefinitionGroup],
        _ owners: DefinitionOwners
    ) async throws -> ([DefinitionGroup], [String]) {
        let selected = Set(
            groups.flatMap { group in group.relations.map(\.oid).filter { !group.derived.contains($0) } }
        )
        let unreadable = catalog.relations.filter {
            $0.kind.isFoundByGlobs && !$0.isReadable && owners.needed.contains($0.oid) && !selected.contains($0.oid)
        }
        guard !unreadable.isEmpty else { return (groups, []) }
        var skipped: [Relation.OID: String] = [:]
        for view in Set(groups.flatMap(\.derived)).subtracting(selected) {
            let needed = try await connection.withEmptySearchPath {
                try await DefinitionOwners.needed(by: [view], over: connection)
            }
            guard let table = unreadable.first(where: { needed.contains($0.oid) }), let name = catalog[view]?.name
            else {
                continue
            }
            skipped[view] = "the view \(name), because the role cannot read \(table.name)"
        }
        let readable = groups.map { group in
            var group = group
            group.relations.removeAll { skipped[$0.oid] != nil }
            return group
        }
        return (readable, skipped.values.map { ByteKey($0) }.sorted().map(\.string))
    }

    private func dump(
        _ planned: [Relation],
        _ owners: DefinitionOwners,
        isWhole: Bool
    ) async throws -> [ArchiveEntry] {
        let needed =
            isWhole
            ? owners.needed
            : try await connection.withEmptySearchPath {
                try await DefinitionOwners.needed(by: planned.map(\.oid), over: connection)
            }
        let exclusions = try await DumpExclusions(
            connection: connection,
            catalog: catalog,
            locks: LockBudget(connection: connection).available
        ).patterns(needed: needed)
        let snapshot = try await connection.query(
            "select pg_catalog.pg_export_snapshot() as snapshot, "
                + "pg_catalog.current_setting('standard_conforming_strings') as strings"
        ).rows.first
        return try await dump.definitions(
            of: session.settings.database,
            at: connection.server,
            snapshot: snapshot?["snapshot"] ?? "",
            hasStandardStrings: snapshot?["strings"] == "on",
            excluding: exclusions,
            oddSchemas: owners.oddSchemas
        )
    }

    /// How many large objects there are, which no file of a backup has.
    private func largeObjects() async throws -> [String] {
        let count =
            try await connection.query(
                "select pg_catalog.count(*) as count from pg_catalog.pg_largeobject_metadata"
            ).rows.first?["count"].flatMap(Int.init) ?? 0
        return count == 0 ? [] : [count == 1 ? "a large object" : "\(count) large objects"]
    }
}
