import Synchronization

/// A receiver of Sentry's envelopes on loopback that accepts nothing that breaks the protocol.
public final class SentryServer: Sendable {
    /// What it replies to a request.
    public enum Behaviour: Sendable {
        /// 200 for a valid envelope, 400 for any other.
        case accept
        /// This status, whatever is received.
        case reply(Int, headers: [String: String] = [:])
        /// This status after some envelopes were accepted.
        case acceptFirst(Int, thenReply: Int)
        /// No reply at all.
        case hang
    }

    /// The key that clients have to send.
    public static let key = "0123456789abcdef0123456789abcdef"

    /// The address to configure, with a path before the project.
    public let dsn: String

    private let received: EnvelopeLog

    private init(endpoint: String, received: EnvelopeLog) {
        dsn = endpoint.replacing("://", with: "://\(Self.key)@") + "/prefix/42"
        self.received = received
    }

    /// All requests so far, in order of arrival.
    public var envelopes: [SentryEnvelopeReading] { received.all }

    /// Everything that is wrong with any of the requests.
    public var problems: [String] { envelopes.flatMap(\.problems) }

    /// Runs a receiver for the length of a closure.
    ///
    /// - Parameters:
    ///   - behaviour: What it replies.
    ///   - body: What to do meanwhile.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error.
    public static func withServer<R: Sendable>(
        _ behaviour: Behaviour = .accept,
        _ body: @Sendable @escaping (SentryServer) async throws -> R
    ) async throws -> R {
        let received = EnvelopeLog()
        return try await LoopbackService.withService { request in
            let reading = SentryEnvelopeReading(
                method: request.method,
                target: request.target,
                headers: request.fields,
                body: request.bytes
            )
            return await answer(behaviour, to: reading, number: received.append(reading))
        } _: { service in
            try await body(SentryServer(endpoint: service.endpoint, received: received))
        }
    }

    private static func answer(
        _ behaviour: Behaviour,
        to reading: SentryEnvelopeReading,
        number: Int
    ) async -> LoopbackService.Reply {
        switch behaviour {
        case .accept:
            return LoopbackService.Reply(reading.problems.isEmpty ? 200 : 400, "{}")
        case .reply(let status, let headers):
            return LoopbackService.Reply(status, "{}", headers: headers)
        case .acceptFirst(let count, let status):
            return LoopbackService.Reply(number <= count ? 200 : status, "{}")
        case .hang:
            // Until the test is over, which cancels it.
            try? await Task.sleep(for: .seconds(3_600))
            return LoopbackService.Reply(503)
        }
    }
}

/// What a receiver received, in order.
private final class EnvelopeLog: Sendable {
    private let envelopes = Mutex<[SentryEnvelopeReading]>([])

    var all: [SentryEnvelopeReading] { envelopes.withLock { $0 } }

    /// Keeps an envelope, and counts it.
    func append(_ envelope: SentryEnvelopeReading) -> Int {
        envelopes.withLock { envelopes in
            envelopes.append(envelope)
            return envelopes.count
        }
    }
}
