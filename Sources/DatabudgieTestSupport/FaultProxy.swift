import NIOCore
import Synchronization

/// A proxy on loopback that passes HTTP requests on to a server and misbehaves on demand.
///
/// Signatures stay valid: clients sign the proxy's host and port, which reach the server unchanged. Every connection
/// carries one request.
public final class FaultProxy: Sendable {
    /// The proxy's URL.
    public let endpoint: String

    private let state: Mutex<State>
    private let onRequest: @Sendable (Request) async -> Void

    private struct State {
        var rules: [Rule]
        var requests: [Request] = []
    }

    /// What a client requested.
    public struct Request: Sendable {
        /// The method.
        public let method: String
        /// The path and the query, as they were sent.
        public let target: String
        /// The names of its headers, in lower case.
        public let headers: Set<String>
        /// The fault that it triggered.
        public let fault: Fault?
    }

    /// Which requests trigger a fault.
    public struct Rule: Sendable {
        /// The fault.
        public var fault: Fault
        /// The method of the requests; nil for any.
        public var method: String?
        /// A string in the requests' path or query; nil for any.
        public var target: String?
        /// How many matching requests pass unharmed first.
        public var skip: Int
        /// How many requests trigger the fault after that.
        public var count: Int

        /// Describes a rule.
        /// - Parameters:
        ///   - fault: The fault.
        ///   - method: The method of the requests; nil for any.
        ///   - target: A string in the requests' path or query; nil for any.
        ///   - skip: How many matching requests pass unharmed first.
        ///   - count: How many requests trigger the fault after that.
        public init(_ fault: Fault, method: String? = nil, target: String? = nil, skip: Int = 0, count: Int = .max) {
            self.fault = fault
            self.method = method
            self.target = target
            self.skip = skip
            self.count = count
        }
    }

    /// Ways to misbehave.
    public enum Fault: Sendable {
        /// Replies itself; the server sees nothing.
        case reply(status: Int, headers: [String: String] = [:], body: String = "")
        /// Resets the connection after some bytes of the request's body.
        case reset(afterBytes: Int)
        /// Lets the server do its work, and resets the connection instead of passing the reply on.
        case loseReply
        /// Lets the server do its work, and passes no reply on.
        case withholdReply
        /// Closes the connection cleanly after some bytes of the reply's body.
        case cutReply(afterBytes: Int)
        /// Flips a bit of the request's body at an offset in bytes.
        case flipRequest(at: Int)
        /// Flips a bit of the reply's body at an offset in bytes.
        case flipReply(at: Int)
        /// Accepts the request and never replies.
        case hang
        /// Sends some bytes of the reply's body, then nothing more.
        case stall(afterBytes: Int)
        /// Waits before passing the request on.
        case delay(Duration)

        /// A refusal as S3 words it.
        /// - Parameters:
        ///   - status: The status of HTTP.
        ///   - code: S3's name of the error.
        ///   - headers: More headers of the reply.
        /// - Returns: The fault.
        public static func error(_ status: Int, _ code: String, headers: [String: String] = [:]) -> Fault {
            .reply(
                status: status,
                headers: headers,
                body: "<Error><Code>\(code)</Code><Message>Made up</Message></Error>"
            )
        }
    }

    private init(endpoint: String, rules: [Rule], onRequest: @escaping @Sendable (Request) async -> Void) {
        self.endpoint = endpoint
        self.onRequest = onRequest
        state = Mutex(State(rules: rules))
    }

    /// All requests so far, in order of arrival.
    public var requests: [Request] { state.withLock { $0.requests } }

    /// Replaces the rules.
    /// - Parameter rules: The new rules; the first that matches a request counts.
    public func setRules(_ rules: [Rule]) {
        state.withLock { $0.rules = rules }
    }

    /// Runs a proxy for the length of a closure.
    /// - Parameters:
    ///   - server: The URL of the server behind the proxy, `http://host:port`.
    ///   - rules: The first that matches a request counts.
    ///   - onRequest: Receives each request, which waits for it.
    ///   - body: What to do meanwhile.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error.
    public static func withProxy<R: Sendable>(
        to server: String,
        rules: [Rule] = [],
        onRequest: @escaping @Sendable (Request) async -> Void = { _ in },
        _ body: @Sendable @escaping (FaultProxy) async throws -> R
    ) async throws -> R {
        let address = server.split(separator: "/").last?.split(separator: ":") ?? []
        guard address.count == 2, let port = Int(address[1]) else { throw FaultProxyExchange.Malformed() }
        let upstream = (host: String(address[0]), port: port)
        return try await LoopbackListener.withServer {
            try FaultProxyExchange.AsyncChannel(wrappingChannelSynchronously: $0)
        } _: { endpoint in
            FaultProxy(endpoint: endpoint, rules: rules, onRequest: onRequest)
        } serve: { proxy, client in
            await proxy.serve(client, upstream)
        } _: { proxy in
            try await body(proxy)
        }
    }

    private func serve(_ client: FaultProxyExchange.AsyncChannel, _ upstream: (host: String, port: Int)) async {
        // A client that goes away, or a connection that is reset on purpose, ends the exchange and nothing else.
        try? await client.executeThenClose { inbound, outbound in
            var exchange = FaultProxyExchange(
                channel: client.channel,
                inbound: inbound.makeAsyncIterator(),
                outbound: outbound
            )
            let (method, target, headers) = try await exchange.receiveHead()
            let request = note(method: method, target: target, headers: headers)
            await onRequest(request)
            try await exchange.run(request.fault, upstream)
        }
    }

    /// Finds the fault for a request, and counts its use.
    private func note(method: String, target: String, headers: Set<String>) -> Request {
        state.withLock { state in
            var found: Fault?
            for index in state.rules.indices where found == nil {
                let rule = state.rules[index]
                guard rule.method ?? method == method, rule.target.map(target.contains) ?? true else { continue }
                if rule.skip > 0 {
                    state.rules[index].skip -= 1
                } else if rule.count > 0 {
                    state.rules[index].count -= 1
                    found = rule.fault
                }
            }
            let request = Request(method: method, target: target, headers: headers, fault: found)
            state.requests.append(request)
            return request
        }
    }
}
