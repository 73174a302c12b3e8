import DatabudgieTestSupport
import Foundation
import Postgres
import Synchronization
import Testing

@testable import Databudgie

@Suite("Notifications that cannot be delivered")
struct NotificationTroubleTests {
    /// Notifies of a run that does nothing, and returns what was warned of.
    private func warnings(
        _ notify: String,
        within limit: Duration = .reportingUnderLoad,
        variables: [String: String] = [:],
        _ body: @Sendable @escaping () async throws -> Void = {}
    ) async throws -> [String] {
        let log = EventLog()
        var environment = RunEnvironment.reporting
        environment.notificationTimeLimit = limit
        environment.variables.merge(variables) { $1 }
        let configuration = try Configuration.load(yaml: "{url: postgresql://h/d, notify: \(notify)}", environment: [:])
        let report = try await RunReporting.with(configuration, for: .backup, in: environment, onEvent: log.append) {
            onEvent in
            onEvent(.found(.note("running")))
            try await body()
            return RunResults().report(.backup, isDryRun: false, duration: .seconds(1))
        }
        #expect(report.isComplete)
        #expect(log.notes == ["running"])
        return log.warnings
    }

    @Test("A notification takes ten seconds at most, unless a test says otherwise")
    func limit() {
        #expect(RunEnvironment().notificationTimeLimit == .seconds(10))
    }

