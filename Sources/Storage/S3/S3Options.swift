/// How to reach S3 and as whom.
///
/// Whatever is nil comes from the environment and from `~/.aws`, as in the AWS tools. Printed options show no secrets.
///
/// ```swift
/// let options = S3Options(
///     accessKeyID: "minio", secretAccessKey: "minio-secret", endpointURL: "http://127.0.0.1:9000"
/// )
/// let storage = S3Storage(options: options, environment: [:])
/// ```
public struct S3Options: Sendable, Equatable {
    /// The access key's id; requires `secretAccessKey`.
    public var accessKeyID: String?
    /// The access key's secret; requires `accessKeyID`.
    public var secretAccessKey: String?
    /// The token of temporary credentials.
    public var sessionToken: String?
    /// The region that requests are signed for; `us-east-1` when no source names one.
    public var region: String?
    /// The profile in `~/.aws/config` and `~/.aws/credentials`; when given, it comes before the environment.
    public var profile: String?
    /// The URL of a server other than Amazon's, like `http://127.0.0.1:9000`.
    public var endpointURL: String?
    /// Where a request names the bucket.
    public var addressingStyle: AddressingStyle
    /// How the server encrypts what is written; nil leaves that to the bucket.
    public var serverSideEncryption: ServerSideEncryption?
    /// The key of KMS, by its id, ARN or alias; nil is the key of the bucket, or Amazon's.
    public var kmsKeyID: String?
    /// The class in which files are stored, such as `STANDARD_IA`; nil is the server's default.
    public var storageClass: String?
    /// The tags of what is written.
    public var tags: [Tag]
    /// Who pays for requests; nil is the owner of the bucket.
    public var requestPayer: RequestPayer?

    /// Where a request names the bucket.
    public enum AddressingStyle: String, Sendable, CaseIterable {
        /// `virtual` on Amazon's servers, `path` on others and for buckets with a dot in their name.
        case auto
        /// `https://host/bucket/key`.
        case path
        /// `https://bucket.host/key`.
        case virtual
    }

    /// Creates options; every parameter may be omitted.
    /// - Parameters:
    ///   - accessKeyID: The access key's id.
    ///   - secretAccessKey: The access key's secret.
    ///   - sessionToken: The token of temporary credentials.
    ///   - region: The region that requests are signed for.
    ///   - profile: The profile in `~/.aws/config` and `~/.aws/credentials`.
    ///   - endpointURL: The URL of a server other than Amazon's.
    ///   - addressingStyle: Where a request names the bucket.
    ///   - serverSideEncryption: How the server encrypts what is written.
    ///   - kmsKeyID: The key of KMS, by its id, ARN or alias.
    ///   - storageClass: The class in which files are stored.
    ///   - tags: The tags of what is written.
    ///   - requestPayer: Who pays for requests.
    public init(
        accessKeyID: String? = nil,
        secretAccessKey: String? = nil,
        sessionToken: String? = nil,
        region: String? = nil,
        profile: String? = nil,
        endpointURL: String? = nil,
        addressingStyle: AddressingStyle = .auto,
        serverSideEncryption: ServerSideEncryption? = nil,
        kmsKeyID: String? = nil,
        storageClass: String? = nil,
        tags: [Tag] = [],
        requestPayer: RequestPayer? = nil
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.region = region
        self.profile = profile
        self.endpointURL = endpointURL
        self.addressingStyle = addressingStyle
        self.serverSideEncryption = serverSideEncryption
        self.kmsKeyID = kmsKeyID
        self.storageClass = storageClass
        self.tags = tags
        self.requestPayer = requestPayer
    }
}

extension S3Options: CustomStringConvertible, CustomReflectable {
    /// The settings without the secrets.
    public var description: String {
        let shown: [(String, String?)] = [
            ("access key id", accessKeyID.map { _ in "***" }), ("secret", secretAccessKey.map { _ in "***" }),
            ("session token", sessionToken.map { _ in "***" }), ("region", region), ("profile", profile),
            ("endpoint", endpointURL), ("addressing", addressingStyle.rawValue),
            ("encryption", serverSideEncryption?.rawValue), ("KMS key", kmsKeyID), ("class", storageClass),
            ("tags", tags.isEmpty ? nil : Tag.header(tags)), ("payer", requestPayer?.rawValue),
        ]
        return "S3(" + shown.compactMap { name, value in value.map { "\(name): \($0)" } }.joined(separator: ", ") + ")"
    }

    /// Keeps the secrets out of dumps.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
