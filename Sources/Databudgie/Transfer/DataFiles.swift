import Storage

/// Finds the data files that earlier backups left for a job.
struct DataFiles {
    let storage: any Storage

    /// The newest file that matches the pattern.
    ///
    /// - Parameters:
    ///   - pattern: Where to look and which names count.
    ///   - strategy: What newest means; without one, the time in the name.
    /// - Returns: nil when no file matches.
    /// - Throws: `StorageError`.
    func newest(_ pattern: DataFilePattern, by strategy: RestoreStrategy? = nil) async throws -> FileInfo? {
        let candidates = try await storage.list(pattern.folder, recursive: pattern.isNested)
            .compactMap { file in pattern.time(of: file.path).map { (time: $0, file: file) } }
        switch strategy {
        case .useLatestMetadata:
            return candidates.map(\.file).max {
                ($0.modified, $0.path.description) < ($1.modified, $1.path.description)
            }
        case .useLatestFilename, .useLatestSet, nil:
            // Two files of one moment, say .csv and .csv.gz: the one written last.
            return candidates.max { ($0.time, $0.file.modified) < ($1.time, $1.file.modified) }?.file
        }
    }
}