    @Test("A server that never answers is given up after the time limit, once for each event")
    func silence() async throws {
        try await LoopbackService.withService { _ in
            // Until the test is over, which cancels it.
            try? await Task.sleep(for: .seconds(3_600))
            return LoopbackService.Reply(503)
        } _: { service in
            let start = ContinuousClock.now
            let warnings = try await warnings(
                "{healthchecks: '\(service.endpoint)/secret'}",
                within: .milliseconds(300)
            )
            #expect(
                warnings
                    == ["start", "success"].map {
                        "\(service.authority) was not notified of the \($0): the server did not answer in time; check its URL under "
                            + "'notify' and the network"
                    }
            )
            #expect(service.requests.map(\.path) == ["/secret/start", "/secret"])
            // Without a limit it would wait for ever; a busy machine may take its time.
            #expect(ContinuousClock.now - start < .seconds(30))
        }
    }

    @Test("A run does not wait until its beginning has been notified, and its end comes after it")
    func order() async throws {
        let gate = AsyncStream.makeStream(of: Void.self)
        try await LoopbackService.withService { request in
            if request.path == "/check/start" { for await _ in gate.stream { break } }
            return LoopbackService.Reply(200)
        } _: { service in
            let warnings = try await warnings("{healthchecks: '\(service.endpoint)/check'}") {
                // The receiver answers only when the run has come this far.
                try await poll("the beginning has arrived") { service.requests.count == 1 }
                gate.continuation.yield()
            }
            #expect(warnings.isEmpty)
            #expect(service.requests.map(\.path) == ["/check/start", "/check"])
        }
    }

    @Test("A server in trouble is asked three times in all, one that refuses once", arguments: [500, 429, 404, 302])
    func refusal(status: Int) async throws {
        try await LoopbackService.withService { _ in
            LoopbackService.Reply(status, headers: ["Location": "/elsewhere", "Retry-After": "60"])
        } _: { service in
            let warnings = try await warnings("{url: '\(service.endpoint)/secret', events: success}")
            #expect(warnings.count == 1)
            let expected =
                "\(service.authority) was not notified of the success: the server answered with status "
                + "\(status); "
            #expect(warnings.first?.hasPrefix(expected) == true)
            #expect(
                service.requests.map(\.path)
                    == Array(repeating: "/secret", count: status == 404 || status == 302 ? 1 : 3)
            )
        }
    }

    @Test("A server that was in trouble once is notified all the same")
    func recovery() async throws {
        let calls = Mutex(0)
        try await LoopbackService.withService { _ in
            LoopbackService.Reply(
                calls.withLock { calls in
                    calls += 1; return calls
                } == 1 ? 503 : 200
            )
        } _: { service in
            let warnings = try await warnings("{url: '\(service.endpoint)', events: success}")
            #expect(warnings.isEmpty)
            #expect(service.requests.count == 2)
        }
    }

    @Test("A port where nobody listens, and a name that does not exist, are one warning that shows no secret")
    func nobody() async throws {
        for (host, reason) in [
            ("127.0.0.1:1", "the server refused the connection"),
            ("nowhere.invalid", "the server's name was not found"),
        ] {
            let url = "http://secretuser:secretpassword@\(host)/secretpath?secretquery=1"
            let notify = "{url: '\(url)', headers: {Authorization: secretheader}, events: success}"
            let warnings = try await warnings(notify, within: .seconds(2))
            #expect(warnings.count == 1)
            // A resolver without a network may take longer than the notification.
            let isTimeout = warnings.first?.contains("did not answer in time") == true
            #expect(
                isTimeout || warnings.first?.hasPrefix("\(host) was not notified of the success: \(reason); ") == true,
                "\(warnings)"
            )
            #expect(warnings.allSatisfy { !$0.contains("secret") })
        }
    }

    @Test("Of several receivers on one server, the warning says which failed")
    func several() async throws {
        try await LoopbackService.withService { request in
            LoopbackService.Reply(request.path == "/second" ? 404 : 200)
        } _: { service in
            let entries = ["first", "second"].map { "{url: '\(service.endpoint)/\($0)', events: success}" }
            let warnings = try await warnings("[\(entries.joined(separator: ", "))]")
            #expect(warnings.count == 1)
            let expected = "\(service.authority) (entry 2 of 'notify') was not notified of the success: "
            #expect(warnings.first?.hasPrefix(expected) == true, "\(warnings)")
            #expect(warnings.allSatisfy { !$0.contains("second") })
        }
    }

    @Test("http for a server with TLS, a wrong certificate and no TLS at all have words of their own")
    func kinds() {
        struct Failure: Error, CustomDebugStringConvertible { let debugDescription: String }
        func message(_ text: String) -> String {
            DeliveryFailure(Failure(debugDescription: text), to: "https://h/secret").message
        }
        #expect(message("… CERTIFICATE_VERIFY_FAILED …") == "the server's certificate is not trusted")
        #expect(
            message("NIOSSLExtraError.failedToValidateHostname") == "the server's certificate is for another host name"
        )
        #expect(message("sslError([WRONG_VERSION_NUMBER]) NIOSSL") == "no TLS connection to the server could be made")
        #expect(message("connect timed out") == "the server did not answer in time")
        #expect(message("secret") == "the server cannot be reached")
    }

    @Test(
        "A command that fails, hangs, or cannot be started is one warning without its arguments",
        arguments: [
            ("[/bin/sh, -c, 'exit 3; secret']", "/bin/sh", "it ended with exit code 3; run it by hand to see why"),
            ("[/bin/sh, -c, 'kill -9 $$; secret']", "/bin/sh", "signal 9 ended it; run it by hand to see why"),
            (
                "[no-such-program, secret]", "no-such-program",
                "it cannot be started; check its path under 'notify', and whether it can be executed"
            ),
            (
                "[/etc/passwd, secret]", "/etc/passwd",
                "it cannot be started; check its path under 'notify', and whether it can be executed"
            ),
        ]
    )
    func commands(command: String, name: String, problem: String) async throws {
        let warnings = try await warnings("{command: \(command), events: success}")
        #expect(warnings == ["the command \(name) was not notified of the success: \(problem)"])
    }

    @Test("A command that hangs is given up after the time limit")
    func hangingCommand() async throws {
        let start = ContinuousClock.now
        let warnings = try await warnings(
            "{command: [/bin/sh, -c, 'exec sleep 3600'], events: success}",
            within: .milliseconds(300)
        )
        #expect(
            warnings == [
                "the command /bin/sh was not notified of the success: it did not end in time, and was ended; run it by hand to "
                    + "see why"
            ]
        )
        // Without a limit it would wait for ever; a busy machine may take its time.
        #expect(ContinuousClock.now - start < .seconds(60))
    }

    @Test("A command is ended with what it has started, even if it ignores SIGTERM")
    func endedCommand() async throws {
        try await withTemporaryFolder { folder in
            let script = "trap '' TERM; sleep 3600 & echo $! >child; echo $$ >parent; wait; sleep 3600"
            let notify = "{command: [/bin/sh, -c, \"cd \(folder); \(script)\"], events: success}"
            let sending = Task { try await warnings(notify, within: .seconds(3_600)) }
            let files = ["child", "parent"].map { "\(folder)/\($0)" }
            func process(_ file: String) -> Int32? {
                (try? String(contentsOfFile: file, encoding: .utf8)).flatMap { Int32($0.dropLast()) }
            }
            try await poll("both run") { files.allSatisfy { process($0) != nil } }
            sending.cancel()
            #expect(try await sending.value.isEmpty)
            for id in files.compactMap(process) {
                try await poll("the process is gone") {
                    // Where nobody asks for the status of orphans they stay as zombies.
                    let state = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)
                    return state?.contains(") Z ") ?? true
                }
            }
        }
    }

    @Test("A command need not read its input, and what it prints is nowhere")
    func silentCommand() async throws {
        #expect(try await warnings("{command: ['true'], events: success}").isEmpty)
        #expect(
            try await warnings("{command: [/bin/sh, -c, 'exec <&-; seq 100000; seq 100000 >&2'], events: success}")
                .isEmpty
        )
    }

    @Test("A wait for a receiver ends at once and without a word when the user interrupts it")
    func interruption() async throws {
        try await LoopbackService.withService { _ in
            try? await Task.sleep(for: .seconds(3_600))
            return LoopbackService.Reply(503)
        } _: { service in
            let sending = Task {
                try await warnings("{url: '\(service.endpoint)', events: success}", within: .seconds(3_600))
            }
            try await poll("the end has arrived") { service.requests.count == 1 }
            sending.cancel()
            #expect(try await sending.value.isEmpty)
        }
    }

    @Test("The proxy that the environment names is used, and one that cannot be is a warning without its password")
    func proxy() async throws {
        let notify = "{url: 'http://chat.example.com/hook', events: success}"
        try await LoopbackService.withService { _ in
            LoopbackService.Reply(200)
        } _: { service in
            try await TunnelProxy.withProxy(to: service.endpoint) { proxy async throws in
                #expect(try await warnings(notify, variables: ["http_proxy": proxy.endpoint]).isEmpty)
                #expect(proxy.requests.count == 1)
                #expect(proxy.requests.allSatisfy { $0.hasPrefix("CONNECT chat.example.com:80 ") })
            }
            #expect(service.requests.map(\.target) == ["/hook"])
            #expect(service.requests.first?.headers["host"] == "chat.example.com")
        }
        let refused = try await warnings(notify, variables: ["http_proxy": "socks5://me:secret@proxy"])
        #expect(refused.count == 1)
        #expect(refused.allSatisfy { $0.contains("http_proxy") && !$0.contains("secret") })
    }
}

extension LoopbackService {
    /// The host and the port, as warnings name them.
    fileprivate var authority: String { endpoint.replacing("http://", with: "") }
}
