import AsyncHTTPClient
import FoundationEssentials
import NIOHTTP1

/// Credentials of a role for a user who has signed on with `aws sso login`.
///
/// Source: "IAM Identity Center credential provider" in the AWS SDKs and Tools reference guide, "GetRoleCredentials" in
/// the IAM Identity Center Portal API reference.
struct SingleSignOnCredentials: Sendable {
    let profile: String
    let settings: [String: String]
    let context: CredentialContext

    /// Who signed on where.
    private struct SignOn {
        /// What the token's file is named for: the session's name, or the start URL.
        var name: String
        var region: String
        var accountID: String
        var roleName: String
    }

    private struct Document: Decodable {
        var roleCredentials: RoleCredentials

        struct RoleCredentials: Decodable {
            var accessKeyId: String
            var secretAccessKey: String
            var sessionToken: String
            /// Milliseconds since 1970.
            var expiration: Double
        }
    }

    /// Gives the credentials of the role that the profile names.
    /// - Throws: `StorageError`, or `CancellationError`.
    func credentials() async throws -> Credentials {
        let signOn = try signOn()
        let service = try CredentialService(.singleSignOn, region: signOn.region, context: context)
        let login = SingleSignOnLogin(name: signOn.name, region: signOn.region, profile: profile, context: context)
        let token = try await login.accessToken()
        let query = "role_name=\(uriEncoded(signOn.roleName))&account_id=\(uriEncoded(signOn.accountID))"
        let what = "the role \(signOn.roleName) in the account \(signOn.accountID) (AWS profile \(quoting(profile)))"
        do {
            let reply = try await service.send { _ in
                var request = HTTPClientRequest(url: "\(service.url)/federation/credentials?\(query)")
                request.headers.add(name: "x-amz-sso_bearer_token", value: token)
                request.headers.add(name: "user-agent", value: "databudgie")
                return request
            }
            guard let found = (try? JSONDecoder().decode(Document.self, from: reply.body))?.roleCredentials else {
                throw StorageError(
                    .unexpectedReply,
                    "\(service.url) did not return credentials for \(what)",
                    hint:
                        "check that AWS_ENDPOINT_URL_SSO, AWS_ENDPOINT_URL and endpoint_url point to IAM Identity Center"
                )
            }
            return Credentials(
                accessKeyID: found.accessKeyId,
                secretAccessKey: found.secretAccessKey,
                sessionToken: found.sessionToken,
                expiration: Date(timeIntervalSince1970: found.expiration / 1000),
                source: what
            )
        } catch let refusal as ServiceRefusal {
            let said = refusal.said(hiding: [token])
            if refusal.status == 401 { throw login.needed("\(service.url) does not accept its token\(said)") }
            let (code, hint): (StorageError.Code, String) =
                switch refusal.status {
                case 403, 404: (.accessDenied, "check sso_account_id, sso_role_name and what is assigned to you")
                case _ where refusal.isTransient: (.unavailable, "try again later")
                default: (.rejected, "check sso_account_id, sso_role_name and sso_region")
                }
            throw StorageError(
                code,
                "no credentials for \(what): \(service.url) rejected the request with status \(refusal.status)\(said)",
                hint: hint
            )
        }
    }

    private func signOn() throws -> SignOn {
        var source = settings
        let session = settings["sso_session"]?.nonEmpty
        if let session {
            guard let section = try context.files.section("sso-session", session) else {
                throw unusable(
                    "has the sso_session \(quoting(session)), which is not in \(context.files.configPath)",
                    hint: "add the section [sso-session \(session)] or correct the name"
                )
            }
            source = settings.merging(section) { $1 }
        }
        func needed(_ setting: String) throws -> String {
            if let value = source[setting]?.nonEmpty { return value }
            throw unusable("signs on by SSO but lacks \(setting)", hint: "add it, or run `aws configure sso`")
        }
        return SignOn(
            name: try session ?? needed("sso_start_url"),
            region: try needed("sso_region"),
            accountID: try needed("sso_account_id"),
            roleName: try needed("sso_role_name")
        )
    }

    private func unusable(_ problem: String, hint: String) -> StorageError {
        StorageError(.invalidConfiguration, "the AWS profile \(quoting(profile)) \(problem)", hint: hint)
    }
}
