import Storage

/// What the storages have for a restore: listings, and what was read of files before the first row.
///
/// It asks for nothing that it knows already, so what was looked at before a transaction costs no time within it. A file
/// that cannot be used concerns its table alone.
struct RestoreFiles: Sendable {
    private let storages: StorageRouter
    /// What was listed.
    private(set) var listing = FileListing()
    private var headers: [StoragePath: Result<CheckedHeader, DatabudgieError>] = [:]
    private var values: [StoragePath: Result<[SequencesFile.Entry], DatabudgieError>] = [:]

    init(in storages: StorageRouter) {
        self.storages = storages
    }

    /// Lists the folders of some patterns.
    ///
    /// - Throws: `StorageError` when the storage cannot be used at all; `CancellationError`.
    mutating func list(_ patterns: [FilePattern]) async throws {
        try await listing.add(patterns, in: storages)
    }

    /// Reads the headers of the data files of a plan, and its files of sequences' values.
    ///
    /// - Throws: `StorageError` when the storage cannot be used at all; `CancellationError`.
    mutating func read(_ plan: RestorePlan) async throws {
        let storages = storages
        let dataFiles = plan.jobs.map(\.file).filter { headers[$0.path] == nil }
        for (path, header) in try await dataFiles.concurrentMap({ try await Self.header(of: $0, storages) }) {
            headers[path] = header
        }
        let valueFiles = plan.sequences.map(\.file).filter { values[$0.path] == nil }
        for (path, entries) in try await valueFiles.concurrentMap({ try await Self.values(in: $0, storages) }) {
            values[path] = entries
        }
    }

    /// The header of a data file, or why there is none.
    func header(of file: FileInfo) -> Result<CheckedHeader, DatabudgieError> {
        headers[file.path] ?? .failure(Self.unread(file))
    }

    /// The values in a file of sequences, or why there are none.
    func values(in file: FileInfo) -> Result<[SequencesFile.Entry], DatabudgieError> {
        values[file.path] ?? .failure(Self.unread(file))
    }

    private static func unread(_ file: FileInfo) -> DatabudgieError {
        DatabudgieError(.internalInconsistency, "\(file.path) was not read")
    }

    private static func header(
        of file: FileInfo,
        _ storages: StorageRouter
    ) async throws -> (StoragePath, Result<CheckedHeader, DatabudgieError>) {
        let result = try await FileFailure.result {
            let reader = DataFileHeader(storage: storages.storage(for: file.path))
            let (header, version) = try await reader.read(file)
            return CheckedHeader(header: header, file: version)
        }
        return (file.path, result)
    }

    private static func values(
        in file: FileInfo,
        _ storages: StorageRouter
    ) async throws -> (StoragePath, Result<[SequencesFile.Entry], DatabudgieError>) {
        let result = try await FileFailure.result {
            try await SequencesFile.read(file, from: storages.storage(for: file.path))
        }
        return (file.path, result)
    }
}

/// The header of a data file, as it was found before the first row.
struct CheckedHeader: Sendable {
    let header: CSVHeader
    /// The version of the file that has it.
    let file: FileInfo
}
