import Foundation
import Storage
import Synchronization

/// A storage that reads as another one does and writes nothing (`--dry-run`).
///
/// What would be written is still pulled to its end, so everything that produces it runs, and fails when it would fail: also
/// when a file has to be new and is there already.
struct DryRunStorage: Storage {
    let base: any Storage

    func write<Bytes: AsyncSequence & Sendable>(
        _ path: StoragePath,
        ifExists: ExistingFile,
        from bytes: Bytes
    ) async throws -> FileInfo where Bytes.Element == [UInt8] {
        try await refuseExisting(path, ifExists)
        var size: Int64 = 0
        for try await chunk in bytes { size += Int64(chunk.count) }
        return FileInfo(path: path, size: size, modified: Date(), version: nil)
    }

    func writePieces(
        _ path: StoragePath,
        ifExists: ExistingFile,
        count: Int
    ) async throws -> any PiecewiseWrite {
        try await refuseExisting(path, ifExists)
        return DryRunPieces(path: path)
    }

    private func refuseExisting(_ path: StoragePath, _ ifExists: ExistingFile) async throws {
        // Whoever is allowed to write need not be allowed to look; only the write itself would find out then.
        if ifExists == .fail, let existing = try? await base.info(path) {
            throw StorageError(
                .alreadyExists,
                "\(existing.path) already exists, and would not be replaced",
                hint: "choose another name or remove the file",
                path: path
            )
        }
    }

    func read(_ path: StoragePath, range: Range<Int64>?) async throws -> StorageBytes {
        try await base.read(path, range: range)
    }

    func info(_ path: StoragePath) async throws -> FileInfo? {
        try await base.info(path)
    }

    func list(_ folder: StoragePath, recursive: Bool) async throws -> [FileInfo] {
        try await base.list(folder, recursive: recursive)
    }

    func delete(_ paths: [StoragePath]) async throws {}

    func unfinishedWrites(_ folder: StoragePath, before limit: Date) async throws -> [UnfinishedWrite] {
        try await base.unfinishedWrites(folder, before: limit)
    }

    func discard(_ write: UnfinishedWrite) async throws {}

    func checkWritable(_ folders: [StoragePath]) async throws {}
}

/// A file in pieces that is not written.
private final class DryRunPieces: PiecewiseWrite {
    private let path: StoragePath
    /// The bytes of the pieces that were pulled to their ends.
    private let sizes = Mutex<[Int: Int64]>([:])

    init(path: StoragePath) {
        self.path = path
    }

    func write<Bytes: AsyncSequence & Sendable>(
        _ piece: Int,
        from bytes: Bytes
    ) async throws where Bytes.Element == [UInt8] {
        var size: Int64 = 0
        for try await chunk in bytes { size += Int64(chunk.count) }
        sizes.withLock { [size] in $0[piece] = size }
    }

    func publish(_ end: [UInt8]) async throws -> FileInfo {
        let size = sizes.withLock { $0.values.reduce(0, +) }
        return FileInfo(path: path, size: size + Int64(end.count), modified: Date(), version: nil)
    }

    func discard() async {}
}
