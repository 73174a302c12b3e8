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
    public init(
        accessKeyID: String? = nil,
        secretAccessKey: String? = nil,
        sessionToken: String? = nil,
        region: String? = nil,
        profile: String? = nil,
        endpointURL: String? = nil,
        addressingStyle: AddressingStyle = .auto
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.region = region
        self.profile = profile
        self.endpointURL = endpointURL
        self.addressingStyle = addressingStyle
    }
}

extension S3Options: CustomStringConvertible, CustomReflectable {
    /// The settings without the secrets.
    public var description: String {
        let shown: [(String, String?)] = [
            ("access key id", accessKeyID.map { _ in "***" }), ("secret", secretAccessKey.map { _ in "***" }),
            ("session token", sessionToken.map { _ in "***" }), ("region", region), ("profile", profile),
            ("endpoint", endpointURL), ("addressing", addressingStyle.rawValue),
        ]
        return "S3(" + shown.compactMap { name, value in value.map { "\(name): \($0)" } }.joined(separator: ", ") + ")"
    }

    /// Keeps the secrets out of dumps.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
