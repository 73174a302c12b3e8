/// Asks one place after another, in the order of the AWS tools, until one has credentials.
struct CredentialChain: CredentialProvider {
    let providers: [any CredentialProvider]

    var place: String { providers.map(\.place).joined(separator: ", ") }

    func credentials() async throws -> Credentials? {
        for provider in providers {
            if let found = try await provider.credentials() { return found }
        }
        throw StorageError(
            .noCredentials,
            "no S3 credentials were found in any of these places: \(place)",
            hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `s3:` in the configuration"
        )
    }
}
