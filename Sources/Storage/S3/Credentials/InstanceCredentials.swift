import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Credentials of the role of an EC2 instance, by version 2 of its metadata service.
///
/// Source: "Use the Instance Metadata Service" in the Amazon EC2 user guide; "IMDS credential provider" and "Amazon EC2
/// instance metadata" in the AWS SDKs and Tools reference guide.
struct InstanceCredentials: CredentialProvider {
    let context: CredentialContext
    /// The settings of the profile.
    let profile: [String: String]

    var place: String { "the EC2 instance's metadata service" }

    /// How often a service that has given a token is asked.
    private static let attempts = 3

    func credentials() async throws -> Credentials? {
        guard context.environment["AWS_EC2_METADATA_DISABLED"]?.lowercased() != "true" else { return nil }
        let base = try base()
        guard let token = try await token(base) else { return nil }
        let roles = base + "/latest/meta-data/iam/security-credentials/"
        let list = try await get(roles, token: token)
        // The instance has no role.
        guard list.status != 404 else { return nil }
        guard list.status == 200,
            let role = String(decoding: list.body, as: UTF8.self).split(whereSeparator: \.isNewline).first
        else { throw failure("did not name the role of the instance", list, hiding: token) }
        let reply = try await get(roles + uriEncoded(String(role)), token: token)
        guard reply.status == 200, let found = try? JSONDecoder().decode(TemporaryCredentials.self, from: reply.body)
        else { throw failure("gave no credentials for the role \(role)", reply, hiding: token) }
        return try found.credentials(from: "the role \(role) of this EC2 instance")
    }

    private func base() throws -> String {
        if let given = setting("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint") {
            let endpoint = try S3Endpoint(url: given, style: .path, service: "EC2 metadata")
            return "\(endpoint.scheme)://\(endpoint.host)\(endpoint.basePath)"
        }
        let mode = setting("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode")
        return mode?.lowercased() == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254"
    }

    /// - Returns: nil when this is not an EC2 instance, or its service is switched off.
    private func token(_ base: String) async throws -> String? {
        var request = HTTPClientRequest(url: base + "/latest/api/token")
        request.method = .PUT
        request.headers.add(name: "x-aws-ec2-metadata-token-ttl-seconds", value: "21600")
        let reply: MetadataReply
        do {
            reply = try await context.ask(request, attempts: attempts ?? 1, timeout: timeout)
        } catch {
            guard !Task.isCancelled else { throw CancellationError() }
            return nil
        }
        guard reply.status == 200 else { return nil }
        return String(decoding: reply.body, as: UTF8.self).split(whereSeparator: \.isWhitespace).first.map(String.init)
    }

    private func get(_ url: String, token: String) async throws -> MetadataReply {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "x-aws-ec2-metadata-token", value: token)
        do {
            return try await context.ask(request, attempts: max(attempts ?? 1, Self.attempts), timeout: timeout)
        } catch {
            guard !Task.isCancelled else { throw CancellationError() }
            throw StorageError(
                .noCredentials,
                "the EC2 instance's metadata service stopped answering (\(url))",
                hint: "try again",
                underlying: error
            )
        }
    }

    private var attempts: Int? {
        setting("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts").flatMap { Int($0) }
    }

    private var timeout: Duration {
        let seconds = setting("AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout").flatMap { Int($0) }
        return seconds.map { .seconds(max($0, 1)) } ?? context.policy.metadata
    }

    private func setting(_ variable: String, _ name: String) -> String? {
        context.environment[variable]?.nonEmpty ?? profile[name]?.nonEmpty
    }

    private func failure(_ problem: String, _ reply: MetadataReply, hiding token: String) -> StorageError {
        let said = ServiceRefusal(reply).said(hiding: [token])
        return StorageError(
            .noCredentials,
            "the EC2 instance's metadata service \(problem) (status \(reply.status))\(said)",
            hint: "check the role of the instance"
        )
    }
}
