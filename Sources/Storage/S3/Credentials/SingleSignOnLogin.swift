import AsyncHTTPClient
import Crypto
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// What `aws sso login` left behind, renewed when it has to be.
///
/// Source: "CreateToken" in the IAM Identity Center OIDC API reference.
struct SingleSignOnLogin: Sendable {
    /// The session's name, or the start URL of a profile without a session.
    let name: String
    let region: String
    let profile: String
    let context: CredentialContext

    private struct Renewal: Encodable {
        var clientId: String
        var clientSecret: String
        var refreshToken: String
        var grantType = "refresh_token"
    }

    private struct Renewed: Decodable {
        var accessToken: String
        /// Seconds.
        var expiresIn: Double
        var refreshToken: String?
    }

    private var path: String {
        "\(context.files.tokenFolder)/\(hexadecimal(Insecure.SHA1.hash(data: Array(name.utf8)))).json"
    }

    /// Gives a token that is valid for a while.
    /// - Throws: `StorageError` when the user has to sign on again, or `CancellationError`.
    func accessToken() async throws -> String {
        guard let kept = SingleSignOnToken(path: path) else {
            throw needed("there is no token for it in \(path)")
        }
        let now = context.policy.now()
        if kept.isValid(at: now.addingTimeInterval(CachedCredentials.renewalMargin)) { return kept.accessToken }
        do {
            if let renewed = try await renewed(kept) { return renewed.accessToken }
        } catch {
            // A token that still works is better than none.
            guard kept.isValid(at: context.policy.now()), !(error is CancellationError) else { throw error }
        }
        guard kept.isValid(at: context.policy.now()) else { throw needed("its token has expired") }
        return kept.accessToken
    }

    /// The error that asks the user to sign on.
    func needed(_ reason: String) -> StorageError {
        StorageError(
            .expiredCredentials,
            "the AWS profile \(quoting(profile)) signs on by SSO, but \(reason)",
            hint: "run `aws sso login --profile \(profile)`"
        )
    }

    /// - Returns: A new token, or nil when the old one cannot be renewed.
    private func renewed(_ token: SingleSignOnToken) async throws -> SingleSignOnToken? {
        guard let secrets = token.renewalSecrets(at: context.policy.now()) else { return nil }
        let service = try CredentialService(.signOnTokens, region: region, context: context)
        let body = try JSONEncoder().encode(
            Renewal(
                clientId: secrets.clientID,
                clientSecret: secrets.clientSecret,
                refreshToken: secrets.refreshToken
            )
        )
        let reply: MetadataReply
        do {
            reply = try await service.send { _ in
                var request = HTTPClientRequest(url: "\(service.url)/token")
                request.method = .POST
                request.headers.add(name: "content-type", value: "application/json")
                request.headers.add(name: "user-agent", value: "databudgie")
                request.body = .bytes(.init(bytes: body))
                return request
            }
        } catch let refusal as ServiceRefusal {
            guard !refusal.isTransient else {
                let said = refusal.said(hiding: [secrets.clientSecret, secrets.refreshToken, token.accessToken])
                throw StorageError(
                    .unavailable,
                    "the SSO token of the AWS profile \(quoting(profile)) cannot be renewed: "
                        + "\(service.url) keeps failing\(said)",
                    hint: "try again later"
                )
            }
            // Another program may have used up the old one and have left a new one.
            guard let latest = SingleSignOnToken(path: path), latest.isValid(at: context.policy.now()) else {
                return nil
            }
            return latest
        }
        guard let answer = try? JSONDecoder().decode(Renewed.self, from: reply.body) else {
            throw StorageError(
                .unexpectedReply,
                "\(service.url) did not return an SSO token for the AWS profile \(quoting(profile))",
                hint:
                    "check that AWS_ENDPOINT_URL_SSO_OIDC, AWS_ENDPOINT_URL and endpoint_url point to IAM Identity Center"
            )
        }
        let renewed = token.replaced(
            accessToken: answer.accessToken,
            expiration: context.policy.now().addingTimeInterval(answer.expiresIn),
            refreshToken: answer.refreshToken
        )
        // A folder that cannot be written to does not make the token worse.
        let path = path
        try? await BlockingWork.run { try renewed.write(to: path) }
        return renewed
    }
}
