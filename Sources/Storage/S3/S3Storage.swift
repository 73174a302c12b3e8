public import struct FoundationEssentials.Date

/// Keeps files in S3 or in a store that speaks its protocol.
///
/// Small files are written with one request, larger ones as multipart uploads that are aborted when anything fails.
/// ``ExistingFile/fail`` is exact where the server honours `If-None-Match: *`; on others two writers at the very same
/// moment may both succeed. Close the storage with ``shutdown()`` when it is no longer needed.
///
/// What is written carries its SHA-256, signed, and its MD5 to servers other than Amazon's, so a bit that flips on
/// the way is detected. Parts have no MD5 once ``checkWritable(_:)-([StoragePath])`` has seen that the server compares the SHA-256, unless the
/// bucket demands one. What is read whole is compared with the checksum or the MD5 that the server has. Ranges are not
/// compared, nor are files that were uploaded in parts to servers that keep no checksum of the whole: there, TLS and the
/// checksums inside gzip and zstd files are the protection, and plain text over plain http has only TCP's.
public final class S3Storage: Storage {
    let client: S3Client
    private let storageClass: String?

    /// The name that ``checkWritable(_:)-([StoragePath])`` begins an upload for.
    public static let probeName = ".databudgie-check"

    /// Creates a storage; nothing is read or sent before the first use.
    /// - Parameters:
    ///   - options: How to reach the server.
    ///   - environment: The environment variables in which to look for the settings of the AWS tools.
    public convenience init(options: S3Options, environment: [String: String]) {
        self.init(options: options, environment: environment, policy: RetryPolicy())
    }

    init(options: S3Options, environment: [String: String], policy: RetryPolicy) {
        client = S3Client(options: options, environment: environment, policy: policy)
        storageClass = options.storageClass
    }

    private init(_ client: S3Client, storageClass: String?) {
        (self.client, self.storageClass) = (client, storageClass)
    }

    /// The same storage, with the same connections, for files of another class.
    /// - Parameter storageClass: The class in which files are stored; nil is the server's default.
    /// - Returns: A storage that ends with this one.
    public func storing(in storageClass: String?) -> S3Storage {
        S3Storage(client, storageClass: storageClass)
    }

    /// Closes all connections; the storage cannot be used afterwards.
    /// - Throws: An error of the network when connections were in use.
    public func shutdown() async throws {
        try await client.shutdown()
    }

    /// Writes a whole file, or nothing: see ``Storage/write(_:ifExists:from:)``.
    /// - Parameters:
    ///   - path: A path in a bucket, with a key.
    ///   - ifExists: What to do when the file exists.
    ///   - bytes: The content, in chunks of any size.
    /// - Returns: What was written.
    /// - Throws: The source's own error, ``StorageError`` or `CancellationError`.
    public func write<Bytes: AsyncSequence & Sendable>(
        _ path: StoragePath,
        ifExists: ExistingFile,
        from bytes: Bytes
    ) async throws -> FileInfo where Bytes.Element == [UInt8] {
        let (bucket, key) = try object(path)
        return try await upload(bucket, key, ifExists).run(from: bytes)
    }

    /// Begins a file that is written in pieces: see ``Storage/writePieces(_:ifExists:count:)``.
    ///
    /// It is one multipart upload, in which each piece has part numbers of its own.
    /// - Parameters:
    ///   - path: A path in a bucket, with a key.
    ///   - ifExists: What to do when the file exists.
    ///   - count: The number of pieces.
    /// - Returns: Takes the pieces.
    /// - Throws: ``StorageError`` or `CancellationError`.
    public func writePieces(
        _ path: StoragePath,
        ifExists: ExistingFile,
        count: Int
    ) async throws -> any PiecewiseWrite {
        let (bucket, key) = try object(path)
        return try await S3Pieces.begin(upload(bucket, key, ifExists), count: count)
    }

    /// Opens a file for reading: see ``Storage/read(_:range:)``.
    /// - Parameters:
    ///   - path: A path in a bucket, with a key.
    ///   - range: Offsets of the bytes to read, from 0; nil reads the whole file.
    /// - Returns: The bytes, read as they are requested.
    /// - Throws: ``StorageError`` or `CancellationError`.
    public func read(_ path: StoragePath, range: Range<Int64>?) async throws -> StorageBytes {
        let (bucket, key) = try object(path)
        let download = try await S3Download(client: client, bucket: bucket, key: key, range: range)
        return StorageBytes(info: download.info, reader: download)
    }

