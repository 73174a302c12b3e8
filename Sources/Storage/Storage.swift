/// Keeps files: on this machine, or in an S3 bucket.
///
/// Every promise below is kept by each implementation and tested by one conformance suite that runs on all of them.
/// All functions may be called at the same time from any task. When the task is cancelled they stop soon, clean up, and
/// throw `CancellationError`.
public protocol Storage: Sendable {
    /// Writes a file whole, or not at all.
    ///
    /// The file appears under its path in one step, after the source ended without an error and everything is safe on the
    /// disk or with the server. When the source throws, the write fails or the task is cancelled, nothing stays behind:
    /// no part of a file, no unfinished upload. Missing folders are made.
    /// - Parameters:
    ///   - path: Where the file will lie.
    ///   - ifExists: What to do when it exists; `.fail` lets exactly one of several writers win.
    ///   - bytes: The content, in chunks of any size; it is pulled no faster than it can be written.
    /// - Returns: What was written.
    /// - Throws: The source's own error unchanged, `CancellationError`, or `StorageError`.
    func write<Bytes: AsyncSequence & Sendable>(
        _ path: StoragePath,
        ifExists: ExistingFile,
        from bytes: Bytes
    ) async throws -> FileInfo where Bytes.Element == [UInt8]

    /// Opens a file for reading.
    ///
    /// All bytes come from the one version of the file that was there when it was opened. A connection that breaks is
    /// taken up again where it broke; a file that was changed meanwhile, or is shorter than the range, is an error and
    /// never a silent end.
    /// - Parameters:
    ///   - path: The file.
    ///   - range: The bytes to read, from 0; nil reads the whole file. An empty range gives no bytes.
    /// - Returns: The bytes, pulled from the storage as they are asked for.
    /// - Throws: `StorageError` with code `notFound` when the file does not exist.
    func read(_ path: StoragePath, range: Range<Int64>?) async throws -> StorageBytes

    /// Looks a file up.
    /// - Parameter path: The file.
    /// - Returns: What is known about the file, or nil when there is none; a folder is no file.
    /// - Throws: `StorageError` when that cannot be found out.
    func info(_ path: StoragePath) async throws -> FileInfo?

    /// Lists the files below a folder; names are divided by `/`, so `a` never stands for `ab/c`.
    /// - Parameters:
    ///   - folder: The folder; one that does not exist has no files.
    ///   - recursive: Whether files of folders in the folder are listed as well.
    /// - Returns: All files, sorted by the UTF-8 bytes of their paths.
    /// - Throws: `StorageError` when the folder cannot be listed.
    func list(_ folder: StoragePath, recursive: Bool) async throws -> [FileInfo]

    /// Deletes files; ones that do not exist are no error.
    /// - Parameter paths: The files, no folders.
    /// - Throws: `StorageError` for the first file that could not be deleted, after all others were tried.
    func delete(_ paths: [StoragePath]) async throws

    /// Finds out whether files could be written to a folder, and leaves nothing there.
    ///
    /// A missing bucket, a wrong secret, a wrong clock or a missing permission is told here, before any work is done.
    /// - Parameter folder: The folder; it need not exist yet.
    /// - Throws: `StorageError` that says what is wrong.
    func checkWritable(_ folder: StoragePath) async throws
}

extension Storage {
    /// Opens a whole file for reading.
    /// - Parameter path: The file.
    /// - Returns: The bytes, pulled from the storage as they are asked for.
    /// - Throws: `StorageError` with code `notFound` when the file does not exist.
    public func read(_ path: StoragePath) async throws -> StorageBytes {
        try await read(path, range: nil)
    }

    /// Lists the files directly in a folder.
    /// - Parameter folder: The folder; one that does not exist has no files.
    /// - Returns: The files, sorted by the UTF-8 bytes of their paths.
    /// - Throws: `StorageError` when the folder cannot be listed.
    public func list(_ folder: StoragePath) async throws -> [FileInfo] {
        try await list(folder, recursive: false)
    }
}
