import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Credentials that a container's surroundings offer under a URI: ECS tasks and EKS Pod Identity.
struct ContainerCredentials: CredentialProvider {
    let environment: [String: String]
    let httpClient: HTTPClient
    let timeout: Duration

    var place: String { "the container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, AWS_CONTAINER_CREDENTIALS_FULL_URI)" }

    func credentials() async throws -> Credentials? {
        let uri: String
        if let relative = environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]?.nonEmpty {
            uri = "http://169.254.170.2" + relative
        } else if let full = environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"]?.nonEmpty {
            uri = full
        } else {
            return nil
        }
        guard Self.isAllowed(uri) else {
            throw failure("is \(uri), which is neither https nor a loopback or link-local address")
        }
        var request = HTTPClientRequest(url: uri)
        if let token = try authorizationToken() { request.headers.add(name: "authorization", value: token) }
        let reply: MetadataReply
        do {
            reply = try await httpClient.metadata(request, timeout: timeout)
        } catch {
            guard !(error is CancellationError) else { throw error }
            throw failure("(\(uri)) does not answer", underlying: error)
        }
        guard reply.status == 200, let found = try? JSONDecoder().decode(TemporaryCredentials.self, from: reply.body)
        else { throw failure("(\(uri)) answered with status \(reply.status) and no credentials") }
        return try found.credentials(from: "the container's credentials URI")
    }

    private func authorizationToken() throws -> String? {
        guard let file = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]?.nonEmpty else {
            return environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]?.nonEmpty
        }
        guard let data = FileManager.default.contents(atPath: file) else {
            throw failure("needs the token in \(file), which cannot be read")
        }
        return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined()
    }

    /// Plain http may leave this machine only for the two addresses that AWS uses.
    private static func isAllowed(_ uri: String) -> Bool {
        guard let url = URL(string: uri), let host = url.host else { return false }
        return url.scheme == "https" || host == "localhost" || host.hasPrefix("127.") || host == "::1"
            || host == "[::1]"
            || host == "169.254.170.2" || host == "169.254.170.23" || host.contains("fd00:ec2::23")
    }

    private func failure(_ problem: String, underlying: (any Error)? = nil) -> StorageError {
        StorageError(
            .noCredentials,
            "The container's credentials URI \(problem): check AWS_CONTAINER_CREDENTIALS_FULL_URI and its relatives.",
            underlying: underlying
        )
    }
}
