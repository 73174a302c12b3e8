import FoundationEssentials
import NIOHTTP1

extension S3Client {
    /// Lists uploads that were neither completed nor aborted, page by page.
    /// - Parameters:
    ///   - bucket: The bucket.
    ///   - folder: Uploads of keys in it, at any depth, are listed; empty for the whole bucket.
    ///   - limit: Only uploads that have got no part since then.
    /// - Returns: The uploads, sorted by the UTF-8 bytes of their paths.
    /// - Throws: `StorageError`, or `CancellationError`.
    func unfinishedUploads(bucket: String, folder: String, before limit: Date) async throws -> [UnfinishedWrite] {
        do {
            return try await uploads(bucket: bucket, folder: folder, before: limit)
        } catch var error as StorageError where error.code == .accessDenied {
            error.hint = "grant them s3:ListBucketMultipartUploads and s3:ListMultipartUploadParts, or use others"
            throw error
        }
    }

    private func uploads(bucket: String, folder: String, before limit: Date) async throws -> [UnfinishedWrite] {
        let prefix = folder.isEmpty || folder.utf8.last == slash ? folder : folder + "/"
        let path = StoragePath.s3(bucket: bucket, key: folder)
        var found: [UnfinishedWrite] = []
        var marker: (key: String, id: String)?
        repeat {
            var request = S3Request(
                method: .GET,
                bucket: bucket,
                key: "",
                action: "searched for uploads",
                subject: path
            )
            // Keys are not asked for in percent-encoding: Ceph encodes them then, but does not say that it has.
            request.query = [(name: "uploads", value: ""), (name: "prefix", value: prefix)]
            if let marker {
                request.query += [
                    (name: "key-marker", value: marker.key), (name: "upload-id-marker", value: marker.id),
                ]
            }
            let page = try S3Document.decode(S3Document.Uploads.self, from: await send(request), about: path)
            for upload in page.uploads {
                let key = try S3Document.key(upload.key, encoding: page.encoding, listed: path)
                let begun = try S3Document.moment(upload.begun, listed: path)
                guard begun < limit,
                    let write = try await unfinishedUpload(bucket: bucket, key: key, id: upload.id, begun: begun),
                    write.modified < limit
                else { continue }
                found.append(write)
            }
            let next = try page.nextKey.map { try S3Document.key($0, encoding: page.encoding, listed: path) }
            guard page.isTruncated else { break }
            guard let next, let id = page.nextID, marker.map({ $0 != (next, id) }) ?? true else {
                throw StorageError.unexpectedReply(path, "the list of uploads is truncated but has no new marker")
            }
            marker = (next, id)
        } while true
        return found.sorted { $0.path < $1.path }
    }

    /// Looks at the parts of an upload; nil when it has ended meanwhile.
    private func unfinishedUpload(
        bucket: String,
        key: String,
        id: String,
        begun: Date
    ) async throws -> UnfinishedWrite? {
        let path = StoragePath.s3(bucket: bucket, key: key)
        var write = UnfinishedWrite(path: path, modified: begun, size: 0, id: id)
        var marker: String?
        repeat {
            var request = S3Request(method: .GET, bucket: bucket, key: key, action: "searched for parts")
            request.query = [(name: "uploadId", value: id)]
            if let marker { request.query.append((name: "part-number-marker", value: marker)) }
            let reply: S3Reply
            do {
                reply = try await send(request)
            } catch let error as StorageError where (error.underlying as? S3ErrorReply)?.code == "NoSuchUpload" {
                return nil
            }
            let page = try S3Document.decode(S3Document.Parts.self, from: reply, about: path)
            for part in page.parts {
                write.size += part.size
                write.modified = max(write.modified, try S3Document.moment(part.modified, listed: path))
            }
            let next = page.isTruncated ? page.next : nil
            guard next == nil || next != marker else {
                throw StorageError.unexpectedReply(path, "the list of parts is truncated but has no new marker")
            }
            marker = next
        } while marker != nil
        return write
    }

    /// Aborts an upload; one that has ended already is not an error.
    func abort(bucket: String, key: String, upload: String) async throws {
        var request = S3Request(method: .DELETE, bucket: bucket, key: key, action: "cleaned up")
        request.query = [(name: "uploadId", value: upload)]
        do {
            _ = try await send(request)
        } catch let error as StorageError where (error.underlying as? S3ErrorReply)?.code == "NoSuchUpload" {
            return
        } catch var error as StorageError where error.code == .accessDenied {
            error.hint = "grant them s3:AbortMultipartUpload, or use others"
            throw error
        }
    }
}
