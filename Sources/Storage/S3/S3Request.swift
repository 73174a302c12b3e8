import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// One request to S3, before it has an address and a signature.
struct S3Request: Sendable {
    var method: HTTPMethod
    var bucket: String
    /// Empty for requests about the bucket.
    var key: String
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body = ByteBuffer()
    /// The body is an object's whole content.
    var isWholeObject = false
    /// The body is a part of an upload.
    var isPart = false
    /// Bytes that are signed instead of the body, to see whether the server notices; such a request is sent only once.
    var pretendedBody: ByteBuffer?
    /// What is being done, for messages: "read", "written", "listed", "deleted".
    var action: String
    /// A reply of status 200 may hold an error instead of a result.
    var mayFailWithStatus200 = false
    /// The server may be silent for minutes before it replies.
    var takesLong = false
    /// What messages name instead of bucket and key.
    var subject: StoragePath?

    /// Whether it has a body, and no MD5 of it yet.
    var canHaveMD5: Bool {
        body.readableBytes > 0 && pretendedBody == nil && !headers.contains { $0.name == "content-md5" }
    }

    var path: StoragePath { subject ?? .s3(bucket: bucket, key: key) }
}

/// A reply that was received whole.
struct S3Reply: Sendable {
    var status: UInt
    var headers: HTTPHeaders
    var body: ByteBuffer
    /// How many attempts it took.
    var attempts: Int

    /// The object's version, without quotes.
    var entityTag: String? { headers.first(name: "etag").map(S3Reply.unquoted) }

    static func unquoted(_ tag: String) -> String {
        String(decoding: tag.utf8.filter { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
    }
}

/// A reply whose body is still to be read.
struct S3Stream: Sendable {
    var headers: HTTPHeaders
    var status: UInt
    var body: HTTPClientResponse.Body
}
