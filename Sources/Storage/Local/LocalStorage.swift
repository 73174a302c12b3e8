import Glibc
import SystemPackage

public import struct FoundationEssentials.Date

/// Keeps files on this machine's disks.
///
/// A file is written under a temporary name in its folder, flushed to the disk and renamed; files have mode 0600, new
/// folders 0700. A symbolic link under the name of a file that is written is replaced, not followed. Other links are
/// followed only when they belong to root or to the user of this process, and links to folders never when listing.
public struct LocalStorage: Storage {
    private let calls: LocalCalls

    /// Creates a storage; it has no state.
    public init() {
        self.init(calls: LocalCalls())
    }

    init(calls: LocalCalls) {
        self.calls = calls
    }

    /// Writes a whole file, or nothing: see ``Storage/write(_:ifExists:from:)``.
    /// - Parameters:
    ///   - path: A local path.
    ///   - ifExists: What to do when the file exists.
    ///   - bytes: The content, in chunks of any size.
    /// - Returns: What was written.
    /// - Throws: The source's own error, ``StorageError`` or `CancellationError`.
    public func write<Bytes: AsyncSequence & Sendable>(
        _ path: StoragePath,
        ifExists: ExistingFile,
        from bytes: Bytes
    ) async throws -> FileInfo where Bytes.Element == [UInt8] {
        let target = try localPath(path)
        let calls = calls
        let file = try await BlockingWork.run {
            try TemporaryFile.create(for: target, ifExists: ifExists, calls)
        }
        do {
            _ = try await TemporaryFile.fill(file, from: bytes)
            try Task.checkCancellation()
            let info = try await BlockingWork.run { try file.publish(ifExists: ifExists) }
            file.close()
            return info
        } catch {
            try? await BlockingWork.run { file.discard() }
            throw error
        }
    }

    /// Begins a file that is written in pieces: see ``Storage/writePieces(_:ifExists:count:)``.
    ///
    /// Each piece has a temporary file; that of the first one becomes the file.
    /// - Parameters:
    ///   - path: A local path.
    ///   - ifExists: What to do when the file exists.
    ///   - count: The number of pieces.
    /// - Returns: Takes the pieces.
    /// - Throws: ``StorageError`` or `CancellationError`.
    public func writePieces(
        _ path: StoragePath,
        ifExists: ExistingFile,
        count: Int
    ) async throws -> any PiecewiseWrite {
        try await LocalPieces.begin(localPath(path), ifExists: ifExists, count: count, calls)
    }

    /// Opens a file for reading: see ``Storage/read(_:range:)``.
    /// - Parameters:
    ///   - path: A local path.
    ///   - range: Offsets of the bytes to read, from 0; nil reads the whole file.
    /// - Returns: The bytes, read as they are requested.
    /// - Throws: ``StorageError`` or `CancellationError`.
    public func read(_ path: StoragePath, range: Range<Int64>?) async throws -> StorageBytes {
        let target = try localPath(path)
        let reader = try await BlockingWork.run { try LocalReader(path: target, range: range) }
        return StorageBytes(info: reader.info, reader: reader)
    }

    /// Looks a file up: see ``Storage/info(_:)``.
    /// - Parameter path: A local path.
    /// - Returns: What is known about the file, or nil when it does not exist.
    /// - Throws: ``StorageError`` or `CancellationError`.
    public func info(_ path: StoragePath) async throws -> FileInfo? {
        let target = try localPath(path)
        return try await BlockingWork.run {
            do {
                let status = try LocalFile.status(of: target)
                return status.type == .regular ? FileInfo(path: path, status: status) : nil
            } catch Errno.noSuchFileOrDirectory, Errno.notDirectory, Errno.isDirectory {
                return nil
            } catch {
                throw StorageError.local(error, target, "cannot be looked up")
            }
        }
    }

    /// Lists the files below a folder: see ``Storage/list(_:recursive:)``.
    ///
    /// Devices, links to folders and the temporary files of unfinished writes are skipped. A link to a file is listed as
    /// that file; one that cannot be followed is listed as well, so reading it reports why.
    /// - Parameters:
    ///   - folder: A local path.
    ///   - recursive: Whether files in folders below the folder are listed as well.
    /// - Returns: All files, sorted by the UTF-8 bytes of their paths.
    /// - Throws: ``StorageError`` or `CancellationError`.
    public func list(_ folder: StoragePath, recursive: Bool) async throws -> [FileInfo] {
        let target = try localPath(folder)
        return try await BlockingWork.run {
            try LocalListing(folder: folder, target: target) { !TemporaryFile.isTemporary($0) }
                .files(recursive: recursive).sorted { $0.path < $1.path }
        }
    }

