import NIOCore
import NIOPosix
public import Postgres
import Synchronization

/// A proxy on loopback between clients of Postgres and its server, whose network is cut after some bytes.
public final class CuttingProxy: Sendable {
    /// Where bytes go.
    public enum Direction: Sendable, CaseIterable {
        /// From a client to the server.
        case toServer
        /// From the server to a client.
        case toClient
    }

    /// How to log in through the proxy.
    public let parameters: ConnectionParameters

    private let direction: Direction
    private let limit: Int
    private let counts = Mutex<[Direction: Int]>([:])
    private let trips = Mutex(0)

    /// In which direction the last bytes of a connection went.
    private final class Turn: Sendable {
        let last = Mutex(Direction.toClient)
    }

    private typealias Channel = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// All connections end.
    private struct Cut: Error {}

    private init(parameters: ConnectionParameters, direction: Direction, limit: Int) {
        (self.parameters, self.direction, self.limit) = (parameters, direction, limit)
    }

    /// How many bytes have passed in a direction, of all connections together.
    /// - Parameter direction: Which.
    /// - Returns: The number.
    public func passed(_ direction: Direction) -> Int { counts.withLock { $0[direction, default: 0] } }

    /// How often a client has sent something after it had received something, of all connections together: what a network that
    /// is far away makes it wait for.
    public var roundTrips: Int { trips.withLock { $0 } }

    /// Whether the network is cut: no connection is left, and new ones end at once.
    public var isCut: Bool { passed(direction) >= limit }

    /// Runs a proxy for the length of a closure.
    /// - Parameters:
    ///   - parameters: How to log in to the test server, whatever the way; the proxy uses TCP.
    ///   - direction: Whose bytes are counted.
    ///   - limit: The network is cut after so many; by default it never is.
    ///   - body: What to do meanwhile.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error, or that of the network.
    public static func withProxy<R: Sendable>(
        to parameters: ConnectionParameters,
        cutting direction: Direction = .toServer,
        after limit: Int = .max,
        _ body: @Sendable @escaping (CuttingProxy) async throws -> R
    ) async throws -> R {
        let direct = PostgresServer.overTCP(parameters)
        let upstreamPort = direct.keywords["port"].flatMap { Int($0) } ?? 5432
        return try await LoopbackListener.withServer { channel in
            try Channel(wrappingChannelSynchronously: channel)
        } _: { endpoint in
            var keywords = direct.keywords
            keywords["port"] = endpoint.split(separator: ":").last.map { String($0) }
            keywords["gssencmode"] = "disable"
            return CuttingProxy(
                parameters: ConnectionParameters(keywords: keywords),
                direction: direction,
                limit: limit
            )
        } serve: { proxy, client in
            // A side that goes away ends its connection and nothing else.
            try? await proxy.serve(client, upstreamPort)
        } _: { proxy in
            try await body(proxy)
        }
    }

    private func serve(_ client: Channel, _ upstreamPort: Int) async throws {
        let server = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: upstreamPort) { channel in
                channel.eventLoop.makeCompletedFuture { try Channel(wrappingChannelSynchronously: channel) }
            }
        let turn = Turn()
        try await client.executeThenClose { fromClient, toClient in
            try await server.executeThenClose { fromServer, toServer in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await self.pass(fromClient, to: toServer, .toServer, turn) }
                    group.addTask { try await self.pass(fromServer, to: toClient, .toClient, turn) }
                    // The end of one side is that of the other.
                    defer { group.cancelAll() }
                    try await group.next()
                }
            }
        }
    }

    private func pass(
        _ source: NIOAsyncChannelInboundStream<ByteBuffer>,
        to target: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        _ direction: Direction,
        _ turn: Turn
    ) async throws {
        for try await part in source {
            let isTurned = turn.last.withLock { last in
                defer { last = direction }
                return last != direction
            }
            if isTurned, direction == .toServer { trips.withLock { $0 += 1 } }
            guard !isCut else { throw Cut() }
            let before = counts.withLock { counts in
                defer { counts[direction, default: 0] += part.readableBytes }
                return counts[direction, default: 0]
            }
            guard direction == self.direction, isCut else {
                try await target.write(part)
                continue
            }
            var part = part
            if let rest = part.readSlice(length: max(0, min(part.readableBytes, limit - before))) {
                try await target.write(rest)
            }
            throw Cut()
        }
    }
}
