import Storage

/// What the storages have for a restore: listings, and what was read of files before the first row.
///
/// It asks for nothing that it knows already, so what was looked at before a transaction costs no time within it. A file
/// that cannot be used concerns its table alone.
struct RestoreFiles: Sendable {
    /// A storage that is far away answers as many requests in the time of one.
    private static let readAtOnce = 32

    private let storages: StorageRouter
    /// What was listed.
    private(set) var listing = FileListing()
    private var headers: [StoragePath: Result<CheckedHeader, DatabudgieError>] = [:]
    private var values: [StoragePath: Result<[SequencesFile.Entry], DatabudgieError>] = [:]

    init(in storages: StorageRouter) {
        self.storages = storages
    }

    /// Lists the folders in which the data files of candidates are.
    ///
    /// - Throws: `StorageError` when the storage cannot be used at all; `CancellationError`.
    mutating func listData(of candidates: [RestoreCandidate]) async throws {
        try await listing.add(candidates.filter { $0.source.set == nil }.flatMap(\.patterns), in: storages)
        try await listing.add(files: candidates.compactMap { $0.source.part?.data?.path }, in: storages)
    }

    /// Lists the folders in which the values of sequences are.
    ///
    /// - Throws: `StorageError` when the storage cannot be used at all; `CancellationError`.
    mutating func list(_ sources: [SequenceSource]) async throws {
        try await listing.add(sources.filter { $0.candidate.source.set == nil }.map(\.pattern), in: storages)
        try await listing.add(files: sources.compactMap { $0.candidate.source.part?.sequences?.path }, in: storages)
    }

    /// The data file of each candidate, or why it is not known.
    func data(of candidates: [RestoreCandidate]) -> [Result<FileInfo?, DatabudgieError>] {
        candidates.map { candidate in
            Result { () throws(DatabudgieError) -> FileInfo? in try listing.dataFile(of: candidate) }
        }
    }

    /// Reads the headers of the data files of a plan, and its files of sequences' values.
    ///
    /// - Throws: `StorageError` when the storage cannot be used at all; `CancellationError`.
    mutating func read(_ plan: RestorePlan) async throws {
        let storages = storages
        let dataFiles = plan.jobs.map(\.file).filter { headers[$0.path] == nil }
        for (path, header) in try await dataFiles.concurrentMap(
            limit: Self.readAtOnce,
            { try await Self.header(of: $0, storages) }
        ) {
            headers[path] = header
        }
        let valueFiles = plan.sequences.filter { values[$0.file.path] == nil }
        for (path, entries) in try await valueFiles.concurrentMap(
            limit: Self.readAtOnce,
            { try await Self.values(in: $0, storages) }
        ) {
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
        in job: SequenceJob,
        _ storages: StorageRouter
    ) async throws -> (StoragePath, Result<[SequencesFile.Entry], DatabudgieError>) {
        let path = job.file.path
        let result = try await FileFailure.result {
            let bytes = try await SequencesFile.read(job.file, from: storages.storage(for: path))
            if let part = job.part { try part.sequences?.check(bytes, of: part.set) }
            return try SequencesFile.entries(bytes, path: path)
        }
        return (path, result)
    }
}

/// The header of a data file, as it was found before the first row.
struct CheckedHeader: Sendable {
    let header: CSVHeader
    /// The version of the file that has it.
    let file: FileInfo
}