    /// Deletes files: see ``Storage/delete(_:)``.
    /// - Parameter paths: Local paths.
    /// - Throws: ``StorageError`` or `CancellationError`.
    public func delete(_ paths: [StoragePath]) async throws {
        let targets = try paths.map(localPath)
        try await BlockingWork.run {
            var firstFailure: (any Error)?
            for target in targets {
                do {
                    let path = StoragePath.local(target)
                    try LocalFolder(path: path.parent?.text ?? ".").remove(path.lastComponent)
                } catch Errno.noSuchFileOrDirectory, Errno.notDirectory {
                    continue
                } catch {
                    firstFailure = firstFailure ?? StorageError.local(error, target, "cannot be deleted")
                }
            }
            if let firstFailure { throw firstFailure }
        }
    }

    /// Finds what broken writes have left: see ``Storage/unfinishedWrites(_:before:)``.
    /// - Parameters:
    ///   - folder: A local path.
    ///   - limit: Only temporary files that were last written before then are found.
    /// - Returns: The writes, sorted by the UTF-8 bytes of their paths.
    /// - Throws: ``StorageError`` or `CancellationError`.
    public func unfinishedWrites(_ folder: StoragePath, before limit: Date) async throws -> [UnfinishedWrite] {
        let target = try localPath(folder)
        return try await BlockingWork.run {
            try LocalListing(folder: folder, target: target, includesLinks: false) {
                TemporaryFile.target(of: $0) != nil
            }
            .files(recursive: true)
            .compactMap { file in
                let name = file.path.lastComponent
                guard file.modified < limit, let target = TemporaryFile.target(of: name),
                    let folder = file.path.parent
                else { return nil }
                let path = folder == .local(".") ? .local(target) : folder.appending(target)
                return UnfinishedWrite(path: path, modified: file.modified, size: file.size, id: name)
            }
            .sorted { $0.path < $1.path }
        }
    }

    /// Removes a temporary file: see ``Storage/discard(_:)``.
    /// - Parameter write: What ``unfinishedWrites(_:before:)`` has found.
    /// - Throws: ``StorageError`` or `CancellationError`.
    public func discard(_ write: UnfinishedWrite) async throws {
        guard TemporaryFile.target(of: write.id) != nil else {
            throw StorageError(.invalidPath, "\(write.id) is not the name of a temporary file", path: write.path)
        }
        try await delete([(write.path.parent ?? .local(".")).appending(write.id)])
    }

    /// Finds out whether files could be written to folders: see ``Storage/checkWritable(_:)-([StoragePath])``.
    ///
    /// The nearest folder that exists is tried, for all that are missing below it together; missing ones are not created.
    /// - Parameter folders: Local paths.
    /// - Throws: ``StorageError`` or `CancellationError`.
    public func checkWritable(_ folders: [StoragePath]) async throws {
        let targets = try folders.map { (folder: $0, path: try localPath($0)) }
        let calls = calls
        try await BlockingWork.run {
            var nearest = NearestFolders()
            var tried: Set<String> = []
            for (folder, target) in targets {
                do {
                    let existing = try nearest.folder(of: target)
                    guard tried.insert(existing).inserted else { continue }
                    try TemporaryFile.create(for: existing + "/check", ifExists: .replace, calls).discard()
                } catch var error as StorageError {
                    guard let reason = error.underlying as? Errno else {
                        error.path = folder
                        throw error
                    }
                    throw StorageError.local(reason, target, "cannot be written to", subject: "the folder \(target)")
                } catch {
                    throw StorageError.local(error, target, "cannot be written to", subject: "the folder \(target)")
                }
            }
        }
    }

    func localPath(_ path: StoragePath) throws(StorageError) -> String {
        guard case .local(let target) = path, !target.isEmpty, !target.utf8.contains(0) else {
            throw StorageError(
                .invalidPath,
                "\(path) is not the path of a local file",
                hint: "check the location",
                path: path
            )
        }
        return target
    }
}
