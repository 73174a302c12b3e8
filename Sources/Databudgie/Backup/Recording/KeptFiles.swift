import Compression
import Storage

/// Files of earlier runs that take the place of a run's own: tables that exist already, and those of a resumed run.
struct KeptFiles {
    let catalog: SetCatalog

    /// What is known of such files: what the record of their own set says, or else their size.
    ///
    /// - Parameter parts: What a run consists of.
    /// - Returns: An entry of a record for each path.
    /// - Throws: `StorageError`, ``DatabudgieError``.
    func tables(of parts: [WrittenFiles.Part]) async throws -> [StoragePath: SetRecord.Table] {
        var missing: Set<StoragePath> = []
        for case .kept(_, let path) in parts { missing.insert(path) }
        guard !missing.isEmpty else { return [:] }
        var tables: [StoragePath: SetRecord.Table] = [:]
        for entry in try await catalog.entries() where entry.record != nil && !missing.isEmpty {
            let record = try await catalog.record(entry.id)
            guard record.supersededBy == nil else { continue }
            for table in record.tables {
                guard let file = table.file, let path = try? catalog.paths.path(of: file.path),
                    missing.remove(path) != nil
                else { continue }
                tables[path] = table
            }
        }
        let unrecorded = try await missing.sorted().concurrentMap { path in
            (path, try await catalog.storages.storage(for: path).info(path))
        }
        for case (let path, let info?) in unrecorded {
            tables[path] = SetRecord.Table(
                columns: [],
                file: SetRecord.DataFile(
                    path: catalog.paths.text(of: path),
                    bytes: info.size,
                    compression: DataFileFormat(fileName: path.lastComponent).compression?.rawValue
                ),
                sequences: []
            )
        }
        return tables
    }
}
