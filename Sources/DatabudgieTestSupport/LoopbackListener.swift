import NIOCore
import NIOPosix

/// The accept loop of all test servers: listens on a free port of loopback and serves each connection in its own task.
enum LoopbackListener {
    /// Runs a server for the length of a closure; whatever it still does then is cancelled.
    /// - Parameters:
    ///   - open: Sets a new connection's channel up; called on the channel's event loop.
    ///   - makeServer: Creates the server, given its URL without a slash at the end.
    ///   - serve: Serves one connection to its end.
    ///   - body: What to do meanwhile.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error, or that of the network.
    static func withServer<Server: Sendable, Inbound: Sendable, Outbound: Sendable, R: Sendable>(
        open: @Sendable @escaping (any Channel) throws -> NIOAsyncChannel<Inbound, Outbound>,
        _ makeServer: (String) -> Server,
        serve: @Sendable @escaping (Server, NIOAsyncChannel<Inbound, Outbound>) async -> Void,
        _ body: @Sendable @escaping (Server) async throws -> R
    ) async throws -> R {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture { try open(channel) }
            }
        let server = makeServer("http://127.0.0.1:\(listener.channel.localAddress?.port ?? 0)")
        return try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask {
                try await listener.executeThenClose { connections in
                    await withTaskGroup(of: Void.self) { exchanges in
                        do {
                            for try await connection in connections {
                                exchanges.addTask { await serve(server, connection) }
                            }
                        } catch {
                            // The listener is gone, as at the end of a test.
                        }
                        exchanges.cancelAll()
                    }
                }
                return nil
            }
            group.addTask { try await body(server) }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }
}
