import Foundation
import Postgres
import Subprocess
import SystemPackage
import Testing

/// What a user sees of a session: command lines, everything that they print, and their exit codes.
///
/// What differs from run to run is replaced: times, durations, speeds, the server's address and the database's name.
struct Transcript {
    /// The text so far.
    private(set) var text = ""
    private let program: Program
    private let shop: Shop?

    /// A session in a shop's folder.
    init(_ shop: Shop) {
        self.init(shop.program, shop)
    }

    /// A session in a folder without a database.
    init(_ program: Program, _ shop: Shop? = nil) {
        self.program = program
        self.shop = shop
    }

    /// Runs a command line to its end, without standard input.
    mutating func run(_ line: String) async throws {
        let outcome = try await program.shell("\(line) 2>&1 </dev/null")
        append(line, outcome.output, status: outcome.status)
    }

    /// Runs a command line, and sends it SIGINT when the server runs a query that contains a text.
    mutating func interrupt(_ line: String, whenServerRuns query: String) async throws {
        let shop = try #require(shop)
        let directory = Program.path.removingLastComponent()
        let configuration = program.configuration(
            ["-c", "PATH='\(directory)':$PATH; exec \(line) 2>&1"],
            executable: "/bin/bash"
        )
        let result = try await Subprocess.run(
            configuration,
            input: .none,
            output: .sequence,
            error: .discarded
        ) { execution in
            async let _: Void = {
                try await shop.waitUntilRunning(query)
                try execution.send(signal: .interrupt)
            }()
            var lines: [String] = []
            for try await line in execution.standardOutput.strings() { lines.append(line) }
            // When the program ends by itself the wait is cancelled with the scope, and the text shows what it did.
            return lines
        }
        let output = result.closureResult.map { $0.hasSuffix("\n") ? $0 : $0 + "\n" }.joined()
        append(line, output, status: result.terminationStatus.shellCode)
    }

    /// Shows a file as `cat` would.
    mutating func show(_ file: String) async throws {
        try await run("cat \(file)")
    }

    private mutating func append(_ line: String, _ output: String, status: Int32) {
        text += "$ \(line)\n" + normalised(output)
        if !text.hasSuffix("\n") { text += "\n" }
        if status != 0 { text += "[exit code \(status)]\n" }
    }

    private func normalised(_ output: String) -> String {
        var text = output.replacing(program.folder, with: "/home/me/shop")
        if let shop {
            let address = shop.parameters.keywords
            if let database = address["dbname"] { text = text.replacing(database, with: "shop") }
            if let host = address["host"] { text = text.replacing(host, with: "/run/postgresql") }
            if let port = address["port"] {
                text = text.replacing("PGSQL.\(port)", with: "PGSQL.5432").replacing(":\(port)", with: ":5432")
            }
        }
        return
            text
            // How many of them there are depends on the machine.
            .replacing(/\{[^\n]*"event":"progressed"[^\n]*\n/, with: "")
            .replacing(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/, with: "2026-01-02T03:04:05")
            .replacing(
                /system \d+, snapshot [0-9:,]+, WAL [0-9A-F]+\/[0-9A-F]+/,
                with: "system 7, snapshot 749:749:, WAL 0/19"
            )
            .replacing(/SHA-256 [0-9a-f]{64}/, with: "SHA-256 0f1e…")
            .replacing(/Postgres \d+(\.\d+|[a-z]+\d*)/, with: "Postgres 15.18")
            .replacing(/:05Z, after (\d+ min \d+ s|[0-9.]+ s)/, with: ":05Z, within a second")
            .replacing(#/2026-01-02T03:04:05 +\d+ (s|min)  /#, with: "2026-01-02T03:04:05  5 s  ")
            .replacing(#/\(\d+ (s|min) old, /#, with: "(5 s old, ")
            .replacing(#/, \d+ (s|min) old\n/#, with: ", 5 s old\n")
            .replacing(#/\d[0-9,.]* [kMGTP]?B free/#, with: "40.0 GB free")
            .replacing(#/the last set has [0-9.]+ k?B there/#, with: "the last set has 4.9 kB there")
            .replacing(
                #/pg_restore \d+ can dump a server of version \d+/#,
                with: "pg_restore 15 can dump a server of version 15"
            )
            // ISA-L compresses a little differently where the processor has AVX-512.
            .replacing(/\b44[79] B/, with: "447 B").replacing(/\b9(79|81) B/, with: "979 B")
            .replacing(/"seconds":[0-9.]+/, with: #""seconds":0.1"#)
            .replacing(/in (\d+ min \d+ s|[0-9.]+ m?s)/, with: "in 0.1 s")
            .replacing(#/ +time +MB/s\n/#, with: "   time  MB/s\n")
            .replacing(#/ +(\d+ min \d+ s|[0-9.]+ m?s) +([0-9.]+|-)\n/#, with: "  0.1 s   1.0\n")
    }
}
