import DatabudgieTestSupport
import Testing

@Suite("On a terminal")
struct TerminalSessionTests {
    /// Runs `databudgie backup` under `script`, which gives it a terminal, and returns what the terminal was sent.
    private func session(_ environment: [String: String], options: String = "") async throws -> String {
        var sent = ""
        try await Shop.with { shop in
            try shop.configure("tables: [{name: public.sales, query: 'select pg_sleep(0.3), * from {table} limit 1'}]")
            var program = shop.program
            program.environment = environment
            let line = "script --quiet --return --command 'databudgie backup \(options)' /dev/null </dev/null"
            let outcome = try await program.shell(line)
            #expect(outcome.status == 0, "\(outcome.output)")
            sent = outcome.output
        }
        return sent
    }

    @Test("A live display is drawn, and taken away at the end")
    func live() async throws {
        let sent = try await session(["TERM": "xterm"])
        #expect(sent.contains("0 of 1 table"))
        #expect(sent.contains("\u{1B}[J"))
        #expect(sent.contains("\u{1B}[32mBackup complete"))
    }

    @Test("NO_COLOR and --no-color remove the colours, but not the display")
    func noColor() async throws {
        for sent in [
            try await session(["TERM": "xterm", "NO_COLOR": "1"]),
            try await session(["TERM": "xterm"], options: "--no-color"),
        ] {
            #expect(sent.contains("0 of 1 table"))
            #expect(!sent.contains(/\u{1B}\[\d*m/))
        }
    }

    @Test("A dumb terminal gets plain lines")
    func dumb() async throws {
        let sent = try await session(["TERM": "dumb"])
        #expect(!sent.contains("\u{1B}"))
        #expect(sent.contains("public.sales: 1 row, "))
    }
}
