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
                "select count(*) from pg_stat_activity where query like 'COPY%' and datname = current_database()"
            #expect(try await shop.value(running) == "0")
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
