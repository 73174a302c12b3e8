import NIOCore
import NIOHTTP1
import Synchronization

/// Whether parts are sent with their MD5, beside the SHA-256 that is signed.
///
/// Not every server other than Amazon's compares a body with the signed hash, but all know `Content-MD5`. It costs about as
/// much CPU time as everything else that is done to a file that is not compressed, so a server that is seen to compare the
/// hash of a part gets none with parts. A bucket with Object Lock demands one all the same, and gets it.
extension S3Client {
    /// Whether a request to a server other than Amazon's needs its MD5.
    func needsMD5(_ request: S3Request) -> Bool {
        request.canHaveMD5 && (!request.isPart || comparesParts.withLock { $0 != true })
    }

    /// Sends a part whose bytes are not those that are signed, unless that was tried before.
    ///
    /// Only a refusal for these bytes counts. Whatever else happens, parts keep their MD5, and nothing fails: what is wrong
    /// with the server will show in a real request.
    /// - Parameters:
    ///   - bucket: The bucket.
    ///   - key: The key of the upload.
    ///   - upload: An upload that is going to be aborted; a server that takes the part forgets it then.
    func tryWrongPart(bucket: String, key: String, upload: String) async {
        guard (try? hasCustomEndpoint) == true else { return }
        let isFirst = comparesParts.withLock { known in
            defer { known = known ?? false }
            return known == nil
        }
        guard isFirst else { return }
        var request = S3Request(method: .PUT, bucket: bucket, key: key, action: "written")
        request.query = [(name: "partNumber", value: "1"), (name: "uploadId", value: upload)]
        request.isPart = true
        request.body = ByteBuffer(string: "not what is signed")
        request.pretendedBody = ByteBuffer(string: "what is signed, not")
        do {
            _ = try await send(request)
        } catch let error as StorageError where error.code == .corrupted {
            comparesParts.withLock { $0 = true }
        } catch {
            // It remains unknown.
        }
    }
}
