import DatabudgieTestSupport
import Foundation
import Postgres
import Subprocess
import SystemPackage
import Testing

@Suite("Signals", .timeLimit(.minutes(4)))
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
                "select count(*) from pg_stat_activity where query ~* '(^|; )copy' and datname = current_database()"
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

    @Test(
        "One signal is enough in the middle of a COPY of which the server sends no more",
        arguments: ["null", "gzip", "zstd"]
    )
    func silentCopy(compression: String) async throws {
        try await Shop.with { shop in
            // Several chunks, and then nothing.
            try shop.configure(
                """
                compression: \(compression)
                tables:
                  - name: public.sales
                    query: >
                      select n, repeat(md5(n::text), 40),
                      case when n = 3000 then pg_advisory_lock_shared(7)::text end as gate
                      from generate_series(1, 4000) n
                """
            )
            try await Connection.withConnection(to: shop.parameters) { gate in
                try await gate.execute("select pg_advisory_lock(7)")
                let status = try await interruptedStatus(shop, shop.program.configuration(["backup"])) {
                    while try await shop.value(Self.waiting) == nil { await Task.yield() }
                }
                #expect(status == 130)
            }
            #expect(try shop.files().isEmpty)
            #expect(try await shop.value(running) == nil)
        }
    }

    @Test(
        "One signal is enough when the server is gone without a word, or when nobody hears the request to cancel",
        arguments: [SilentProxy.Mode.swallowing, .losingRequests, .stalled]
    )
    func silentServer(mode: SilentProxy.Mode) async throws {
        try await Shop.with { shop in
            try await SilentProxy.withProxy(to: shop.parameters) { proxy in
                try shop.configure(
                    "tables: [{name: public.sales, query: 'select *, pg_advisory_lock_shared(7)::text from {table}'}]"
                )
                let url = proxy.parameters.connectionString
                try await Connection.withConnection(to: shop.parameters) { gate in
                    try await gate.execute("select pg_advisory_lock(7)")
                    let status = try await interruptedStatus(shop, shop.program.configuration(["backup", "-u", url])) {
                        while try await shop.value(Self.waiting) == nil { await Task.yield() }
                        proxy.become(mode)
                    }
                    #expect(status == 130)
                }
                #expect(try shop.files().isEmpty)
            }
        }
    }

    @Test("One signal is enough while a restore sends rows to a server that does not read them")
    func silentRestore() async throws {
        try await Shop.with { shop in
            try shop.configure("tables: [{name: public.sales, location: sales}]")
            _ = try await shop.program.run("backup")
            try await shop.execute(
                """
                create function wait() returns trigger language plpgsql as
                    'begin perform pg_advisory_xact_lock_shared(7); return new; end';
                delete from sales;
                create trigger wait before insert on sales for each row execute function wait();
                """
            )
            try await SilentProxy.withProxy(to: shop.parameters) { proxy in
                let url = proxy.parameters.connectionString
                try await Connection.withConnection(to: shop.parameters) { gate in
                    try await gate.execute("select pg_advisory_lock(7)")
                    let status = try await interruptedStatus(shop, shop.program.configuration(["restore", "-u", url])) {
                        while try await shop.value(Self.waiting) == nil { await Task.yield() }
                        proxy.become(.losingRequests)
                    }
                    #expect(status == 130)
                }
            }
            #expect(try await shop.value("select count(*) from sales") == "0")
        }
    }

    @Test(
        "One signal is enough while pg_dump or a command for credentials hangs",
        arguments: ["pg_dump", "credentials"]
    )
    func hangingProgram(program: String) async throws {
        try await Shop.with { shop in
            let script = shop.folder + "/bin/pg_dump"
            try FileManager.default.createDirectory(atPath: shop.folder + "/bin", withIntermediateDirectories: true)
            let text = """
                #!/bin/sh
                case "$1" in --version) echo 'pg_dump (PostgreSQL) 99.1'; exit;; esac
                touch '\(shop.folder)/started'
                exec sleep 600
                """
            try Data(text.utf8).write(to: URL(filePath: script))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
            try FileManager.default.createDirectory(atPath: shop.folder + "/.aws", withIntermediateDirectories: true)
            try Data("[profile p]\ncredential_process = '\(script)'\n".utf8)
                .write(to: URL(filePath: shop.folder + "/.aws/config"))
            try shop.configure(
                program == "pg_dump"
                    ? "ddl: true\ntables: [public.sales]"
                    : "location: s3://bucket/x\ns3: {profile: p, region: r}\ntables: [public.sales]"
            )
            var runner = shop.program
            runner.environment["PATH"] =
                shop.folder + "/bin:" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
            let status = try await interruptedStatus(shop, runner.configuration(["backup"])) {
                while !FileManager.default.fileExists(atPath: shop.folder + "/started") { await Task.yield() }
            }
            #expect(status == 130)
        }
    }

    /// Starts the program, sends it SIGINT when a condition is met, and waits for its end.
    private func interruptedStatus(
        _ shop: Shop,
        _ configuration: Subprocess.Configuration,
        when condition: @escaping () async throws -> Void
    ) async throws -> Int32 {
        let result = try await run(configuration, input: .none, output: .discarded, error: .discarded) { execution in
            try await condition()
            try execution.send(signal: .interrupt)
        }
        return result.terminationStatus.shellCode
    }

    private static let waiting =
        "select l.pid from pg_locks l join pg_database d on d.oid = l.database "
        + "where d.datname = current_database() and l.locktype = 'advisory' and not l.granted limit 1"

    @Test("One signal ends the program even if the reader of standard error has stopped reading")
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
            }
            #expect(result.terminationStatus.shellCode == 130)
            #expect(try await shop.value(running) == nil)
            #expect(try shop.files().isEmpty)
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
        "select pid from pg_stat_activity where query ~* '(^|; )copy' and datname = current_database() "
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