    /// Looks a file up: see ``Storage/info(_:)``.
    /// - Parameter path: A path in a bucket, with a key.
    /// - Returns: What is known about the file, or nil when it does not exist.
    /// - Throws: ``StorageError`` or `CancellationError`.
    public func info(_ path: StoragePath) async throws -> FileInfo? {
        let (bucket, key) = try object(path)
        return try await client.head(bucket: bucket, key: key, action: "looked up")?.info
    }

    /// Lists the files below a folder: see ``Storage/list(_:recursive:)``.
    /// - Parameters:
    ///   - folder: A path in a bucket; without a key, the whole bucket.
    ///   - recursive: Whether files in folders below the folder are listed as well.
    /// - Returns: All files, sorted by the UTF-8 bytes of their paths.
    /// - Throws: ``StorageError`` or `CancellationError`.
    public func list(_ folder: StoragePath, recursive: Bool) async throws -> [FileInfo] {
        let (bucket, key) = try location(folder)
        return try await client.list(bucket: bucket, folder: key, recursive: recursive)
    }

    /// Deletes files: see ``Storage/delete(_:)``.
    /// - Parameter paths: Paths in buckets, with keys.
    /// - Throws: ``StorageError`` or `CancellationError`.
    public func delete(_ paths: [StoragePath]) async throws {
        var keys: [ExactString: [String]] = [:]
        for path in paths {
            let (bucket, key) = try object(path)
            keys[ExactString(bucket), default: []].append(key)
        }
        var firstFailure: StorageError?
        for (bucket, keys) in keys {
            let failure = try await client.delete(bucket: bucket.text, keys: keys)
            firstFailure = firstFailure ?? failure
        }
        if let firstFailure { throw firstFailure }
    }

    /// Finds what broken writes have left: see ``Storage/unfinishedWrites(_:before:)``.
    /// - Parameters:
    ///   - folder: A path in a bucket; without a key, the whole bucket.
    ///   - limit: Only uploads are found that were begun, and whose parts all arrived, before then.
    /// - Returns: The uploads, other programs' among them, sorted by the UTF-8 bytes of their paths.
    /// - Throws: ``StorageError`` or `CancellationError`.
    public func unfinishedWrites(_ folder: StoragePath, before limit: Date) async throws -> [UnfinishedWrite] {
        let (bucket, key) = try location(folder)
        return try await client.unfinishedUploads(bucket: bucket, folder: key, before: limit)
    }

    /// Aborts an upload: see ``Storage/discard(_:)``.
    /// - Parameter write: What ``unfinishedWrites(_:before:)`` has found.
    /// - Throws: ``StorageError`` or `CancellationError`.
    public func discard(_ write: UnfinishedWrite) async throws {
        let (bucket, key) = try object(write.path)
        try await client.abort(bucket: bucket, key: key, upload: write.id)
    }

    /// Finds out whether files could be written to folders: see ``Storage/checkWritable(_:)-([StoragePath])``.
    ///
    /// Of each bucket one folder is tried; not the bucket, as a policy may allow nothing else. A multipart upload is begun and aborted: that requires the permissions of a real one, and that the server accepts its
    /// encryption, class and tags; and it leaves no object, which a bucket with Object Lock would keep. The first
    /// time a part is sent to servers other than Amazon's, with bytes that are not those that were signed: a server that
    /// refuses it compares them.
    /// - Parameter folders: Paths in buckets; without a key, a whole bucket.
    /// - Throws: ``StorageError`` or `CancellationError`.
    public func checkWritable(_ folders: [StoragePath]) async throws {
        var buckets: Set<String> = []
        for folder in folders {
            let (bucket, key) = try location(folder)
            guard buckets.insert(bucket).inserted else { continue }
            let probe = StoragePath.s3(bucket: bucket, key: key).appending(Self.probeName)
            try await upload(bucket, probe.text, .replace, subject: folder).rehearse()
        }
    }

    func upload(
        _ bucket: String,
        _ key: String,
        _ ifExists: ExistingFile,
        subject: StoragePath? = nil
    ) -> S3Upload {
        S3Upload(
            client: client,
            bucket: bucket,
            key: key,
            ifExists: ifExists,
            storageClass: storageClass,
            subject: subject
        )
    }

    func object(_ path: StoragePath) throws(StorageError) -> (bucket: String, key: String) {
        let (bucket, key) = try location(path)
        guard !key.isEmpty else {
            throw StorageError(
                .invalidPath,
                "\(path) names a bucket but no file in it",
                hint: "add a key",
                path: path
            )
        }
        return (bucket, key)
    }

    private func location(_ path: StoragePath) throws(StorageError) -> (bucket: String, key: String) {
        guard case .s3(let bucket, let key) = path else {
            throw StorageError(
                .invalidPath,
                "\(path) is not an S3 location",
                hint: "write it as s3://bucket/key",
                path: path
            )
        }
        return (bucket, key)
    }
}
