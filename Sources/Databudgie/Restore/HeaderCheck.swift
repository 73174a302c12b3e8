import Storage

/// The header of a data file, as the preflight found it.
struct CheckedHeader: Sendable {
    let header: CSVHeader
    /// The version of the file that has it.
    let file: FileInfo
}

/// Reads the headers of data files; a file that cannot be used concerns its table alone.
struct HeaderCheck {
    let storages: StorageRouter

    /// Reads the beginnings of all files.
    ///
    /// - Parameter jobs: The loads of a plan.
    /// - Returns: The header of each, or why there is none.
    /// - Throws: `StorageError` when the storage cannot be used at all; `CancellationError`.
    func read(_ jobs: [RestoreJob]) async throws -> [JobID: Result<CheckedHeader, DatabudgieError>] {
        let storages = storages
        let headers = try await jobs.concurrentMap { job in
            let result = try await FileFailure.result {
                let reader = DataFileHeader(storage: storages.storage(for: job.file.path))
                let (header, file) = try await reader.read(job.file)
                return CheckedHeader(header: header, file: file)
            }
            return (job.id, result)
        }
        return Dictionary(headers, uniquingKeysWith: { first, _ in first })
    }
}
