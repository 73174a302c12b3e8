import DatabudgieTestSupport
import Foundation
import Subprocess
import Testing

@Suite("Signals")
struct SignalTests {
    @Test(
        "cancel the query, remove the temporary file and end with 128 and their number",
        arguments: [(Signal.interrupt, Int32(130)), (.terminate, 143)]
    )
    func firstSignal(signal: Signal, code: Int32) async throws {
        try await Shop.with { shop in
            try shop.configure(
                """
                tables:
                  - public.products
                  - {name: public.sales, query: "select *, pg_sleep(0.5) from {table}"}
                """
            )
            let (status, lines) = try await interrupt(shop, with: [signal], after: #""table":"public.sales""#)
            #expect(status == code)
            #expect(lines.last?.contains(#""event":"interrupted""#) == true)
            #expect(lines.last?.contains(#""finished":1"#) == true)
            #expect(try shop.files().allSatisfy { $0.hasPrefix("backups/public.products/") })
            let running =
                "select count(*) from pg_stat_activity where query ilike 'copy%' and datname = current_database()"
            #expect(try await shop.value(running) == "0")
        }
    }

    @Test("end the program at once when a second one comes, even if the server does not answer")
    func secondSignal() async throws {
        try await Shop.with { shop in
            try shop.configure("tables: [{name: public.sales, query: 'select *, pg_sleep(0.5) from {table}'}]")
            let configuration = shop.program.configuration(["backup"])
            let result = try await run(configuration, input: .none, output: .discarded, error: .sequence) { execution in
                let backend = try await backend(exportingFrom: shop)
                // A server process that is stopped neither sends rows nor notices that its query is cancelled.
                #expect(kill(backend, SIGSTOP) == 0)
                defer { kill(backend, SIGCONT) }
                try execution.send(signal: .interrupt)
                for try await line in execution.standardError.strings() where line.contains("stopping") {
                    try execution.send(signal: .terminate)
                }
            }
            #expect(result.terminationStatus.shellCode == 143)
        }
    }

    /// Waits until the program's query runs, and returns the id of the server process that runs it.
    private func backend(exportingFrom shop: Shop) async throws -> pid_t {
        while true {
            let running = "select pid from pg_stat_activity where query ilike 'copy%' and datname = current_database()"
            if let process = try await shop.value(running).flatMap({ pid_t($0) }) { return process }
        }
    }

    /// Starts a backup, sends it signals when a line of its JSON output appears, and waits for its end.
    private func interrupt(
        _ shop: Shop,
        with signals: [Signal],
        after text: String
    ) async throws -> (status: Int32, lines: [String]) {
        let configuration = shop.program.configuration(["backup", "--log-format", "json"])
        let result = try await run(configuration, input: .none, output: .discarded, error: .sequence) { execution in
            var lines: [String] = []
            var isSent = false
            for try await line in execution.standardError.strings() {
                lines.append(line)
                guard !isSent, line.contains(#""event":"started""#), line.contains(text) else { continue }
                isSent = true
                for signal in signals { try execution.send(signal: signal) }
            }
            return lines
        }
        return (result.terminationStatus.shellCode, result.closureResult)
    }
}
