import Foundation
import Synchronization

/// Sends a run's failures to Sentry at its end.
///
/// Reporting is best effort: it takes a few seconds at most, and a failure of it does not change the run's result.
struct SentryReporter: Sendable {
    private let sentry: SentryConfiguration
    private let kind: RunKind
    private let timeLimit: Duration
    private let variables: [String: String]

    /// Runs the body, and reports the failures of its events, and its own, afterwards.
    ///
    /// - Parameters:
    ///   - settings: Say where reports go; a dry run reports nothing, because it leaves no trace anywhere.
    ///   - onEvent: Receives all events, and how the sending went.
    ///   - body: The run; it is given the recorder to report to.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws; `CancellationError` when the task was cancelled.
    static func with<Result>(
        _ settings: RunSettings,
        onEvent: @escaping @Sendable (RunEvent) -> Void,
        _ body: (RunRecorder) async throws -> Result
    ) async throws -> Result {
        let failures = FailureLog()
        let recorder = RunRecorder { event in
            failures.add(event)
            onEvent(event)
        }
        let reporter = SentryReporter(settings)
        do {
            let result = try await body(recorder)
            await reporter?.report(failures.all, to: recorder)
            return result
        } catch {
            // Whichever layer noticed the cancellation first has an error of its own for it.
            try Task.checkCancellation()
            await reporter?.report(failures.all, endedBy: error, to: recorder)
            throw error
        }
    }

    private init?(_ settings: RunSettings) {
        guard let sentry = settings.sentry, !settings.isDryRun else { return nil }
        self.sentry = sentry
        kind = settings.kind
        timeLimit = settings.reportingTimeLimit
        variables = settings.variables
    }

    /// Sends an event for each failed job, and one for the run when it failed as a whole.
    private func report(_ failures: [JobFailure], endedBy error: (any Error)? = nil, to recorder: RunRecorder) async {
        var events = failures.map { failure in
            event(failure.error.map(FailureSummary.init) ?? .consequence, Self.name(of: failure.job), at: failure.time)
        }
        if let error { events.append(event(FailureSummary(error), nil, at: Date())) }
        guard !events.isEmpty, !Task.isCancelled else { return }
        let sent = SentCount()
        let problem = await send(events, sent)
        // A user who interrupts the sending does not want to read about it.
        guard !Task.isCancelled else { return }
        let total = counted(events.count, "failure")
        if let problem {
            recorder.found(
                .warning(
                    "\(sent.value) of \(total) reported to Sentry at \(sentry.dsn.host): \(problem.message)",
                    hint: problem.hint
                )
            )
        } else {
            recorder.found(.note("\(total) reported to Sentry at \(sentry.dsn.host)"))
        }
    }

    /// The job's table; what fails apart from its rows is named as well.
    private static func name(of job: JobID) -> String {
        switch job.subject {
        case .rows, .query: job.name
        case .sequences, .definition: "\(job.name) (\(job.subject.rawValue))"
        }
    }

    private func event(_ failure: FailureSummary, _ table: String?, at time: Date) -> SentryEvent {
        SentryEvent(
            failure,
            kind: kind,
            table: table,
            at: time,
            release: sentry.version ?? "databudgie@\(DatabudgieVersion.current)",
            environment: sentry.environment
        )
    }

    /// Sends events one after another until one fails or time is up.
    ///
    /// - Returns: Why not all were sent, as the end of a sentence; nil when they were.
    private func send(_ events: [SentryEvent], _ sent: SentCount) async -> SendingProblem? {
        do {
            let url = sentry.dsn.envelopeURL
            let outcome = try await HTTPDelivery.with(url, variables: variables, limit: timeLimit) { delivery in
                await post(events, with: delivery, sent)
            }
            guard let problem = outcome else {
                return SendingProblem(message: "the server took too long", hint: "check sentry_dsn and the network")
            }
            return problem
        } catch {
            let text = ErrorText(error)
            return SendingProblem(message: text.message, hint: text.hint ?? "check the network")
        }
    }

    private func post(_ events: [SentryEvent], with delivery: HTTPDelivery, _ sent: SentCount) async -> SendingProblem?
    {
        do {
            for event in events {
                let status = try await post(event, with: delivery)
                guard (200..<300).contains(status) else {
                    // Retry-After is ignored, because the run is at its end.
                    return SendingProblem(
                        message: "the server answered with status \(status)",
                        hint: Self.hint(for: status)
                    )
                }
                sent.increase()
            }
            return nil
        } catch {
            let failure = DeliveryFailure(error, to: sentry.dsn.envelopeURL)
            return SendingProblem(message: failure.message, hint: "check sentry_dsn and the network")
        }
    }

    private static func hint(for status: UInt) -> String {
        switch status {
        case 429: "check the project's rate limits"
        case 400..<500: "check sentry_dsn"
        default: "check the server's log"
        }
    }

    private func post(_ event: SentryEvent, with delivery: HTTPDelivery) async throws -> UInt {
        try await delivery.post(
            try SentryEnvelope(event, sentAt: Date()).bytes,
            headers: ["Content-Type": SentryEnvelope.contentType, "X-Sentry-Auth": authorization],
            to: sentry.dsn.envelopeURL
        )
    }

    private var authorization: String {
        var parts = [
            "sentry_version=7", "sentry_client=\(HTTPDelivery.userAgent)", "sentry_key=\(sentry.dsn.publicKey)",
        ]
        if let secretKey = sentry.dsn.secretKey { parts.append("sentry_secret=\(secretKey)") }
        return "Sentry " + parts.joined(separator: ", ")
    }
}

/// The failures among a run's events.
private final class FailureLog: Sendable {
    private let failures = Mutex<[JobFailure]>([])

    var all: [JobFailure] { failures.withLock { $0 } }

    func add(_ event: RunEvent) {
        if case .failed(let failure) = event { failures.withLock { $0.append(failure) } }
    }
}
