import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("Reports that cannot be sent")
struct SentryTroubleTests {
    /// Reports three failed tables, and returns what was warned of.
    private func warnings(dsn: String, within limit: Duration = .reportingUnderLoad) async throws -> [String] {
        let log = EventLog()
        var environment = RunEnvironment.reporting
        environment.reportingTimeLimit = limit
        let configuration = try Configuration.load(
            yaml: "{url: postgresql://h/d, sentry: {sentry_dsn: '\(dsn)'}}",
            environment: [:]
        )
        let settings = try RunSettings(configuration, for: .backup, in: environment)
        try await SentryReporter.with(settings, onEvent: log.append) { recorder in
            for number in 0..<3 {
                let job = JobID(.rows, of: "public.t\(number)", number: number)
                recorder.ended(
                    .failed(JobFailure(job, PostgresError(.serverError, "division by zero", sqlState: "22012")))
                )
            }
        }
        #expect(log.warnings.allSatisfy { !$0.contains(SentryServer.key) })
        return log.warnings
    }

    @Test("Reports to a server that never answers are given up after the time limit, all together")
    func silence() async throws {
        try await SentryServer.withServer(.hang) { server in
            let start = ContinuousClock.now
            let warnings = try await warnings(dsn: server.dsn, within: .milliseconds(300))
            #expect(
                warnings == [
                    "0 of 3 failures reported to Sentry at 127.0.0.1: the server took too long; check sentry_dsn and the "
                        + "network"
                ]
            )
            #expect(server.envelopes.count == 1)
            // Without a limit it would wait for ever; a busy machine may take its time.
            #expect(ContinuousClock.now - start < .seconds(30))
        }
    }

    @Test("Reports are given up at once and without a word when the run is interrupted meanwhile")
    func interruption() async throws {
        try await SentryServer.withServer(.hang) { server in
            let sending = Task { try await warnings(dsn: server.dsn, within: .seconds(3_600)) }
            try await poll("an event has arrived") { server.envelopes.count == 1 }
            sending.cancel()
            #expect(try await sending.value.isEmpty)
        }
    }

    @Test("Reports take five seconds in all at most, unless a test says otherwise")
    func limit() {
        #expect(RunEnvironment().reportingTimeLimit == .seconds(5))
    }

    @Test("Reports are given up at the first refusal", arguments: [429, 500, 403, 302])
    func refusal(status: Int) async throws {
        try await SentryServer.withServer(.reply(status, headers: ["Retry-After": "60", "Location": "/"])) { server in
            let warnings = try await warnings(dsn: server.dsn)
            #expect(warnings.count == 1)
            #expect(
                warnings.first?.hasPrefix(
                    "0 of 3 failures reported to Sentry at 127.0.0.1: the server answered with status \(status)"
                ) == true
            )
            #expect(server.envelopes.count == 1)
        }
    }

    @Test("Reports are counted when some arrived before")
    func partly() async throws {
        try await SentryServer.withServer(.acceptFirst(2, thenReply: 429)) { server in
            let warnings = try await warnings(dsn: server.dsn)
            #expect(warnings.first?.hasPrefix("2 of 3 failures reported to Sentry at 127.0.0.1: ") == true)
            #expect(server.envelopes.count == 3)
        }
    }

    @Test("Reports to a port where nobody listens, or to a name that does not exist, change nothing")
    func nobody() async throws {
        for host in ["127.0.0.1:1", "nowhere.invalid"] {
            let warnings = try await warnings(dsn: "http://\(SentryServer.key)@\(host)/1", within: .seconds(2))
            #expect(warnings.count == 1)
            #expect(warnings.first?.hasPrefix("0 of 3 failures reported to Sentry at ") == true)
        }
    }
}
