import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Reads one version of an object, and resumes where a connection broke.
///
/// `@unchecked Sendable`: the mutable state changes only inside `next()`, which the one iterator of `StorageBytes` calls in
/// turn.
final class S3Download: ChunkReader, @unchecked Sendable {
    let info: FileInfo
    private let client: S3Client
    private let bucket: String
    private let key: String
    private let end: Int64
    private var offset: Int64
    private var body: HTTPClientResponse.Body.AsyncIterator?
    private var checksum: ObjectChecksum?
    /// Breaks since the last byte arrived.
    private var patience: Patience

    private struct ShortBody: Error, CustomStringConvertible {
        var description: String { "the reply ended early" }
    }

    /// Opens an object, all of it or a range of its bytes.
    init(client: S3Client, bucket: String, key: String, range: Range<Int64>?) async throws {
        self.client = client
        self.bucket = bucket
        self.key = key
        patience = Patience(client.policy)
        let path = StoragePath.s3(bucket: bucket, key: key)
        if let range, range.isEmpty {
            guard let head = try await client.head(bucket: bucket, key: key, action: "read") else {
                throw StorageError(
                    .notFound,
                    "\(path) does not exist",
                    hint: "check the bucket and the key",
                    path: path
                )
            }
            info = head.info
            offset = range.lowerBound
            end = range.lowerBound
            return
        }
        var request = S3Request(method: .GET, bucket: bucket, key: key, action: "read")
        if let range {
            request.headers = [Self.header(range)]
        } else {
            request.headers = [(name: "x-amz-checksum-mode", value: "ENABLED")]
        }
        let stream = try await client.open(request)
        if let range {
            let total = try Self.checkRange(of: stream, range.lowerBound, path)
            guard range.upperBound <= total else { throw StorageError.truncated(path, size: total, range: range) }
            info = FileInfo(path: path, size: total, headers: stream.headers, now: client.policy.now())
            end = range.upperBound
        } else {
            info = try FileInfo(path: path, headers: stream.headers, now: client.policy.now())
            end = info.size
            checksum = ObjectChecksum { stream.headers.first(name: $0) }
        }
        offset = range?.lowerBound ?? 0
        body = stream.body.makeAsyncIterator()
    }

    @concurrent
    func next() async throws -> [UInt8]? {
        guard offset < end else { return try finish() }
        var chunk: [UInt8] = []
        chunk.reserveCapacity(Int(min(Int64(StorageBytes.chunkSize + 64 * 1024), end - offset)))
        while chunk.count < StorageBytes.chunkSize, offset + Int64(chunk.count) < end {
            try Task.checkCancellation()
            do {
                guard let part = try await nextPart(from: offset + Int64(chunk.count)) else { throw ShortBody() }
                guard Int64(part.readableBytes) <= end - offset - Int64(chunk.count) else {
                    throw StorageError.unexpectedReply(info.path, "it has more bytes than the file")
                }
                chunk.append(contentsOf: part.readableBytesView)
                if patience.failures > 0 { patience.renew() }
            } catch {
                body = nil
                try await recover(from: error)
            }
        }
        checksum?.update(chunk)
        offset += Int64(chunk.count)
        return chunk
    }

    private func nextPart(from position: Int64) async throws -> ByteBuffer? {
        var body = if let open = self.body { open } else { try await reopened(at: position) }
        let part = try await body.next()
        self.body = body
        return part
    }

    /// Asks for the rest of the same version.
    private func reopened(at position: Int64) async throws -> HTTPClientResponse.Body.AsyncIterator {
        var request = S3Request(method: .GET, bucket: bucket, key: key, action: "read")
        request.headers = [Self.header(position..<end)]
        if let version = info.version { request.headers.append((name: "if-match", value: "\"\(version)\"")) }
        let stream: S3Stream
        do {
            stream = try await client.open(request)
        } catch let error as StorageError where error.code == .notFound || error.code == .alreadyExists {
            throw changed(error)
        }
        guard try Self.checkRange(of: stream, position, info.path) == info.size,
            stream.headers.first(name: "etag").map(S3Reply.unquoted) == info.version
        else { throw changed(nil) }
        return stream.body.makeAsyncIterator()
    }

    /// Waits before the next attempt.
    /// - Throws: The reason, when no attempt is left or it could not help.
    private func recover(from error: any Error) async throws {
        guard !Task.isCancelled, !(error is CancellationError) else { throw CancellationError() }
        patience.fail()
        guard S3Failure.isTransient(error), patience.isLeft else {
            guard !(error is StorageError) else { throw error }
            if error is ShortBody {
                throw StorageError(
                    .truncated,
                    "\(info.path) cannot be read: the server's reply ended early \(patience.failures) times in a row",
                    hint: "try again later",
                    path: info.path
                )
            }
            let request = S3Request(method: .GET, bucket: bucket, key: key, action: "read")
            throw try client.failure(request, patience).error(error)
        }
        try await client.policy.sleep(client.policy.pause(afterAttempt: patience.failures))
        patience.start()
    }

    private func finish() throws -> [UInt8]? {
        defer { checksum = nil }
        body = nil
        guard checksum?.isRight() ?? true else {
            throw StorageError(
                .corrupted,
                "\(info.path) did not arrive as it was stored: its checksum is wrong",
                hint: "check the network and any proxies, then try again",
                path: info.path
            )
        }
        return nil
    }

    private func changed(_ reason: (any Error)?) -> StorageError {
        StorageError(
            .changedWhileReading,
            "\(info.path) was changed or deleted while it was being read",
            hint: "try again when nothing writes to it",
            path: info.path,
            underlying: reason
        )
    }

    private static func header(_ range: Range<Int64>) -> (name: String, value: String) {
        (name: "range", value: "bytes=\(range.lowerBound)-\(range.upperBound - 1)")
    }

    /// - Returns: The length of the whole object, from `Content-Range: bytes 0-9/100`.
    private static func checkRange(of stream: S3Stream, _ start: Int64, _ path: StoragePath) throws -> Int64 {
        let header = stream.headers.first(name: "content-range") ?? ""
        let words = header.split(whereSeparator: { " -/".contains($0) })
        guard stream.status == 206, words.count == 4, words[0] == "bytes", Int64(words[1]) == start,
            let total = Int64(words[3])
        else {
            throw StorageError.unexpectedReply(
                path,
                "a range was requested, but its Content-Range is \(quoting(header))"
            )
        }
        return total
    }
}
