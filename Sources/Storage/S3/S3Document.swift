import FoundationEssentials
import NIOCore
import XML

/// The XML that S3 sends and takes ("Amazon S3 API Reference").
enum S3Document {
    /// Reads a reply's body.
    /// - Throws: `StorageError` when it is something else.
    static func decode<Document: XMLDocument>(
        _ type: Document.Type,
        from reply: S3Reply,
        about path: StoragePath
    ) throws -> Document {
        do {
            return try Document(content(of: reply.body.readableBytesView))
        } catch {
            throw StorageError.unexpectedReply(path, "it is not \(Document.root)", underlying: error)
        }
    }

    /// A body without the white space by which servers keep the connection open until they have something to say.
    static func content(of body: some Sequence<UInt8>) -> [UInt8] {
        Array(body.drop { " \t\r\n".utf8.contains($0) })
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

    struct NewUpload: XMLDocument {
        static let root = "InitiateMultipartUploadResult"
        let uploadID: String

        init(_ element: XMLElement) throws(XMLError) {
            uploadID = try element.required("UploadId")
        }
    }

    struct Part: Sendable {
        let number: Int
        let entityTag: String
    }

    /// What completes an upload (CompleteMultipartUpload).
    static func completion(of parts: [Part]) -> XMLElement {
        let parts = parts.map { part in
            XMLElement(
                "Part",
                [XMLElement("PartNumber", text: "\(part.number)"), XMLElement("ETag", text: part.entityTag)]
            )
        }
        return XMLElement("CompleteMultipartUpload", parts)
    }

    struct NewObject: XMLDocument {
        static let root = "CompleteMultipartUploadResult"
        let entityTag: String?

        init(_ element: XMLElement) {
            entityTag = element["ETag"]?.text
        }
    }

    /// A page of a listing (ListObjectsV2).
    struct Listing: XMLDocument {
        static let root = "ListBucketResult"
        let isTruncated: Bool
        let continuation: String?
        let encoding: String?
        let objects: [Object]

        init(_ element: XMLElement) throws(XMLError) {
            isTruncated = try element.flag("IsTruncated")
            continuation = element["NextContinuationToken"]?.text
            encoding = element["EncodingType"]?.text
            objects = try element.list("Contents", of: Object.init)
        }
    }

    struct Object {
        let key: String
        let size: Int64
        let modified: String
        let entityTag: String?

        init(_ element: XMLElement) throws(XMLError) {
            key = try element.required("Key")
            size = try element.number("Size")
            modified = try element.required("LastModified")
            entityTag = element["ETag"]?.text
        }
    }

    /// A page of the uploads under way (ListMultipartUploads).
    struct Uploads: XMLDocument {
        static let root = "ListMultipartUploadsResult"
        let isTruncated: Bool
        let nextKey: String?
        let nextID: String?
        let encoding: String?
        let uploads: [Upload]

        struct Upload {
            let key: String
            let id: String
            let begun: String

            init(_ element: XMLElement) throws(XMLError) {
                key = try element.required("Key")
                id = try element.required("UploadId")
                begun = try element.required("Initiated")
            }
        }

        init(_ element: XMLElement) throws(XMLError) {
            isTruncated = try element.flag("IsTruncated")
            nextKey = element["NextKeyMarker"]?.text
            nextID = element["NextUploadIdMarker"]?.text
            encoding = element["EncodingType"]?.text
            uploads = try element.list("Upload", of: Upload.init)
        }
    }

    /// A page of the parts of an upload (ListParts).
    struct Parts: XMLDocument {
        static let root = "ListPartsResult"
        let isTruncated: Bool
        let next: String?
        let parts: [StoredPart]

        struct StoredPart {
            let size: Int64
            let modified: String

            init(_ element: XMLElement) throws(XMLError) {
                size = try element.number("Size")
                modified = try element.required("LastModified")
            }
        }

        init(_ element: XMLElement) throws(XMLError) {
            isTruncated = try element.flag("IsTruncated")
            next = element["NextPartNumberMarker"]?.text
            parts = try element.list("Part", of: StoredPart.init)
        }
    }

    /// What deletes objects (DeleteObjects), and has only failures answered.
    static func deletion(of keys: [String]) -> XMLElement {
        let objects = keys.map { XMLElement("Object", [XMLElement("Key", text: $0)]) }
        return XMLElement("Delete", [XMLElement("Quiet", text: "true")] + objects)
    }

    struct DeletionResult: XMLDocument {
        static let root = "DeleteResult"
        let failures: [Failure]

        struct Failure {
            let key: String
            let code: String

            init(_ element: XMLElement) throws(XMLError) {
                key = try element.required("Key")
                code = try element.required("Code")
            }
        }

        init(_ element: XMLElement) throws(XMLError) {
            failures = try element.list("Error", of: Failure.init)
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
