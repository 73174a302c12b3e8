import Storage
import Synchronization

/// What a backup writes: the files that its set will consist of.
///
/// Several tasks write definitions, hence the lock.
final class WrittenFiles: Sendable {
    /// A job of the plan whose file is complete.
    enum Part: Sendable {
        /// This run has written it.
        case written(BackupJob, JobOutcome)
        /// An earlier run has.
        case kept(BackupJob, StoragePath)
    }

    private struct State {
        var parts: [Part] = []
        var definitions: [StoredFile] = []
        /// Those that no other run can have: their names hold this run's timestamp.
        var uniquePaths: [StoragePath] = []
        /// All others, which may have replaced those of earlier runs.
        var sharedPaths: [StoragePath] = []

        mutating func add(_ paths: [StoragePath], isUnique: Bool) {
            if isUnique { uniquePaths += paths } else { sharedPaths += paths }
        }
    }

    private let storages: StorageRouter
    /// Says in older records which files are replaced; nil when no set is recorded.
    let superseding: Superseding?
    private let state = Mutex(State())

    init(storages: StorageRouter, superseding: Superseding? = nil) {
        (self.storages, self.superseding) = (storages, superseding)
    }

    /// Writes a file, whole or not at all; what older sets lose by it is said in their records before it is published.
    ///
    /// - Parameters:
    ///   - path: Where it goes.
    ///   - isUnique: No other run can have the path, so a file that exists is left alone.
    ///   - isData: It holds rows, so it may be of another storage class.
    ///   - bytes: Its content.
    /// - Returns: What was written.
    /// - Throws: `StorageError`, with the code `alreadyExists` for a file that is to be unique; what the bytes throw.
    func write<Bytes: AsyncSequence & Sendable>(
        _ path: StoragePath,
        isUnique: Bool,
        isData: Bool = false,
        from bytes: Bytes
    ) async throws -> FileInfo where Bytes.Element == [UInt8] {
        let storage = isData ? storages.storage(forDataAt: path) : storages.storage(for: path)
        guard !isUnique else { return try await storage.write(path, ifExists: .fail, from: bytes) }
        guard let superseding, try await superseding.concerns(path) else {
            return try await storage.write(path, ifExists: .replace, from: bytes)
        }
        let old = try await storage.info(path)
        do {
            let marked = BytesBeforeEnd(bytes) { try await superseding.supersede(setsWith: path) }
            return try await storage.write(path, ifExists: .replace, from: marked)
        } catch {
            await superseding.takeBack(setsWith: path, if: old, in: storage)
            throw error
        }
    }

    /// Begins a data file that is written in pieces, with the promises of ``write(_:isUnique:from:)``.
    ///
    /// - Parameters:
    ///   - path: Where it goes.
    ///   - isUnique: No other run can have the path, so a file that exists is left alone.
    ///   - count: The number of pieces.
    /// - Returns: Takes the pieces.
    /// - Throws: `StorageError`, with the code `alreadyExists` for a file that is to be unique.
    func writePieces(_ path: StoragePath, isUnique: Bool, count: Int) async throws -> FileInPieces {
        let storage = storages.storage(forDataAt: path)
        let pieces = try await storage.writePieces(path, ifExists: isUnique ? .fail : .replace, count: count)
        return FileInPieces(path: path, storage: storage, pieces: pieces, superseding: isUnique ? nil : superseding)
    }

    /// The jobs whose files are complete, in the order in which they ended.
    var parts: [Part] { state.withLock { $0.parts } }
    /// The files with definitions.
    var definitions: [StoredFile] { state.withLock { $0.definitions } }
    /// The files that may have replaced those of earlier runs.
    var sharedPaths: [StoragePath] { state.withLock { $0.sharedPaths } }

    func add(_ job: BackupJob, _ outcome: JobOutcome) {
        state.withLock { state in
            state.parts.append(.written(job, outcome))
            state.add(job.paths, isUnique: job.isUniquePath)
        }
    }

    /// Adds a file that an earlier run has written and that takes the place of the job's own.
    func add(_ job: BackupJob, keptAt path: StoragePath) {
        state.withLock { $0.parts.append(.kept(job, path)) }
    }

    func add(_ definition: StoredFile, isUnique: Bool) {
        state.withLock { state in
            state.definitions.append(definition)
            state.add([definition.path], isUnique: isUnique)
        }
    }

    /// Removes what no other run can have, if possible, before it is written again under another timestamp or from another
    /// snapshot.
    func remove() async {
        let paths = state.withLock { state in
            defer { state = State() }
            return state.uniquePaths
        }
        // A task of its own, because the run may have been cancelled.
        await Task {
            for path in paths { try? await storages.storage(for: path).delete([path]) }
        }.value
    }
}

/// A file of a run that is written in pieces.
struct FileInPieces: Sendable {
    fileprivate let path: StoragePath
    fileprivate let storage: any Storage
    let pieces: any PiecewiseWrite
    /// Says in older records that the file is replaced; nil when no set is recorded, or nothing can be replaced.
    fileprivate let superseding: Superseding?

    /// Publishes the file; what older sets lose by it is said in their records before.
    ///
    /// - Parameter end: What follows the last piece.
    /// - Returns: What was written.
    /// - Throws: `StorageError`; `CancellationError`.
    func publish(_ end: [UInt8]) async throws -> FileInfo {
        guard let superseding, try await superseding.concerns(path) else { return try await pieces.publish(end) }
        let old = try await storage.info(path)
        do {
            try await superseding.supersede(setsWith: path)
            return try await pieces.publish(end)
        } catch {
            await superseding.takeBack(setsWith: path, if: old, in: storage)
            throw error
        }
    }
}

extension Superseding {
    /// Takes back what was said of a file that is still the old one.
    fileprivate func takeBack(setsWith path: StoragePath, if old: FileInfo?, in storage: any Storage) async {
        // A task of its own, because the run may have been cancelled.
        await Task {
            guard let now = try? await storage.info(path), now == old else { return }
            try? await takeBack(setsWith: path)
        }.value
    }
}
