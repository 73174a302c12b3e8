import DatabudgieTestSupport
import Foundation
import Postgres
import Subprocess
import SystemPackage
import Testing

@Suite("Signals")
struct SignalTests {
    @Test(
        "A signal cancels the query, removes the temporary file and ends with 128 and its number",
        arguments: [(Signal.interrupt, Int32(130)), (.terminate, 143), (.terminalClosed, 129)]
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

    @Test("The end of the terminal does not end a run under nohup")
    func ignoredHangup() async throws {
        try await Shop.with { shop in
            try shop.configure(
                "tables: [{name: public.sales, query: 'select *, pg_advisory_lock_shared(7)::text from {table}'}]"
            )
            let line = "trap '' HUP; exec '\(Program.path)' backup"
            let configuration = shop.program.configuration(["-c", line], executable: "/bin/bash")
            try await Connection.withConnection(to: shop.parameters) { gate in
                try await gate.execute("select pg_advisory_lock(7)")
                let result = try await run(configuration, input: .none, output: .discarded, error: .discarded) {
                    execution in
                    // It cannot end before the gate opens.
                    try await shop.waitUntilRunning("pg_advisory_lock_shared")
                    try execution.send(signal: .terminalClosed)
                    try await gate.execute("select pg_advisory_unlock(7)")
                }
                #expect(result.terminationStatus.shellCode == 0)
            }
            #expect(try shop.files().count == 1)
        }
    }

    @Test("A second signal ends the program at once, even if the server does not answer")
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
                for try await line in execution.standardError.strings() where line.contains("cleaning up") {
                    try execution.send(signal: .terminate)
                }
            }
            #expect(result.terminationStatus.shellCode == 143)
        }
    }

    @Test("A second signal ends the program even if the reader of standard error has stopped reading")
    func stalledReader() async throws {
        try await Shop.with { shop in
            try shop.configure("tables: [{name: public.sales, query: 'select *, pg_sleep(0.5) from {table}'}]")
            let (reader, writer) = try FileDescriptor.pipe()
            defer {
                try? reader.close()
                try? writer.close()
            }
            try fill(writer)
            let result = try await run(
                shop.program.configuration(["backup"]),
                input: .none,
                output: .discarded,
                error: .fileDescriptor(writer, closeAfterSpawningProcess: false)
            ) { execution in
                _ = try await backend(exportingFrom: shop)
                try execution.send(signal: .interrupt)
                // The first signal has done its work when the query is cancelled.
                while try await shop.value(running) != nil { await Task.yield() }
                try execution.send(signal: .terminate)
            }
            #expect(result.terminationStatus.shellCode == 143)
        }
    }

    /// Fills a pipe, so whoever writes to it waits for a reader.
    private func fill(_ writer: FileDescriptor) throws {
        try #require(fcntl(writer.rawValue, F_SETFL, O_NONBLOCK) == 0)
        #expect(throws: Errno.wouldBlock) {
            while true { try writer.writeAll([UInt8](repeating: 0, count: 1)) }
        }
        try #require(fcntl(writer.rawValue, F_SETFL, 0) == 0)
    }

    private let running =
        "select pid from pg_stat_activity where query ilike 'copy%' and datname = current_database() "
        + "and state = 'active'"

    /// Waits until the program's query runs, and returns the id of the server process that runs it.
    private func backend(exportingFrom shop: Shop) async throws -> pid_t {
        while true {
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
