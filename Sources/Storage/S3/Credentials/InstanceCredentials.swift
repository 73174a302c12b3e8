import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Credentials of the role of an EC2 instance, by version 2 of its metadata service.
///
/// Source: "Use the Instance Metadata Service" in the Amazon EC2 user guide.
struct InstanceCredentials: CredentialProvider {
    let environment: [String: String]
    let httpClient: HTTPClient
    let timeout: Duration

    var place: String { "the EC2 instance's metadata service" }

    func credentials() async throws -> Credentials? {
        guard environment["AWS_EC2_METADATA_DISABLED"]?.lowercased() != "true" else { return nil }
        let endpoint = environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"]?.nonEmpty ?? "http://169.254.169.254"
        let base = endpoint.last == "/" ? String(endpoint.dropLast()) : endpoint

        var tokenRequest = HTTPClientRequest(url: base + "/latest/api/token")
        tokenRequest.method = .PUT
        tokenRequest.headers.add(name: "x-aws-ec2-metadata-token-ttl-seconds", value: "21600")
        let tokenReply: MetadataReply
        do {
            tokenReply = try await httpClient.metadata(tokenRequest, timeout: timeout)
        } catch {
            // No service: this is no EC2 instance.
            guard !Task.isCancelled else { throw CancellationError() }
            return nil
        }
        guard tokenReply.status == 200 else { return nil }
        let token = String(decoding: tokenReply.body, as: UTF8.self)

        let roles = base + "/latest/meta-data/iam/security-credentials/"
        let list = try await get(roles, token: token)
        guard list.status == 200,
            let role = String(decoding: list.body, as: UTF8.self).split(whereSeparator: \.isNewline).first
        else { return nil }
        let reply = try await get(roles + uriEncoded(String(role)), token: token)
        guard reply.status == 200, let found = try? JSONDecoder().decode(TemporaryCredentials.self, from: reply.body)
        else {
            throw StorageError(
                .noCredentials,
                "The EC2 instance's metadata service gave no credentials for the role \(role) (status \(reply.status)): "
                    + "check the role of the instance."
            )
        }
        return try found.credentials(from: "the role \(role) of this EC2 instance")
    }

    private func get(_ url: String, token: String) async throws -> MetadataReply {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "x-aws-ec2-metadata-token", value: token)
        do {
            return try await httpClient.metadata(request, timeout: timeout)
        } catch {
            guard !Task.isCancelled else { throw CancellationError() }
            throw StorageError(
                .noCredentials,
                "The EC2 instance's metadata service stopped answering (\(url)): try again.",
                underlying: error
            )
        }
    }
}
