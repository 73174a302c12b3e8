import Compression
import Foundation
import Postgres
public import Storage

/// Makes sets of the files of backups that have no records, such as those of databudgie 2.9.3.
///
///     let adoption = SetAdoption(configuration)
///     let found = try await adoption.find()
///     try await adoption.adopt(found)
///
/// Files are not read: an adopted set has neither rows nor hashes, and whether it has everything that its backup wrote is
/// not known.
public struct SetAdoption: Sendable {
    private let access: CatalogAccess

    /// Prepares an adoption; nothing is read before ``find()``.
    ///
    /// - Parameters:
    ///   - configuration: The locations of its backup are searched.
    ///   - environment: Environment variables and clock.
    public init(_ configuration: Configuration, environment: RunEnvironment = RunEnvironment()) {
        access = CatalogAccess(configuration: configuration, kind: .backup, environment: environment)
    }

    /// The folder of the records.
    ///
    /// - Throws: ``DatabudgieError`` when the configuration has none.
    public func catalog() throws -> StoragePath { try access.folder() }

    /// Searches all locations of the configuration's backup, and groups the files by their timestamps.
    ///
    /// - Returns: The records to be, newest first; none for a timestamp that has a record, or the mark of a run.
    /// - Throws: ``DatabudgieError`` when the configuration has no catalog; `StorageError` when a location cannot be
    ///   searched; `CancellationError`.
    public func find() async throws -> [SetRecord] {
        let backup = access.configuration.backup
        let places = try AdoptionPlaces(backup.tables, backup.run.definitions)
        return try await access.withCatalog { catalog in
            let known = Set(try await catalog.entries().map(\.id))
            let lists = try await places.folders.concurrentMap { folder in
                try await catalog.storages.storage(for: folder).list(folder, recursive: true)
            }
            var groups: [String: [AdoptedFile]] = [:]
            for file in lists.joined() where !CatalogLocation.contains(catalog.folder, file.path) {
                guard let adopted = places.read(file), !known.contains(adopted.id) else { continue }
                groups[adopted.id, default: []].append(adopted)
            }
            return groups.compactMap { id, files in Self.record(id, files, catalog.paths) }.sorted { $0.id > $1.id }
        }
    }

    /// Writes the records.
    ///
    /// - Parameter records: What ``find()`` has returned, or some of it.
    /// - Throws: `StorageError` for the first that could not be written; with the code `alreadyExists` when another program
    ///   has recorded a set under the id meanwhile.
    public func adopt(_ records: [SetRecord]) async throws {
        try await access.withCatalog { catalog in
            for record in records { try await catalog.commit(record) }
        }
    }

    /// - Returns: nil when no file has rows.
    private static func record(_ id: String, _ files: [AdoptedFile], _ paths: RecordedPaths) -> SetRecord? {
        guard let moment = try? Date(id + "Z", strategy: .iso8601) else { return nil }
        var tables: [AdoptedFile.Owner: SetRecord.Table] = [:]
        var definitions: [SetRecord.File] = []
        // Of several files of one table and moment the one written last counts, as in a restore.
        for file in files.sorted(by: { ($0.file.modified, $0.file.path) < ($1.file.modified, $1.file.path) }) {
            let path = paths.text(of: file.file.path)
            switch file.content {
            case .data(let compression):
                tables[file.owner, default: table(file)].file = SetRecord.DataFile(
                    path: path,
                    bytes: file.file.size,
                    compression: compression?.rawValue
                )
            case .sequences:
                tables[file.owner, default: table(file)].sequencesFile = SetRecord.File(
                    path: path,
                    bytes: file.file.size
                )
            case .definitions:
                definitions.append(SetRecord.File(path: path, bytes: file.file.size))
            }
        }
        let sorted = tables.sorted { ($0.key.place, $0.key.table) < ($1.key.place, $1.key.table) }.map(\.value)
        guard sorted.contains(where: { $0.file != nil }) else { return nil }
        let sizes = sorted.flatMap { [$0.file?.bytes, $0.sequencesFile?.bytes].compactMap(\.self) }
        let newest = files.map(\.file.modified).max() ?? moment
        return SetRecord(
            id: id,
            tool: DatabudgieVersion.tool,
            status: .complete,
            consistency: .mixed,
            startedAt: moment,
            finishedAt: Date(timeIntervalSince1970: newest.timeIntervalSince1970.rounded(.down)),
            totals: SetRecord.Totals(
                tables: sorted.count { $0.file != nil },
                fileBytes: (sizes + definitions.map(\.bytes)).reduce(0, +)
            ),
            tables: sorted,
            definitions: definitions.sorted { ByteKey($0.path) < ByteKey($1.path) },
            foreignKeys: [],
            failures: [],
            warnings: ["adopted from files that have no record: what else their backup wrote is not known"]
        )
    }

    /// The table that an entry of the configuration names; nil without a schema.
    private static func name(_ text: String) -> QualifiedName? {
        let parts = text.split(atByte: ".", maxSplits: 1)
        return parts.count == 2 ? QualifiedName(schema: parts[0], name: parts[1]) : nil
    }

    /// The table of a file, as far as the path and the configuration say which it is.
    private static func table(_ file: AdoptedFile) -> SetRecord.Table {
        let label = file.table ?? file.entry?.options.name
        let name = file.table.map(PathComponent.name) ?? file.entry?.options.name.flatMap(Self.name)
        let query = file.entry.flatMap { entry in
            entry.hasExplicitQuery
                ? entry.query.render([.table: name?.quoted ?? label.map(quotedIdentifier) ?? ""]) : nil
        }
        return SetRecord.Table(
            schema: name?.schema,
            name: name?.name ?? label,
            query: query,
            columns: [],
            sequences: []
        )
    }
}
