import FoundationEssentials
import NIOHTTP1

extension S3Client {
    /// What HEAD returns about an object.
    struct Head: Sendable {
        var info: FileInfo
        /// The token of the write that created the object, when it was one of ours.
        var token: String?
    }

    /// Looks an object up.
    ///
    /// The action, for messages, is what is being done in the end; nil means that the object does not exist.
    func head(bucket: String, key: String, action: String) async throws -> Head? {
        do {
            let reply = try await send(S3Request(method: .HEAD, bucket: bucket, key: key, action: action))
            let path = StoragePath.s3(bucket: bucket, key: key)
            return Head(
                info: try FileInfo(path: path, headers: reply.headers, now: policy.now()),
                token: reply.headers.first(name: S3Upload.tokenHeader)
            )
        } catch let error as StorageError where error.code == .notFound {
            return nil
        }
    }
}

extension FileInfo {
    /// Reads the headers of a reply about a whole object.
    init(path: StoragePath, headers: HTTPHeaders, now: Date) throws {
        // When HEAD was refused and a byte was requested instead, the whole length follows the slash.
        let whole = headers.first(name: "content-range")?.split(separator: "/").last.map(String.init)
        guard let length = (whole ?? headers.first(name: "content-length")).flatMap(Int64.init), length >= 0 else {
            throw StorageError.unexpectedReply(path, "the length is missing")
        }
        self.init(path: path, size: length, headers: headers, now: now)
    }

    init(path: StoragePath, size: Int64, headers: HTTPHeaders, now: Date) {
        self.init(
            path: path,
            size: size,
            modified: headers.first(name: "last-modified").flatMap(Date.init(http:)) ?? now,
            version: headers.first(name: "etag").map(S3Reply.unquoted)
        )
    }
}
