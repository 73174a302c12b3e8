import Foundation
import Storage

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
        // Whoever is allowed to write need not be allowed to look; only the write itself would find out then.
        if ifExists == .fail, let existing = try? await base.info(path) {
            throw StorageError(
                .alreadyExists,
                "\(existing.path) already exists, and would not be replaced",
                hint: "choose another name or remove the file",
                path: path
            )
        }
        var size: Int64 = 0
        for try await chunk in bytes { size += Int64(chunk.count) }
        return FileInfo(path: path, size: size, modified: Date(), version: nil)
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

    func checkWritable(_ folder: StoragePath) async throws {}
}
