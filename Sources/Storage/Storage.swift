public import struct FoundationEssentials.Date

/// Keeps files: on this machine, or in an S3 bucket.
///
/// ```swift
/// let storage: any Storage = LocalStorage()
/// let folder = try StoragePath("/backups/public.sales")
/// for file in try await storage.list(folder) {
///     print(file.path, file.size)
/// }
/// ```
///
/// Each implementation keeps every promise below, and one conformance suite tests all of them. All functions may be
/// called at the same time from any task. When the task is cancelled they stop soon, clean up, and throw
/// `CancellationError`.
///
/// ## Decorators
///
/// A type that wraps another storage (for a dry run, for metering, to limit what is sent) is a storage itself and has to
/// keep the same promises:
/// - It implements all functions and forwards those that it does not change, with their arguments as they are: paths
///   byte by byte, ranges, `ifExists`.
/// - It passes on what it pulls from a source of bytes at the pace of the wrapped storage, and does not gather it.
/// - It throws the wrapped storage's errors unchanged: callers tell failures apart by their ``StorageError/Code``, and a
///   source's own error and `CancellationError` by their type.
/// - It returns the ``FileInfo`` and the ``StorageBytes`` of the wrapped storage: `version` and `size` belong to the file.
/// - What it holds is safe to use from many tasks at once.
public protocol Storage: Sendable {
    /// Writes a whole file, or nothing.
    ///
    /// The file appears under its path in one step, after the source has ended without an error and everything is safe on
    /// the disk or with the server. When the source throws, the write fails or the task is cancelled, nothing is left
    /// behind: no part of a file, no unfinished upload. Missing folders are created.
    /// - Parameters:
    ///   - path: The file's path.
    ///   - ifExists: What to do when it exists; `.fail` lets exactly one of several writers win.
    ///   - bytes: The content, in chunks of any size; it is pulled no faster than it can be written.
    /// - Returns: What was written.
    /// - Throws: The source's own error unchanged, `CancellationError`, or ``StorageError``.
    func write<Bytes: AsyncSequence & Sendable>(
        _ path: StoragePath,
        ifExists: ExistingFile,
        from bytes: Bytes
    ) async throws -> FileInfo where Bytes.Element == [UInt8]

    /// Begins a file that is written in pieces, by several tasks at the same time.
    ///
    /// It keeps the promises of ``write(_:ifExists:from:)``, except that the caller has to discard it when something fails.
    /// - Parameters:
    ///   - path: The file's path.
    ///   - ifExists: What to do when it exists; `.fail` lets exactly one of several writers win.
    ///   - count: The number of pieces.
    /// - Returns: Takes the pieces.
    /// - Throws: `CancellationError`, or ``StorageError``.
    func writePieces(_ path: StoragePath, ifExists: ExistingFile, count: Int) async throws -> any PiecewiseWrite

    /// Opens a file for reading.
    ///
    /// All bytes come from the one version of the file that existed when it was opened. A connection that breaks is
    /// resumed where it broke; a file that changes meanwhile, or is shorter than the range, is an error and never a silent
    /// end.
    /// - Parameters:
    ///   - path: The file.
    ///   - range: Offsets of the bytes to read, from 0; nil reads the whole file. An empty range gives no bytes.
    /// - Returns: The bytes, pulled from the storage as they are requested.
    /// - Throws: ``StorageError``, with code `notFound` when the file does not exist and `truncated` when it ends before
    ///   the range does; `CancellationError`.
    func read(_ path: StoragePath, range: Range<Int64>?) async throws -> StorageBytes

    /// Looks a file up.
    /// - Parameter path: The file.
    /// - Returns: What is known about the file, or nil when it does not exist; a folder is not a file.
    /// - Throws: ``StorageError`` when that cannot be found out; `CancellationError`.
    func info(_ path: StoragePath) async throws -> FileInfo?

    /// Lists the files below a folder.
    ///
    /// Only a `/` byte ends a folder's name: listing `a` never gives `ab/c`.
    /// - Parameters:
    ///   - folder: The folder; one that does not exist has no files.
    ///   - recursive: Whether files in folders below the folder are listed as well.
    /// - Returns: All files, sorted by the UTF-8 bytes of their paths.
    /// - Throws: ``StorageError`` when the folder cannot be listed; `CancellationError`.
    func list(_ folder: StoragePath, recursive: Bool) async throws -> [FileInfo]

    /// Deletes files; a file that does not exist is not an error.
    /// - Parameter paths: The files, no folders.
    /// - Throws: ``StorageError`` for the first file that could not be deleted, after all others were tried;
    ///   `CancellationError`.
    func delete(_ paths: [StoragePath]) async throws

    /// Finds what writes that were broken off have left below a folder, at any depth.
    ///
    /// Writes that are under way are found as well: only their age tells them apart.
    /// - Parameters:
    ///   - folder: The folder; one that does not exist has nothing.
    ///   - limit: Only writes that have made no progress since then are found.
    /// - Returns: The writes, sorted by the UTF-8 bytes of their paths.
    /// - Throws: ``StorageError`` when that cannot be found out; `CancellationError`.
    func unfinishedWrites(_ folder: StoragePath, before limit: Date) async throws -> [UnfinishedWrite]

    /// Removes what a write has left; the file of its path, if there is one, stays as it is.
    ///
    /// Nothing happens when it is gone already. A write that is still under way fails.
    /// - Parameter write: What ``unfinishedWrites(_:before:)`` has found.
    /// - Throws: ``StorageError`` when it could not be removed; `CancellationError`.
    func discard(_ write: UnfinishedWrite) async throws

    /// Finds out whether files could be written to folders, and leaves nothing there.
    ///
    /// A missing bucket, a wrong secret, a wrong clock or a missing permission is reported here, before any work is done.
    /// - Parameter folders: The folders; they need not exist yet. What decides for several of them is tried once.
    /// - Throws: ``StorageError`` for the first that could not be written to, and says what is wrong; `CancellationError`.
    func checkWritable(_ folders: [StoragePath]) async throws
}

extension Storage {
    /// Finds out whether files could be written to a folder, and leaves nothing there.
    /// - Parameter folder: The folder; it need not exist yet.
    /// - Throws: ``StorageError`` that says what is wrong; `CancellationError`.
    public func checkWritable(_ folder: StoragePath) async throws {
        try await checkWritable([folder])
    }

    /// Opens a whole file for reading.
    /// - Parameter path: The file.
    /// - Returns: The bytes, pulled from the storage as they are requested.
    /// - Throws: ``StorageError``, with code `notFound` when the file does not exist; `CancellationError`.
    public func read(_ path: StoragePath) async throws -> StorageBytes {
        try await read(path, range: nil)
    }

    /// Lists the files directly in a folder.
    /// - Parameter folder: The folder; one that does not exist has no files.
    /// - Returns: The files, sorted by the UTF-8 bytes of their paths.
    /// - Throws: ``StorageError`` when the folder cannot be listed; `CancellationError`.
    public func list(_ folder: StoragePath) async throws -> [FileInfo] {
        try await list(folder, recursive: false)
    }
}
