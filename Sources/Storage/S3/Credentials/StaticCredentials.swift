/// Credentials that are in the configuration.
struct StaticCredentials: CredentialProvider {
    let options: S3Options

    var place: String { "the configuration (s3: aws_access_key_id, aws_secret_access_key)" }

    func credentials() throws -> Credentials? {
        try Credentials.pair(
            options.accessKeyID,
            options.secretAccessKey,
            token: options.sessionToken,
            names: ("aws_access_key_id", "aws_secret_access_key"),
            source: "the configuration"
        )
    }
}

extension Credentials {
    /// Builds credentials from two values that belong together.
    /// - Returns: nil when both are missing or empty.
    /// - Throws: `StorageError` when one is missing.
    static func pair(
        _ accessKeyID: String?,
        _ secretAccessKey: String?,
        token: String?,
        names: (id: String, secret: String),
        source: String
    ) throws -> Credentials? {
        switch (accessKeyID?.nonEmpty, secretAccessKey?.nonEmpty) {
        case (nil, nil):
            return nil
        case (let id?, let secret?):
            return Credentials(
                accessKeyID: id,
                secretAccessKey: secret,
                sessionToken: token?.nonEmpty,
                source: source
            )
        case (let id, _):
            let (there, missing) = id == nil ? (names.secret, names.id) : (names.id, names.secret)
            throw StorageError(
                .noCredentials,
                "the S3 credentials from \(source) are incomplete: \(there) is set but \(missing) is not",
                hint: "set both"
            )
        }
    }
}
