import FoundationEssentials

/// The JSON in which commands, containers and instances give credentials; STS has the same fields in XML.
struct TemporaryCredentials: Decodable {
    var version: Int?
    var accessKeyID: String
    var secretAccessKey: String
    var token: String?
    var sessionToken: String?
    var expiration: String?

    private enum CodingKeys: String, CodingKey {
        case version = "Version"
        case accessKeyID = "AccessKeyId"
        case secretAccessKey = "SecretAccessKey"
        case token = "Token"
        case sessionToken = "SessionToken"
        case expiration = "Expiration"
    }

    /// - Throws: `StorageError` when a key is empty, or the time of expiration is not an ISO 8601 date.
    func credentials(from source: String) throws -> Credentials {
        guard !accessKeyID.isEmpty, !secretAccessKey.isEmpty else {
            throw StorageError(
                .noCredentials,
                "the credentials from \(source) have an empty key",
                hint: "correct their source"
            )
        }
        let end = expiration.flatMap(date(iso8601:))
        guard expiration == nil || end != nil else {
            throw StorageError(
                .noCredentials,
                "the credentials from \(source) expire at \(quoting(expiration ?? "")), which is not an ISO 8601 time",
                hint: "correct their source"
            )
        }
        return Credentials(
            accessKeyID: accessKeyID,
            secretAccessKey: secretAccessKey,
            sessionToken: (sessionToken ?? token)?.nonEmpty,
            expiration: end,
            source: source
        )
    }
}
