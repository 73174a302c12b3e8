import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Sends a run's failures to Sentry at its end.
///
/// Reporting is a courtesy: it takes a few seconds at most, and when it fails, the run's result is what it was.
struct SentryReporter: Sendable {
    private let sentry: SentryConfiguration
    private let action: RunKind
    private let timeLimit: Duration

    /// Prepares reports of a run; nil when nothing is to be reported.
    ///
    /// - Parameters:
    ///   - configuration: Says where reports go.
    ///   - action: What the run does.
    ///   - options: A dry run reports nothing, as it leaves no trace anywhere.
    init?(_ configuration: Configuration, _ action: RunKind, _ options: RunEnvironment) {
        guard let sentry = configuration.sentry, !options.isDryRun else { return nil }
        self.sentry = sentry
        self.action = action
        timeLimit = options.reportingTimeLimit
    }

    /// Sends an event for each failed table, and one for the run when it failed as a whole.
    ///
    /// - Parameters:
    ///   - recorder: Knows the failed tables, and is told how the sending went.
    ///   - error: What ended the run; nil when it came to its end.
    func report(_ recorder: RunRecorder, endedBy error: (any Error)? = nil) async {
        var events = recorder.report().failed.map { failure in
            event(failure.error.map(FailureSummary.init) ?? .consequence, failure.label.description, at: failure.time)
        }
        if let error { events.append(event(FailureSummary(error), nil, at: Date())) }
        guard !events.isEmpty, !Task.isCancelled else { return }
        let sent = SentCount()
        let problem = await send(events, sent)
        // A user who interrupts the sending does not want to hear of it.
        guard !Task.isCancelled else { return }
        let total = events.count == 1 ? "1 failure" : "\(events.count) failures"
        if let problem {
            recorder.warning(
                "\(sent.value) of \(total) reported to Sentry at \(sentry.dsn.host): \(problem)"
            )
        } else {
            recorder.detail("\(total) reported to Sentry at \(sentry.dsn.host).")
        }
    }

    private func event(_ failure: FailureSummary, _ table: String?, at time: Date) -> SentryEvent {
        SentryEvent(
            failure,
            action: action,
            table: table,
            at: time,
            release: sentry.version ?? "databudgie@\(DatabudgieVersion.current)",
            environment: sentry.environment
        )
    }

    /// Sends events one after another until one fails or time is up.
    ///
    /// - Returns: Why not all were sent, as the end of a sentence; nil when they were.
    private func send(_ events: [SentryEvent], _ sent: SentCount) async -> String? {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow, decompression: .disabled)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(configuration: configuration)
        // Nobody waits for it: a look-up of a name that hangs must not hold up the run's end.
        defer { client.shutdown { _ in } }
        return await withTaskGroup(of: String?.self) { group in
            group.addTask { await self.post(events, with: client, sent) }
            group.addTask {
                try? await Task.sleep(for: timeLimit)
                return "the server took too long; check sentry_dsn and the network."
            }
            let first = await group.next()
            group.cancelAll()
            return first ?? nil
        }
    }

    private func post(_ events: [SentryEvent], with client: HTTPClient, _ sent: SentCount) async -> String? {
        do {
            for event in events {
                let status = try await post(event, with: client)
                guard (200..<300).contains(status) else {
                    // Retry-After names a time that nobody waits for here.
                    return "the server answered with status \(status)\(Self.advice(for: status))."
                }
                sent.increase()
            }
            return nil
        } catch {
            return "the server could not be reached; check sentry_dsn and the network."
        }
    }

    private static func advice(for status: UInt) -> String {
        switch status {
        case 429: ", as it gets too many events; look at the project's limits"
        case 400..<500: "; check sentry_dsn"
        default: "; look at its log"
        }
    }

    private func post(_ event: SentryEvent, with client: HTTPClient) async throws -> UInt {
        var request = HTTPClientRequest(url: sentry.dsn.envelopeURL)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: SentryEnvelope.contentType)
        request.headers.add(name: "User-Agent", value: Self.client)
        request.headers.add(name: "X-Sentry-Auth", value: authorization)
        request.body = .bytes(try SentryEnvelope(event, sentAt: Date()).bytes)
        // The limit of all requests together ends this one as well, by cancelling it.
        let response = try await client.execute(request, deadline: .distantFuture)
        // The connection can be used again when the reply was read to its end.
        for try await _ in response.body {}
        return response.status.code
    }

    private static let client = "databudgie/\(DatabudgieVersion.current)"

    private var authorization: String {
        var parts = ["sentry_version=7", "sentry_client=\(Self.client)", "sentry_key=\(sentry.dsn.publicKey)"]
        if let secretKey = sentry.dsn.secretKey { parts.append("sentry_secret=\(secretKey)") }
        return "Sentry " + parts.joined(separator: ", ")
    }
}
