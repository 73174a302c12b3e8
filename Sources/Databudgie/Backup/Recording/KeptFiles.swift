import Compression
import Storage

/// Files of earlier runs that take the place of a run's own: tables that exist already, and those of a resumed run.
struct KeptFiles {
    let catalog: SetCatalog

    /// What is known of such a file.
    struct KeptFile: Sendable {
        /// What the record of its own set says, or else its size.
        let table: SetRecord.Table
        /// How the columns of its own set were masked; nil when they were not, or when it is of none.
        var masking: SetRecord.Masking?
    }

    /// Looks the files up.
    ///
    /// - Parameter parts: What a run consists of.
    /// - Returns: What is known, by path.
    /// - Throws: `StorageError`, ``DatabudgieError``.
    func files(of parts: [WrittenFiles.Part]) async throws -> [StoragePath: KeptFile] {
        var missing: Set<StoragePath> = []
        for case .kept(_, let path) in parts { missing.insert(path) }
        guard !missing.isEmpty else { return [:] }
        var files: [StoragePath: KeptFile] = [:]
        for entry in try await catalog.entries() where entry.record != nil && !missing.isEmpty {
            let record = try await catalog.record(entry.id)
            guard record.supersededBy == nil else { continue }
            for table in record.tables {
                guard let file = table.file, let path = try? catalog.paths.path(of: file.path),
                    missing.remove(path) != nil
                else { continue }
                files[path] = KeptFile(table: table, masking: record.masking)
            }
        }
        let unrecorded = try await missing.sorted().concurrentMap { path in
            (path, try await catalog.storages.storage(for: path).info(path))
        }
        for case (let path, let info?) in unrecorded {
            files[path] = KeptFile(
                table: SetRecord.Table(
                    columns: [],
                    file: SetRecord.DataFile(
                        path: catalog.paths.text(of: path),
                        bytes: info.size,
                        compression: DataFileFormat(fileName: path.lastComponent).compression?.rawValue
                    ),
                    sequences: []
                )
            )
        }
        return files
    }
}
