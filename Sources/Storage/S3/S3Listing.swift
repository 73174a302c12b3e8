import Crypto
import FoundationEssentials
import NIOCore
import NIOHTTP1
import XML

extension S3Client {
    /// Lists all objects whose keys begin with a folder's, page by page.
    func list(bucket: String, folder: String, recursive: Bool) async throws -> [FileInfo] {
        let prefix = folder.isEmpty || folder.utf8.last == slash ? folder : folder + "/"
        let path = StoragePath.s3(bucket: bucket, key: folder)
        var found: [FileInfo] = []
        var continuation: String?
        repeat {
            var request = S3Request(method: .GET, bucket: bucket, key: "", action: "listed", subject: path)
            request.query = [
                (name: "list-type", value: "2"), (name: "prefix", value: prefix), (name: "encoding-type", value: "url"),
            ]
            if !recursive { request.query.append((name: "delimiter", value: "/")) }
            if let continuation { request.query.append((name: "continuation-token", value: continuation)) }
            let page = try S3Document.decode(S3Document.Listing.self, from: await send(request), about: path)
            for object in page.objects {
                let key = try S3Document.key(object.key, encoding: page.encoding, listed: path)
                // An object whose key ends with a slash represents a folder; it holds nothing.
                guard key.utf8.last != slash else { continue }
                found.append(try FileInfo(object, .s3(bucket: bucket, key: key), listed: path))
            }
            let next = page.isTruncated ? page.continuation : nil
            guard !page.isTruncated || (next != nil && next != continuation) else {
                throw StorageError.unexpectedReply(path, "the listing is truncated but has no new continuation token")
            }
            continuation = next
        } while continuation != nil
        return found.sorted { $0.path < $1.path }
    }

    /// The most keys that one DeleteObjects takes.
    private static let keysPerRequest = 1000

    /// Deletes objects of one bucket.
    /// - Returns: The first failure, after everything was tried.
    func delete(bucket: String, keys: [String]) async throws -> StorageError? {
        // XML can carry neither control characters nor two code points; those keys go one by one.
        var singly = keys.filter { !$0.unicodeScalars.allSatisfy(Self.isPlain) }
        var together = keys.filter { $0.unicodeScalars.allSatisfy(Self.isPlain) }[...]
        if together.count == 1 { singly += [together.removeFirst()] }
        while !together.isEmpty {
            let batch = Array(together.prefix(Self.keysPerRequest))
            together = together.dropFirst(Self.keysPerRequest)
            // What failed in a batch is tried once more alone, with the retries for single requests.
            singly += try await deleteTogether(bucket: bucket, batch)
        }
        var firstFailure: StorageError?
        for key in singly {
            do {
                _ = try await send(S3Request(method: .DELETE, bucket: bucket, key: key, action: "deleted"))
            } catch let error as StorageError {
                guard error.code != .notFound else { continue }
                firstFailure = firstFailure ?? error
            }
        }
        return firstFailure
    }

    /// - Returns: The keys that could not be deleted.
    private func deleteTogether(bucket: String, _ keys: [String]) async throws -> [String] {
        let body = S3Document.deletion(of: keys).document
        let path = StoragePath.s3(bucket: bucket, key: keys.first ?? "")
        var request = S3Request(method: .POST, bucket: bucket, key: "", action: "deleted", subject: path)
        request.query = [(name: "delete", value: "")]
        request.body = ByteBuffer(bytes: body)
        request.mayFailWithStatus200 = true
        // The one operation for which S3 requires it.
        request.headers = [
            (name: "content-md5", value: Data(Insecure.MD5.hash(data: body)).base64EncodedString()),
            (name: "content-type", value: "application/xml"),
        ]
        let reply = try await send(request)
        guard reply.body.readableBytes > 0 else { return [] }
        let result = try S3Document.decode(S3Document.DeletionResult.self, from: reply, about: path)
        return result.failures.filter { $0.code != "NoSuchKey" }.map(\.key)
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 32 && scalar.value != 0x7F && scalar.value != 0xFFFE && scalar.value != 0xFFFF
    }
}

extension FileInfo {
    fileprivate init(_ object: S3Document.Object, _ path: StoragePath, listed folder: StoragePath) throws {
        self.init(
            path: path,
            size: object.size,
            modified: try S3Document.moment(object.modified, listed: folder),
            version: object.entityTag.map(S3Reply.unquoted)
        )
    }
}
