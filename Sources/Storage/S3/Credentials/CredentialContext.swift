import AsyncHTTPClient

/// What providers of credentials read, and send their requests with.
struct CredentialContext: Sendable {
    let environment: [String: String]
    let files: ProfileFiles
    /// The region whose STS is asked.
    let region: String
    let endpoints: ConfiguredEndpoints
    let network: Network
    let policy: RetryPolicy

    /// Asks a service on this machine or beside it, past any proxy, and again when it fails in passing.
    /// - Parameters:
    ///   - request: What to send.
    ///   - attempts: The most attempts.
    ///   - timeout: How long one attempt may take.
    /// - Returns: The last reply, whatever its status.
    /// - Throws: The last failure of the network, or `CancellationError`.
    func ask(_ request: HTTPClientRequest, attempts: Int, timeout: Duration) async throws -> MetadataReply {
        var attempt = 0
        while true {
            attempt += 1
            do {
                let reply = try await network.direct.metadata(request, timeout: timeout)
                guard ServiceRefusal.isTransient(status: reply.status), attempt < attempts else { return reply }
            } catch {
                guard !Task.isCancelled, !(error is CancellationError) else { throw CancellationError() }
                guard S3Failure.isTransient(error), attempt < attempts else { throw error }
            }
            try await policy.sleep(policy.pause(afterAttempt: attempt))
        }
    }
}
