import FoundationEssentials

/// Credentials for a token in a file, as Kubernetes gives one to pods (IAM roles for service accounts).
struct WebIdentityCredentials: CredentialProvider {
    let context: CredentialContext

    var place: String { "the web identity (AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN)" }

    func credentials() async throws -> Credentials? {
        guard let file = context.environment["AWS_WEB_IDENTITY_TOKEN_FILE"]?.nonEmpty else { return nil }
        guard let arn = context.environment["AWS_ROLE_ARN"]?.nonEmpty else {
            throw StorageError(
                .noCredentials,
                "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not",
                hint: "set both"
            )
        }
        let role = AssumedRole(
            arn: arn,
            sessionName: context.environment["AWS_ROLE_SESSION_NAME"],
            origin: "AWS_ROLE_ARN",
            now: context.policy.now()
        )
        return try await Self.credentials(of: role, tokenFile: file, context)
    }

    /// Assumes a role with the token that is in a file now: such tokens are replaced before they end.
    static func credentials(
        of role: AssumedRole,
        tokenFile: String,
        _ context: CredentialContext
    ) async throws -> Credentials {
        let data = FileManager.default.contents(atPath: tokenFile)
        let words = data.map { String(decoding: $0, as: UTF8.self).split(whereSeparator: \.isWhitespace) }
        guard let token = words?.first, words?.count == 1 else {
            let problem = data == nil ? "cannot be read" : "does not hold one token"
            throw StorageError(
                .noCredentials,
                "the file \(tokenFile) with the web identity token for \(role.source) \(problem)",
                hint: "check its path, owner, mode and content"
            )
        }
        return try await SecurityTokenService(context: context)
            .assume(role, withWebIdentity: String(token), from: tokenFile)
    }
}
