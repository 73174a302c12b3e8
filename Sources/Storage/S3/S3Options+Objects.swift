/// What requests say about the objects that they create, and about who pays.
extension S3Options {
    /// How the server encrypts an object (`x-amz-server-side-encryption`).
    public enum ServerSideEncryption: String, Sendable, CaseIterable {
        /// With keys that S3 itself keeps (SSE-S3).
        case aes256 = "AES256"
        /// With a key of KMS (SSE-KMS).
        case kms = "aws:kms"
        /// Twice, with a key of KMS (DSSE-KMS).
        case dualLayerKMS = "aws:kms:dsse"

        /// Whether a key of KMS is used.
        public var usesKMS: Bool { self != .aes256 }
    }

    /// Who pays for requests to a bucket whose owner does not.
    public enum RequestPayer: String, Sendable, CaseIterable {
        /// Whoever sends them.
        case requester
    }

    /// A tag of an object.
    public struct Tag: Sendable, Hashable {
        /// Its name.
        public var key: String
        /// Its value, which may be empty.
        public var value: String

        /// Describes a tag.
        /// - Parameters:
        ///   - key: Its name, of 1 to 128 characters.
        ///   - value: Its value, of at most 256 characters.
        public init(_ key: String, _ value: String) {
            (self.key, self.value) = (key, value)
        }

        /// The most tags that an object can have (Amazon S3 User Guide, "Categorizing your objects using tags").
        public static let maximumCount = 10

        /// What is wrong with a tag, as the end of a sentence that begins with its name; nil when S3 accepts it.
        ///
        /// Source: "Categorizing your objects using tags" in the Amazon S3 User Guide, which counts UTF-16 units.
        public var problem: String? {
            if key.utf8.isEmpty { return "has no name" }
            if key.utf16.count > 128 { return "has a name of more than 128 characters" }
            if value.utf16.count > 256 { return "has a value of more than 256 characters" }
            if key.utf8.starts(with: "aws:".utf8) { return "begins with 'aws:', which is reserved" }
            let isAllowed = (key.unicodeScalars + Array(value.unicodeScalars)).allSatisfy(Self.isAllowed)
            return isAllowed ? nil : "has other characters than letters, digits, spaces and + - = . _ : / @"
        }

        private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
                .letterNumber, .otherNumber, .spaceSeparator:
                true
            default:
                scalar.isASCII && "+-=._:/@".unicodeScalars.contains(scalar)
            }
        }

        /// Tags as a header has them: like the query of a URL.
        static func header(_ tags: [Tag]) -> String {
            tags.map { "\(uriEncoded($0.key))=\(uriEncoded($0.value))" }.joined(separator: "&")
        }
    }

    /// The storage classes of Amazon's servers ("PutObject" in the Amazon S3 API Reference); others have classes of their own.
    public static let knownStorageClasses = [
        "STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE",
        "REDUCED_REDUNDANCY", "EXPRESS_ONEZONE", "OUTPOSTS", "SNOW", "FSX_OPENZFS", "FSX_ONTAP",
    ]

    /// The headers of a request that creates an object (PutObject, CreateMultipartUpload).
    var objectHeaders: [(name: String, value: String)] {
        let headers: [(name: String, value: String?)] = [
            (name: "x-amz-server-side-encryption", value: serverSideEncryption?.rawValue),
            (name: "x-amz-server-side-encryption-aws-kms-key-id", value: kmsKeyID),
            (name: "x-amz-storage-class", value: storageClass),
            (name: "x-amz-tagging", value: tags.isEmpty ? nil : Tag.header(tags)),
        ]
        return headers.compactMap { header in header.value.map { (name: header.name, value: $0) } }
    }

    /// The header of every request.
    var requestHeaders: [(name: String, value: String)] {
        requestPayer.map { [(name: "x-amz-request-payer", value: $0.rawValue)] } ?? []
    }
}
