import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Credentials that a container's surroundings offer under a URI: ECS tasks and EKS Pod Identity.
///
/// Source: "Container credential provider" in the AWS SDKs and Tools reference guide.
struct ContainerCredentials: CredentialProvider {
    let context: CredentialContext

    var place: String { "the container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, AWS_CONTAINER_CREDENTIALS_FULL_URI)" }

    private static let attempts = 3

    func credentials() async throws -> Credentials? {
        let uri: String
        if let relative = context.environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]?.nonEmpty {
            guard relative.utf8.first == slash else {
                throw failure("is \(quoting(relative)), which does not begin with a slash")
            }
            uri = "http://169.254.170.2" + relative
        } else if let full = context.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"]?.nonEmpty {
            uri = full
        } else {
            return nil
        }
        let shown = redacted(uri)
        guard Self.isAllowed(uri) else {
            throw failure("is \(shown), which is neither https nor a loopback address nor one of Amazon's two")
        }
        var request = HTTPClientRequest(url: uri)
        request.headers.add(name: "accept", value: "application/json")
        let token = try authorizationToken()
        if let token { request.headers.add(name: "authorization", value: token) }
        let reply: MetadataReply
        do {
            // They answer in milliseconds, but their first answer may take a second.
            reply = try await context.ask(request, attempts: Self.attempts, timeout: context.policy.metadata * 2)
        } catch {
            guard !(error is CancellationError) else { throw error }
            throw failure("(\(shown)) does not answer", underlying: error)
        }
        guard reply.status == 200, let found = try? JSONDecoder().decode(TemporaryCredentials.self, from: reply.body)
        else {
            let said = ServiceRefusal(reply).said(hiding: [token])
            throw failure("(\(shown)) answered with status \(reply.status) and no credentials\(said)")
        }
        return try found.credentials(from: "the container's credentials URI")
    }

    private func authorizationToken() throws -> String? {
        guard let file = context.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]?.nonEmpty else {
            return try token(context.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] ?? "", in: "the environment")
        }
        guard let data = FileManager.default.contents(atPath: file) else {
            throw failure("needs the token in \(file), which cannot be read")
        }
        return try token(String(decoding: data, as: UTF8.self), in: file)
    }

    /// Trims a token; one of several lines would be several headers.
    private func token(_ text: String, in place: String) throws -> String? {
        let lines = text.split(whereSeparator: \.isNewline)
        guard lines.count < 2 else { throw failure("needs the token in \(place), which has more than one line") }
        return lines.first.map(String.init)
    }

    /// Plain http may leave this machine only for the addresses that ECS and EKS use.
    static func isAllowed(_ uri: String) -> Bool {
        guard let url = URLComponents(string: uri), let scheme = url.scheme?.lowercased(), let host = url.host,
            !host.isEmpty
        else { return false }
        if scheme == "https" { return true }
        guard scheme == "http" else { return false }
        let bare = host.first == "[" ? String(host.dropFirst().dropLast()) : host.lowercased()
        let numbers = bare.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return ["localhost", "::1", "fd00:ec2::23", "169.254.170.2", "169.254.170.23"].contains(bare)
            || (numbers.count == 4 && numbers[0] == 127 && !numbers.contains(nil))
    }

    private func failure(_ problem: String, underlying: (any Error)? = nil) -> StorageError {
        StorageError(
            .noCredentials,
            "the container's credentials URI \(problem)",
            hint: "check AWS_CONTAINER_CREDENTIALS_FULL_URI and the variables that belong to it",
            underlying: underlying
        )
    }
}
