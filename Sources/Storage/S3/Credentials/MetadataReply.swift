import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// The answer of a service that lends credentials.
struct MetadataReply: Sendable {
    var status: UInt
    var headers: HTTPHeaders
    var body: Data
}

extension HTTPClient {
    /// Asks once, without retries, within a time for the whole exchange.
    func metadata(_ request: HTTPClientRequest, timeout: Duration) async throws -> MetadataReply {
        try await ProgressWatch().run(stall: timeout, limit: timeout) {
            let response = try await self.execute(request, timeout: .seconds(60))
            let body = try await response.body.collect(upTo: 64 * 1024)
            return MetadataReply(
                status: response.status.code,
                headers: response.headers,
                body: Data(body.readableBytesView)
            )
        }
    }
}
