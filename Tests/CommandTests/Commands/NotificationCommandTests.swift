import DatabudgieTestSupport
import Foundation
import Postgres
import Subprocess
import SystemPackage
import Testing

@Suite("Notifications", .timeLimit(.minutes(4)))
struct NotificationCommandTests {
    @Test(
        "A run that a signal ends notifies its failure, and ends with 128 and the signal's number",
        arguments: [(Signal.interrupt, Int32(130)), (.terminate, 143)]
    )
    func signal(signal: Signal, code: Int32) async throws {
        try await Shop.with { shop in
            try await LoopbackService.withService { _ in
                LoopbackService.Reply(200)
            } _: { service in
                try shop.configure(
                    """
                    notify: {healthchecks: "\(service.endpoint)/check"}
                    tables: [{name: public.sales, query: "select *, pg_advisory_lock_shared(7)::text from {table}"}]
                    """
                )
                try await Connection.withConnection(to: shop.parameters) { gate in
                    try await gate.execute("select pg_advisory_lock(7)")
                    let configuration = shop.program.configuration(["backup"])
                    let result = try await run(configuration, input: .none, output: .discarded, error: .discarded) {
                        execution in
                        try await shop.waitUntilRunning("pg_advisory_lock_shared")
                        try execution.send(signal: signal)
                    }
                    #expect(result.terminationStatus.shellCode == code)
                }
                #expect(service.requests.map(\.path) == ["/check/start", "/check/fail"])
                #expect(service.requests.last?.body.contains(#""status":"interrupted""#) == true)
            }
        }
    }

    @Test("A notification that is not delivered is a warning in one line, and the exit code is that of the run")
    func trouble() async throws {
        try await Shop.with { shop in
            try await LoopbackService.withService { _ in
                LoopbackService.Reply(404)
            } _: { service in
                try shop.configure(
                    "notify: {url: '\(service.endpoint)/secret', events: [success, failure]}\ntables: [public.sales]"
                )
                let outcome = try await shop.program.run("backup")
                #expect(outcome.status == 0)
                let server = service.endpoint.replacing("http://", with: "")
                let warning = """
                    databudgie: warning: \(server) was not notified of the success: the server answered with status 404
                      hint: check its URL under 'notify' and its headers

                    """
                #expect(outcome.error.contains(warning))
                #expect(outcome.error.contains("Backup complete: 1 table, 500 rows"))
                #expect(!outcome.error.contains("secret"))
                let failed = try await shop.program.run("backup", "-u", "postgresql://127.0.0.1:1/shop")
                #expect(failed.status == 1)
                #expect(failed.error.contains("databudgie: warning: \(server) was not notified of the failure: "))
                #expect(service.requests.count == 2)
                #expect(service.requests.last?.body.contains(#""database":"shop""#) == true)
                let dry = try await shop.program.run("backup", "--dry-run")
                #expect(dry.status == 0)
                #expect(service.requests.count == 2)
            }
        }
    }

    @Test("A mistake is an error with its line, and config prints no address")
    func configuration() async throws {
        try await Shop.with { shop in
            try shop.configure("notify:\n  - healthchecks: secret\ntables: [public.sales]")
            let refused = try await shop.program.run("backup")
            #expect(refused.status == 2)
            #expect(
                refused.error == """
                    databudgie: error: databudgie.yml:3: 'healthchecks' in 'notify' is not a URL
                      hint: write it as https://host/path

                    """
            )
            try shop.configure("notify: {healthchecks: 'https://hc-ping.com/hidden'}\ntables: [public.sales]")
            let printed = try await shop.program.run("config")
            #expect(printed.output.contains("- healthchecks: https://hc-ping.com/***"))
            #expect(!printed.output.contains("hidden"))
        }
    }
}
