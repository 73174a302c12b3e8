import AsyncHTTPClient
import FoundationEssentials

/// One of Amazon's services that lend credentials, and how patiently it is asked.
struct CredentialService: Sendable {
    /// The services, by the identifiers that sections of services have.
    enum Kind: String {
        case securityTokens = "sts"
        case singleSignOn = "sso"
        case signOnTokens = "sso_oidc"

        /// Amazon's host in a region.
        func host(region: String) -> String {
            let name =
                switch self {
                case .securityTokens: "sts"
                case .singleSignOn: "portal.sso"
                case .signOnTokens: "oidc"
                }
            return S3Endpoint.amazonHost(name, region: region)
        }

        fileprivate var variable: String { "AWS_ENDPOINT_URL_\(rawValue.uppercased())" }
    }

    let endpoint: S3Endpoint
    private let kind: Kind
    private let context: CredentialContext

    /// Finds the service: in its region, or at the URL in the environment or the profile.
    /// - Throws: `StorageError` when what they name is not a URL.
    init(_ kind: Kind, region: String, context: CredentialContext) throws {
        self.kind = kind
        self.context = context
        guard let url = context.endpoints.url(of: kind.rawValue) else {
            endpoint = S3Endpoint(scheme: "https", host: kind.host(region: region), style: .path, isAmazon: true)
            return
        }
        endpoint = try S3Endpoint(url: url, style: .path, service: kind.rawValue.uppercased())
    }

    /// The service's URL, without a slash at its end.
    var url: String { "\(endpoint.scheme)://\(endpoint.host)\(endpoint.basePath)" }

    /// Sends a request, and again when that may help.
    /// - Parameter prepare: Creates the request, signed for a moment.
    /// - Returns: The reply, of a status that means success.
    /// - Throws: `ServiceRefusal`, `StorageError` when the service cannot be reached, or `CancellationError`.
    func send(_ prepare: (Date) throws -> HTTPClientRequest) async throws -> MetadataReply {
        let policy = context.policy
        var clockOffset: TimeInterval = 0
        var attempts = 0
        while true {
            try Task.checkCancellation()
            attempts += 1
            let now = policy.now().addingTimeInterval(clockOffset)
            let request = try prepare(now)
            do {
                let client = try context.network.client(for: request.url)
                let reply = try await client.metadata(request, timeout: policy.tokenService)
                guard !(200..<300).contains(reply.status) else { return reply }
                let refusal = ServiceRefusal(reply)
                let mayRetry = attempts < policy.maximumFirstAttempts
                if clockOffset == 0, let date = refusal.date, refusal.isClockSkew(at: now) {
                    clockOffset = date.timeIntervalSince(policy.now())
                } else if !refusal.isTransient || !mayRetry {
                    throw refusal
                }
            } catch let refusal as ServiceRefusal {
                throw refusal
            } catch {
                guard !Task.isCancelled, !(error is CancellationError) else { throw CancellationError() }
                guard S3Failure.isTransient(error), attempts < policy.maximumFirstAttempts else {
                    throw unreachable(error, attempts)
                }
            }
            try await policy.sleep(policy.pause(afterAttempt: attempts))
        }
    }

    private func unreachable(_ failure: any Error, _ attempts: Int) -> StorageError {
        let times = attempts == 1 ? "" : " (\(attempts) attempts)"
        let (code, problem): (StorageError.Code, String) =
            if let problem = TransportProblem(failure, scheme: endpoint.scheme) {
                (problem.code, problem.reason(at: "it"))
            } else if S3Failure.isTimeout(failure) {
                (.timedOut, "it did not answer in time\(times)")
            } else {
                (.unavailable, "the connection failed\(times): \(S3Failure.words(failure))")
            }
        return StorageError(
            code,
            "credentials cannot be requested from \(url): \(problem)",
            hint: "check the network, the region and \(kind.variable), then try again",
            underlying: failure
        )
    }
}
