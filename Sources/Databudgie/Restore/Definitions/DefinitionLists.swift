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
        let names: [QualifiedName]
    }

    private let storages: StorageRouter
    private let defaultSchema: String
    private let pattern: FilePattern
    private let files: [FileInfo]

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
    /// - Throws: ``DatabudgieError`` when there is none; `StorageError`.
    init(_ settings: DefinitionConfiguration, in storages: StorageRouter, defaultSchema: String) async throws {
        self.storages = storages
        self.defaultSchema = defaultSchema
        pattern = try FileLayout(settings).pattern(.definitionList, of: nil)
        files = try await FileListing([pattern], in: storages).all(pattern, by: settings.strategy)
        guard !files.isEmpty else {
            throw DatabudgieError(
                .preflight,
                "there is no list of tables in \(pattern.folder) that matches '\(settings.filename)': no definition can be restored",
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
        let bytes = try await storages.storage(for: file.path).read(file.path).collect(upTo: Self.sizeLimit)
        guard let names = try? JSONDecoder().decode([String].self, from: Data(bytes)) else {
            throw DatabudgieError(
                .dataFile,
                "\(file.path) is not a list of table names in JSON",
                hint: "restore it from the backup, or remove it to use an older one"
            )
        }
        // Parts of names are encoded apart, so it is clear where a name with several dots is cut.
        let tables = names.map { PathComponent.name($0) ?? QualifiedName(schema: defaultSchema, name: $0) }
        return List(path: file.path, time: pattern.time(of: file.path) ?? "", names: tables)
    }
}
