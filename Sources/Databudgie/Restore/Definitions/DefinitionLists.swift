import Foundation
import Postgres
import Storage

/// The lists of tables that backups have left, the newest first.
struct DefinitionLists {
    /// One backup's tables.
    struct List {
        let path: StoragePath
        /// As in the file's name.
        let time: String
        /// The tables, and the views and the like that globs found.
        let names: [QualifiedName]
        /// The schemas that have definitions and no tables.
        let schemas: [String]
        /// The definitions of what belongs to the database as a whole.
        let database: StoragePath?
        /// The names as a catalog, which knows those that differ in case only.
        let catalog: DatabaseCatalog
    }

    private let storages: StorageRouter
    private let defaultSchema: String
    private let pattern: FilePattern
    private let files: [FileInfo]
    /// What databudgie 2.9.3 does not write: a second list, and the file of the database.
    private let further: FilePattern
    private let database: FilePattern
    private let furtherFiles: FileListing
    private let recorded: RecordedDefinitions?

    /// The most bytes that a list may have.
    private static let sizeLimit = 256 << 20
    /// Further back nothing is looked for.
    static let limit = 100

    /// Finds the lists.
    ///
    /// - Parameters:
    ///   - settings: Where they are.
    ///   - storages: The storages.
    ///   - defaultSchema: The schema of names without a dot.
    ///   - recorded: The files of a set, which are the only ones that count.
    /// - Throws: ``DatabudgieError`` when there is none; `StorageError`.
    init(
        _ settings: DefinitionConfiguration,
        in storages: StorageRouter,
        defaultSchema: String,
        recorded: RecordedDefinitions? = nil
    ) async throws {
        self.recorded = recorded
        self.storages = storages
        self.defaultSchema = defaultSchema
        pattern = try FileLayout(settings).pattern(.definitionList, of: nil)
        files = try await FileListing([pattern], in: storages, of: recorded?.listing)
            .all(pattern, by: settings.strategy)
        further = try FileLayout(settings).pattern(.furtherDefinitions, of: nil)
        database = try FileLayout(settings).pattern(.databaseDefinition, of: nil)
        furtherFiles = try await FileListing([further, database], in: storages, of: recorded?.listing)
        guard !files.isEmpty else {
            let place = recorded.map { " of the set \($0.set)" } ?? ""
            throw DatabudgieError(
                .preflight,
                "there is no list of tables\(place) in \(pattern.folder) that matches '\(settings.filename)': no definition can be restored",
                hint: "check ddl.location, or turn ddl off"
            )
        }
    }

    /// How many lists are looked at, at most.
    var count: Int { min(files.count, Self.limit) }

    /// Reads a list; 0 is the newest one.
    ///
    /// - Throws: ``DatabudgieError`` for a file that is not a list; `StorageError`.
    func read(_ number: Int) async throws -> List {
        let file = files[number]
        let time = pattern.time(of: file.path) ?? ""
        // Parts of names are encoded apart, so it is clear where a name with several dots is cut.
        let tables = try await strings(in: file.path).map {
            PathComponent.name($0) ?? QualifiedName(schema: defaultSchema, name: $0)
        }
        let second = furtherFiles.file(further, of: time)
        let others = if let second { try await strings(in: second.path) } else { [String]() }
        let names = tables + others.compactMap(PathComponent.name)
        let schemas = others.compactMap(PathComponent.schema)
        return List(
            path: file.path,
            time: time,
            names: names,
            schemas: schemas,
            database: furtherFiles.file(database, of: time)?.path,
            catalog: DatabaseCatalog(listed: names, defaultSchema: defaultSchema, schemas: schemas)
        )
    }

    private func strings(in path: StoragePath) async throws -> [String] {
        let bytes =
            if let recorded { try await recorded.read(path, storages, upTo: Self.sizeLimit) } else {
                try await storages.storage(for: path).read(path).collect(upTo: Self.sizeLimit)
            }
        guard let names = try? JSONDecoder().decode([String].self, from: Data(bytes)) else {
            throw DatabudgieError(
                .dataFile,
                "\(path) is not a list of table names in JSON",
                hint: "restore it from the backup, or remove it to use an older one"
            )
        }
        return names
    }
}
