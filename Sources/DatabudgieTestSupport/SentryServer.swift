import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A receiver of Sentry's envelopes on loopback, which takes nothing that breaks the protocol.
public final class SentryServer: Sendable {
    /// What it answers to a request.
    public enum Behaviour: Sendable {
        /// 200 for a valid envelope, 400 for any other.
        case accept
        /// This status, whatever came.
        case reply(Int, headers: [String: String] = [:])
        /// This status after some envelopes were accepted.
        case acceptFirst(Int, thenReply: Int)
        /// Nothing at all.
        case hang
    }

    /// The key that clients have to send.
    public static let key = "0123456789abcdef0123456789abcdef"

    /// The address to configure, with a path before the project.
    public let dsn: String

    private struct State {
        var envelopes: [SentryEnvelopeReading] = []
    }

    private let behaviour: Behaviour
    private let state = Mutex(State())

    private init(port: Int, behaviour: Behaviour) {
        dsn = "http://\(Self.key)@127.0.0.1:\(port)/prefix/42"
        self.behaviour = behaviour
    }

    /// All requests so far, in the order in which they came.
    public var envelopes: [SentryEnvelopeReading] { state.withLock { $0.envelopes } }

    /// Everything that is wrong with any of the requests.
    public var problems: [String] { envelopes.flatMap(\.problems) }

    private typealias Exchange = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    /// Runs a receiver for the length of a closure.
    ///
    /// - Parameters:
    ///   - behaviour: What it answers.
    ///   - body: What to do meanwhile.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error.
    public static func withServer<R: Sendable>(
        _ behaviour: Behaviour = .accept,
        _ body: @Sendable @escaping (SentryServer) async throws -> R
    ) async throws -> R {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    return try Exchange(wrappingChannelSynchronously: channel)
                }
            }
        let server = SentryServer(port: listener.channel.localAddress?.port ?? 0, behaviour: behaviour)
        return try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask {
                try await listener.executeThenClose { clients in
                    await withTaskGroup(of: Void.self) { exchanges in
                        do {
                            for try await client in clients {
                                exchanges.addTask { await server.serve(client) }
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

    /// Answers the requests of one connection.
    private func serve(_ client: Exchange) async {
        // A client that goes away ends the exchange and nothing else.
        try? await client.executeThenClose { inbound, outbound in
            var head: HTTPRequestHead?
            var body = ByteBuffer()
            for try await part in inbound {
                switch part {
                case .head(let value): (head, body) = (value, ByteBuffer())
                case .body(var bytes): body.writeBuffer(&bytes)
                case .end:
                    guard let head else { return }
                    let reading = SentryEnvelopeReading(
                        method: head.method.rawValue,
                        target: head.uri,
                        headers: head.headers.map { ($0.name, $0.value) },
                        body: Array(body.readableBytesView)
                    )
                    let count = state.withLock { state in
                        state.envelopes.append(reading)
                        return state.envelopes.count
                    }
                    guard let (status, headers) = answer(to: reading, number: count) else { continue }
                    let response = HTTPResponseHead(
                        version: .http1_1,
                        status: .init(statusCode: status),
                        headers: HTTPHeaders(headers.merging(["Content-Length": "2"]) { $1 }.map { ($0, $1) })
                    )
                    try await outbound.write(.head(response))
                    try await outbound.write(.body(.byteBuffer(ByteBuffer(string: "{}"))))
                    try await outbound.write(.end(nil))
                }
            }
        }
    }

    private func answer(to reading: SentryEnvelopeReading, number: Int) -> (Int, [String: String])? {
        switch behaviour {
        case .accept: (reading.problems.isEmpty ? 200 : 400, [:])
        case .reply(let status, let headers): (status, headers)
        case .acceptFirst(let count, let status): (number <= count ? 200 : status, [:])
        case .hang: nil
        }
    }
}
