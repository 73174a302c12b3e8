import AsyncHTTPClient
import Crypto
import FoundationEssentials
import NIOCore
import NIOHTTP1
import XML

/// Exchanges credentials or a web identity for those of a role, by STS.
///
/// Source: "AssumeRole" and "AssumeRoleWithWebIdentity" in the AWS Security Token Service API reference.
struct SecurityTokenService: Sendable {
    let context: CredentialContext

    /// What the role is requested with.
    private enum Proof {
        case credentials(Credentials)
        case webIdentity(token: String, file: String)
    }

    /// Assumes a role with other credentials (AssumeRole).
    /// - Throws: `StorageError`, or `CancellationError`.
    func assume(_ role: AssumedRole, with credentials: Credentials) async throws -> Credentials {
        try await assume(role, .credentials(credentials), [("Action", "AssumeRole"), ("ExternalId", role.externalID)])
    }

    /// Assumes a role with the token of an identity provider (AssumeRoleWithWebIdentity), unsigned.
    /// - Throws: `StorageError`, or `CancellationError`.
    func assume(_ role: AssumedRole, withWebIdentity token: String, from file: String) async throws -> Credentials {
        let parameters = [("Action", "AssumeRoleWithWebIdentity"), ("WebIdentityToken", token)]
        return try await assume(role, .webIdentity(token: token, file: file), parameters)
    }

    private func assume(
        _ role: AssumedRole,
        _ proof: Proof,
        _ parameters: [(name: String, value: String?)]
    ) async throws -> Credentials {
        let common: [(name: String, value: String?)] = [
            ("Version", "2011-06-15"), ("RoleArn", role.arn), ("RoleSessionName", role.sessionName),
            ("DurationSeconds", role.duration.map(String.init)),
        ]
        let form = (parameters + common)
            .compactMap { name, value in value.map { "\(name)=\(uriEncoded($0))" } }
            .joined(separator: "&")
        let service = try CredentialService(.securityTokens, region: context.region, context: context)
        do {
            let reply = try await service.send { request(to: service, form: form, proof, at: $0) }
            guard let temporary = Self.decode(reply.body) else {
                throw StorageError(
                    .unexpectedReply,
                    "\(service.url) did not return credentials for \(role.source)",
                    hint: "check that AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL and endpoint_url point to an STS"
                )
            }
            return try temporary.credentials(from: role.source)
        } catch let refusal as ServiceRefusal {
            throw error(refusal, role, proof, service.url)
        }
    }

    /// Reads a reply.
    ///
    /// - Parameter body: The reply's XML.
    /// - Returns: The credentials of the role; nil when it is something else.
    static func decode(_ body: Data) -> TemporaryCredentials? {
        guard let document = try? XMLElement(parsing: Array(body)),
            // Only one of the two is present.
            let result = document["AssumeRoleResult"] ?? document["AssumeRoleWithWebIdentityResult"],
            let fields = result["Credentials"], let id = fields.words("AccessKeyId"),
            let secret = fields.words("SecretAccessKey")
        else { return nil }
        return TemporaryCredentials(
            accessKeyID: id,
            secretAccessKey: secret,
            sessionToken: fields.words("SessionToken"),
            expiration: fields.words("Expiration")
        )
    }

    private func request(
        to service: CredentialService,
        form: String,
        _ proof: Proof,
        at date: Date
    ) -> HTTPClientRequest {
        var headers = [
            (name: "host", value: service.endpoint.host),
            (name: "content-type", value: "application/x-www-form-urlencoded; charset=utf-8"),
        ]
        if case .credentials(let credentials) = proof {
            let signed = SignatureV4.Request(
                method: "POST",
                path: service.endpoint.basePath + "/",
                headers: headers,
                payloadHash: hexadecimal(SHA256.hash(data: Array(form.utf8)))
            )
            headers += SignatureV4(credentials: credentials, region: context.region, service: "sts")
                .headers(for: signed, at: date)
        }
        var request = HTTPClientRequest(url: service.url + "/")
        request.method = .POST
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        request.headers.add(name: "user-agent", value: "databudgie")
        request.body = .bytes(.init(string: form))
        return request
    }

    private func error(
        _ refusal: ServiceRefusal,
        _ role: AssumedRole,
        _ proof: Proof,
        _ url: String
    ) -> StorageError {
        let (source, secrets): (String, [String?]) =
            switch proof {
            case .credentials(let credentials):
                ("the credentials from \(credentials.source)", [credentials.secretAccessKey, credentials.sessionToken])
            case .webIdentity(let token, let file):
                ("the web identity token in \(file)", [token])
            }
        let said = refusal.said(hiding: secrets + [role.externalID])
        let (code, problem, hint): (StorageError.Code, String, String) =
            switch refusal.code {
            case "ExpiredToken", "ExpiredTokenException":
                (.expiredCredentials, "\(source) expired\(said)", "renew \(source)")
            case "InvalidIdentityToken", "IDPRejectedClaim", "InvalidIdentityTokenException":
                (
                    .wrongCredentials, "\(url) does not accept \(source)\(said)",
                    "check the identity provider and the audience in the account of the role"
                )
            case "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException",
                "InvalidSignatureException", "IncompleteSignature", "InvalidAccessKeyId":
                (.wrongCredentials, "\(url) rejected \(source) as wrong\(said)", "correct \(source)")
            case "RequestExpired", "RequestTimeTooSkewed":
                (.clockSkew, "the clocks of this machine and of \(url) are too far apart", "set the clock")
            case _ where refusal.isTransient:
                (.unavailable, "\(url) keeps failing\(said)", "try again later")
            case "AccessDenied", "AccessDeniedException":
                (
                    .accessDenied, "\(url) denies it to \(source)\(said)",
                    "check role_arn, external_id and the trust policy of the role"
                )
            default:
                (
                    .rejected, "\(url) rejected the request with status \(refusal.status)\(said)",
                    "check role_arn, role_session_name, duration_seconds and the region"
                )
            }
        return StorageError(code, "the role \(role.arn) of \(role.origin) cannot be assumed: \(problem)", hint: hint)
    }
}
