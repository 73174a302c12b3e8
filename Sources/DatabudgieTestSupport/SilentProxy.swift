import NIOCore
import NIOPosix
public import Postgres
import Synchronization

/// A proxy on loopback between a client of Postgres and its server, which can fall silent as a broken network does.
public final class SilentProxy: Sendable {
    /// What becomes of the bytes.
    public enum Mode: Sendable {
        /// All are passed on.
        case passing
        /// Those of connections that exist are passed on; new ones, such as requests to cancel, are taken and never answered.
        case losingRequests
        /// All are taken and none is passed on, without a sign to either side.
        case swallowing
        /// None is taken any more.
        case stalled
    }

    /// How to log in through the proxy.
    public let parameters: ConnectionParameters

    private let mode = Mutex(Mode.passing)

    private typealias Channel = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private init(parameters: ConnectionParameters) {
        self.parameters = parameters
    }

    /// Changes what becomes of the bytes from now on.
    /// - Parameter mode: The new mode.
    public func become(_ mode: Mode) {
        self.mode.withLock { $0 = mode }
    }

    /// Runs a proxy for the length of a closure.
    /// - Parameters:
    ///   - parameters: How to log in to the test server, whatever the way; the proxy uses TCP.
    ///   - body: What to do meanwhile.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error, or that of the network.
    public static func withProxy<R: Sendable>(
        to parameters: ConnectionParameters,
        _ body: @Sendable @escaping (SilentProxy) async throws -> R
    ) async throws -> R {
        let direct = PostgresServer.overTCP(parameters)
        let upstreamPort = direct.keywords["port"].flatMap { Int($0) } ?? 5432
        return try await LoopbackListener.withServer { channel in
            try Channel(wrappingChannelSynchronously: channel)
        } _: { endpoint in
            var keywords = direct.keywords
            keywords["port"] = endpoint.split(separator: ":").last.map { String($0) }
            keywords["gssencmode"] = "disable"
            return SilentProxy(parameters: ConnectionParameters(keywords: keywords))
        } serve: { proxy, client in
            // A side that goes away ends its connection and nothing else.
            try? await proxy.serve(client, upstreamPort)
        } _: { proxy in
            try await body(proxy)
        }
    }

    private func serve(_ client: Channel, _ upstreamPort: Int) async throws {
        guard mode.withLock({ $0 == .passing }) else {
            try await client.executeThenClose { inbound, _ in
                for try await _ in inbound {}
            }
            return
        }
        let server = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: upstreamPort) { channel in
                channel.eventLoop.makeCompletedFuture { try Channel(wrappingChannelSynchronously: channel) }
            }
        try await client.executeThenClose { fromClient, toClient in
            try await server.executeThenClose { fromServer, toServer in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await self.pass(fromClient, to: toServer) }
                    group.addTask { try await self.pass(fromServer, to: toClient) }
                    // The end of one side is that of the other.
                    try await group.next()
                    group.cancelAll()
                }
            }
        }
    }

    private func pass(
        _ source: NIOAsyncChannelInboundStream<ByteBuffer>,
        to target: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        for try await part in source {
            switch mode.withLock({ $0 }) {
            case .passing, .losingRequests: try await target.write(part)
            case .swallowing: continue
            // Until the proxy ends.
            case .stalled: while true { try await Task.sleep(for: .seconds(60)) }
            }
        }
    }
}
