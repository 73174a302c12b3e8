import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// An HTTP service on loopback: a test gives its replies, and it remembers the requests.
public final class LoopbackService: Sendable {
    /// The service's URL, without a slash at its end.
    public let endpoint: String

    private let received = Mutex<[Request]>([])

    /// What a client sent.
    public struct Request: Sendable {
        /// The method.
        public let method: String
        /// The path as it was sent, without the query.
        public let path: String
        /// The query as it was sent, without the question mark.
        public let query: String
        /// The path and the query as they were sent.
        public let target: String
        /// The headers as they were sent, each with its name.
        public let fields: [(name: String, value: String)]
        /// The body's bytes.
        public let bytes: [UInt8]
        /// The headers; names in lower case.
        public let headers: [String: String]
        /// The body.
        public let body: String

        /// The fields of a body that is a form, decoded.
        public var form: [String: String] { Self.fields(body) }

        /// The parameters of the query, decoded.
        public var parameters: [String: String] { Self.fields(query) }

        private static func fields(_ text: String) -> [String: String] {
            let pairs = text.split(separator: "&").map { pair in
                let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    .map { $0.replacing("+", with: " ").removingPercentEncoding ?? "" }
                return (halves[0], halves.count > 1 ? halves[1] : "")
            }
            return Dictionary(pairs) { $0 + "," + $1 }
        }
    }

    /// What a client receives.
    public struct Reply: Sendable {
        /// The status of HTTP.
        public var status: Int
        /// Headers in addition to the length.
        public var headers: [String: String]
        /// The body.
        public var body: String

        /// Describes a reply.
        /// - Parameters:
        ///   - status: The status of HTTP.
        ///   - body: The body.
        ///   - headers: Headers in addition to the length.
        public init(_ status: Int, _ body: String = "", headers: [String: String] = [:]) {
            self.status = status
            self.headers = headers
            self.body = body
        }
    }

    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPPart<HTTPResponseHead, ByteBuffer>>

    private init(endpoint: String) {
        self.endpoint = endpoint
    }

    /// All requests so far, in order of arrival.
    public var requests: [Request] { received.withLock { $0 } }

    /// Runs a service for the length of a closure.
    /// - Parameters:
    ///   - certificate: Makes it speak TLS; its URL then has the certificate's name.
    ///   - answer: Gives the reply to a request.
    ///   - body: What to do meanwhile.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error, or that of the network.
    public static func withService<R: Sendable>(
        certificate: TestCertificate? = nil,
        _ answer: @Sendable @escaping (Request) async -> Reply,
        _ body: @Sendable @escaping (LoopbackService) async throws -> R
    ) async throws -> R {
        let security = try certificate.map { try NIOSSLContext(configuration: $0.serverConfiguration) }
        return try await LoopbackListener.withServer { channel in
            if let security {
                try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: security))
            }
            try channel.pipeline.syncOperations.configureHTTPServerPipeline()
            try channel.pipeline.syncOperations.addHandler(BufferBodies())
            return try Connection(wrappingChannelSynchronously: channel)
        } _: { endpoint in
            LoopbackService(
                endpoint: certificate.map { endpoint.replacing("http://127.0.0.1", with: "https://\($0.hostName)") }
                    ?? endpoint
            )
        } serve: { service, connection in
            await service.serve(connection, answer)
        } _: { service in
            try await body(service)
        }
    }

    /// Runs a service that speaks TLS, with a certificate of its own for `localhost`, for the length of a closure.
    /// - Parameters:
    ///   - answer: Gives the reply to a request.
    ///   - body: What to do meanwhile, given the service and its certificate.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error, that of the network, or ``TestCertificate/Failure``.
    public static func withEncryptedService<R: Sendable>(
        _ answer: @Sendable @escaping (Request) async -> Reply,
        _ body: @Sendable @escaping (LoopbackService, TestCertificate) async throws -> R
    ) async throws -> R {
        try await withTemporaryFolder { folder in
            let certificate = try await TestCertificate(in: folder)
            return try await withService(certificate: certificate, answer) { service in
                try await body(service, certificate)
            }
        }
    }

    private func serve(_ connection: Connection, _ answer: @Sendable (Request) async -> Reply) async {
        // A client that goes away ends its connection and nothing else.
        try? await connection.executeThenClose { inbound, outbound in
            var head: HTTPRequestHead?
            var body = ByteBuffer()
            for try await part in inbound {
                switch part {
                case .head(let received):
                    (head, body) = (received, ByteBuffer())
                case .body(var received):
                    body.writeBuffer(&received)
                case .end:
                    guard let head else { return }
                    let request = Self.request(head, body)
                    received.withLock { $0.append(request) }
                    try await Self.send(await answer(request), to: outbound)
                }
            }
        }
    }

    private static func request(_ head: HTTPRequestHead, _ body: ByteBuffer) -> Request {
        let halves = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return Request(
            method: head.method.rawValue,
            path: halves[0],
            query: halves.count > 1 ? halves[1] : "",
            target: head.uri,
            fields: head.headers.map { ($0.name, $0.value) },
            bytes: Array(body.readableBytesView),
            headers: Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }) { $0 + "," + $1 },
            body: String(buffer: body)
        )
    }

    private static func send(
        _ reply: Reply,
        to outbound: NIOAsyncChannelOutboundWriter<HTTPPart<HTTPResponseHead, ByteBuffer>>
    ) async throws {
        var headers = HTTPHeaders(reply.headers.map { ($0.key, $0.value) })
        headers.replaceOrAdd(name: "content-length", value: "\(reply.body.utf8.count)")
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: reply.status), headers: headers)
        try await outbound.write(contentsOf: [.head(head), .body(ByteBuffer(string: reply.body)), .end(nil)])
    }
}

/// Turns bodies that are buffers into what the HTTP encoder accepts.
private final class BufferBodies: ChannelOutboundHandler {
    typealias OutboundIn = HTTPPart<HTTPResponseHead, ByteBuffer>
    typealias OutboundOut = HTTPServerResponsePart

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part: OutboundOut =
            switch unwrapOutboundIn(data) {
            case .head(let head): .head(head)
            case .body(let buffer): .body(.byteBuffer(buffer))
            case .end(let headers): .end(headers)
            }
        context.write(wrapOutboundOut(part), promise: promise)
    }
}
