import NIOCore
import NIOPosix
import Synchronization

/// An HTTP proxy on loopback that tunnels by CONNECT, always to one server, whatever host it is asked for.
public final class TunnelProxy: Sendable {
    private typealias Connection = FaultProxyExchange.AsyncChannel

    /// The proxy's URL.
    public let endpoint: String
    private let received = Mutex<[String]>([])

    private init(endpoint: String) {
        self.endpoint = endpoint
    }

    /// The heads of all requests for tunnels so far.
    public var requests: [String] { received.withLock { $0 } }

    /// Runs a proxy for the length of a closure.
    /// - Parameters:
    ///   - server: The URL of the server that tunnels lead to.
    ///   - reply: Sent instead of opening a tunnel.
    ///   - body: What to do meanwhile.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error.
    public static func withProxy<R: Sendable>(
        to server: String,
        reply: [UInt8]? = nil,
        _ body: @Sendable @escaping (TunnelProxy) async throws -> R
    ) async throws -> R {
        let port = server.split(separator: ":").last.flatMap { Int($0) } ?? 0
        return try await LoopbackListener.withServer {
            try Connection(wrappingChannelSynchronously: $0)
        } _: { endpoint in
            TunnelProxy(endpoint: endpoint)
        } serve: { proxy, client in
            // Either side may end a tunnel at any time.
            try? await proxy.serve(client, port: port, reply: reply)
        } _: { proxy in
            try await body(proxy)
        }
    }

    private func serve(_ client: Connection, port: Int, reply: [UInt8]?) async throws {
        try await client.executeThenClose { inbound, outbound in
            var iterator = inbound.makeAsyncIterator()
            let (head, _) = try await FaultProxyExchange.receiveHead(from: &iterator)
            received.withLock { $0.append(head) }
            if let reply { return try await outbound.write(ByteBuffer(bytes: reply)) }
            let server = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connect(host: "127.0.0.1", port: port) { channel in
                    channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
                }
            try await server.executeThenClose { replies, requests in
                try await outbound.write(ByteBuffer(string: "HTTP/1.1 200 Connection established\r\n\r\n"))
                let answers = Task {
                    for try await part in replies { try await outbound.write(part) }
                    outbound.finish()
                }
                defer { answers.cancel() }
                while let part = try await iterator.next(isolation: #isolation) { try await requests.write(part) }
            }
        }
    }
}
