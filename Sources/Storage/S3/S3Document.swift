import FoundationEssentials
import NIOCore

/// The XML that S3 sends and takes ("Amazon S3 API Reference").
enum S3Document {
    /// Reads a reply's body.
    /// - Throws: `StorageError` when it is something else.
    static func decode<Document: Decodable>(
        _ type: Document.Type,
        from reply: S3Reply,
        about path: StoragePath
    ) throws -> Document {
        do {
            // Keys may begin and end with spaces.
            return try decodedXML(type, from: content(of: Data(reply.body.readableBytesView)), trimsValues: false)
        } catch {
            throw StorageError.unexpectedReply(path, "it is not a \(type) document", underlying: error)
        }
    }

    /// A body without the white space by which servers keep the connection open until they have something to say.
    static func content(of body: Data) -> Data {
        Data(body.drop { " \t\r\n".utf8.contains($0) })
    }

    /// A key as listings give it.
    static func key(_ text: String, encoding: String?, listed folder: StoragePath) throws -> String {
        guard let key = encoding == "url" ? uriDecoded(text) : text else {
            throw StorageError.unexpectedReply(folder, "the key \(quoting(text)) is not percent-encoded UTF-8")
        }
        return key
    }

    /// A moment as listings give it.
    static func moment(_ text: String, listed folder: StoragePath) throws -> Date {
        guard let date = date(iso8601: text) else {
            throw StorageError.unexpectedReply(folder, "\(quoting(text)) is not an ISO 8601 time")
        }
        return date
    }

    struct NewUpload: Decodable {
        var uploadID: String

        enum CodingKeys: String, CodingKey {
            case uploadID = "UploadId"
        }
    }

    struct Part: Codable, Sendable {
        var number: Int
        var entityTag: String

        enum CodingKeys: String, CodingKey {
            case number = "PartNumber"
            case entityTag = "ETag"
        }
    }

    struct Completion: Encodable {
        var parts: [Part]

        enum CodingKeys: String, CodingKey {
            case parts = "Part"
        }
    }

    struct NewObject: Decodable {
        var entityTag: String?

        enum CodingKeys: String, CodingKey {
            case entityTag = "ETag"
        }
    }

    /// A page of a listing (ListObjectsV2).
    struct Listing: Decodable {
        var isTruncated: Bool?
        var continuation: String?
        var encoding: String?
        var objects: [Object]?

        enum CodingKeys: String, CodingKey {
            case isTruncated = "IsTruncated"
            case continuation = "NextContinuationToken"
            case encoding = "EncodingType"
            case objects = "Contents"
        }
    }

    struct Object: Decodable {
        var key: String
        var size: Int64
        var modified: String
        var entityTag: String?

        enum CodingKeys: String, CodingKey {
            case key = "Key"
            case size = "Size"
            case modified = "LastModified"
            case entityTag = "ETag"
        }
    }

    /// A page of the uploads under way (ListMultipartUploads).
    struct Uploads: Decodable {
        var isTruncated: Bool?
        var nextKey: String?
        var nextID: String?
        var encoding: String?
        var uploads: [Upload]?

        struct Upload: Decodable {
            var key: String
            var id: String
            var begun: String

            enum CodingKeys: String, CodingKey {
                case key = "Key"
                case id = "UploadId"
                case begun = "Initiated"
            }
        }

        enum CodingKeys: String, CodingKey {
            case isTruncated = "IsTruncated"
            case nextKey = "NextKeyMarker"
            case nextID = "NextUploadIdMarker"
            case encoding = "EncodingType"
            case uploads = "Upload"
        }
    }

    /// A page of the parts of an upload (ListParts).
    struct Parts: Decodable {
        var isTruncated: Bool?
        var next: String?
        var parts: [StoredPart]?

        struct StoredPart: Decodable {
            var size: Int64
            var modified: String

            enum CodingKeys: String, CodingKey {
                case size = "Size"
                case modified = "LastModified"
            }
        }

        enum CodingKeys: String, CodingKey {
            case isTruncated = "IsTruncated"
            case next = "NextPartNumberMarker"
            case parts = "Part"
        }
    }

    /// Objects to delete; only failures are answered.
    struct Deletion: Encodable {
        var isQuiet = true
        var objects: [Key]

        struct Key: Encodable {
            var key: String

            enum CodingKeys: String, CodingKey {
                case key = "Key"
            }
        }

        enum CodingKeys: String, CodingKey {
            case isQuiet = "Quiet"
            case objects = "Object"
        }
    }

    struct DeletionResult: Decodable {
        var failures: [Failure]?

        struct Failure: Decodable {
            var key: String
            var code: String
            var message: String?

            enum CodingKeys: String, CodingKey {
                case key = "Key"
                case code = "Code"
                case message = "Message"
            }
        }

        enum CodingKeys: String, CodingKey {
            case failures = "Error"
        }
    }
}

extension StorageError {
    static func unexpectedReply(_ path: StoragePath, _ problem: String, underlying: (any Error)? = nil) -> StorageError
    {
        StorageError(
            .unexpectedReply,
            "the server's reply about \(path) is not valid: \(problem)",
            hint: "check that the endpoint URL is that of an S3 server",
            path: path,
            underlying: underlying
        )
    }
}
