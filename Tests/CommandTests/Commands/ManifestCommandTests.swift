import DatabudgieTestSupport
import Foundation
import Postgres
import Subprocess
import Testing

@Suite("Manifests on the command line")
struct ManifestCommandTests {
    private let recorded = "select string_agg(action || transaction || ' ' || \"table\", ', ' order by id) from m"

    @Test("The table is created where the backup or the restore will look for it, once")
    func create() async throws {
        try await Shop.with { shop in
            try shop.configure("manifest: audit")
            let created = try await shop.program.run("manifest", "create")
            #expect(created.status == 0)
            #expect(created.output == "The manifest table public.audit was created.\n")
            let again = try await shop.program.run("manifest", "create", "--for", "restore")
            #expect(again.status == 0)
            #expect(again.output == "The manifest table public.audit already exists and can be used.\n")
        }
    }

    @Test("The table's name and the database can be given, before or after the command's name")
    func options() async throws {
        try await Shop.with { shop in
            let outcome = try await shop.program.run("--url", shop.url, "manifest", "create", "--table", "public.m")
            #expect(outcome.status == 0)
            #expect(outcome.error.isEmpty)
            #expect(try await shop.value("select count(*) from m") == "0")
        }
    }

    @Test("A table that does not fit is an error with 1, a missing or invalid name is one with 2")
    func refusals() async throws {
        try await Shop.with { shop in
            try shop.configure("")
            let misfit = try await shop.program.run("manifest", "create", "-t", "products")
            #expect(misfit.status == 1)
            #expect(misfit.error.contains("public.products already exists and cannot be used as a manifest"))
            #expect(misfit.error.contains("has no column \"transaction\""))
            let none = try await shop.program.run("manifest", "create")
            #expect(none.status == 2)
            #expect(none.error.contains("no manifest is named"))
            let bad = try await shop.program.run("manifest", "create", "--table", "a.b.c")
            #expect(bad.status == 2)
            let two = try await shop.program.run("manifest", "create", "--table", "a", "--table", "b")
            #expect(two.status == 2)
            #expect(two.error.contains("--table can be given once"))
        }
    }

    @Test("An id without a manifest is refused before anything is begun", arguments: ["backup", "restore"])
    func idWithoutManifest(command: String) async throws {
        let outcome = try await Program().run(
            command,
            "--\(command)-id=1",
            "--url",
            "postgresql://nowhere.invalid/x",
            "-t",
            "a"
        )
        #expect(outcome.status == 2)
        #expect(outcome.error.contains("--\(command)-id has no effect without a manifest"))
    }

    @Test("A run says how to resume it")
    func announcement() async throws {
        try await Shop.with { shop in
            try shop.configure("manifest: m\ntables: [products]")
            let missing = try await shop.program.run("backup")
            #expect(missing.status == 1)
            #expect(missing.error.contains("create it by 'databudgie manifest create'"))
            #expect(try shop.files().isEmpty)
            _ = try await shop.program.run("manifest", "create")
            let outcome = try await shop.program.run("backup")
            #expect(outcome.status == 0)
            #expect(
                outcome.error.contains(
                    "databudgie: recording this run as backup 1 in public.m; resume it with --backup-id 1"
                )
            )
            let json = try await shop.program.run("restore", "--log-format", "json")
            // The set is named first.
            #expect(json.errorLines.first?.contains(#""event":"restoring""#) == true)
            let recording = json.errorLines.dropFirst().first
            #expect(recording?.hasPrefix(#"{"action":"restore","event":"recording","manifest":"public.m","#) == true)
            #expect(recording?.contains(#""transaction":2}"#) == true)
        }
    }

    @Test("A backup that was killed is resumed by its id: every table is recorded once")
    func killedBackup() async throws {
        try await Shop.with { shop in
            try shop.configure(
                """
                manifest: m
                tables:
                  - public.products
                  - {name: public.sales, query: "select *, pg_advisory_xact_lock(42)::text as gate from {table}"}
                  - public.stock
                """
            )
            try await shop.execute("create table stock (id integer)")
            _ = try await shop.program.run("manifest", "create")
            try await kill(shop, "backup", blockedBy: "select pg_advisory_lock(42)", finished: 1)
            #expect(try await shop.value(recorded) == "backup1 public.products")
            let files = try shop.files().filter { $0.hasSuffix(".csv") }
            #expect(files.count == 1)

            let outcome = try await shop.program.run("backup", "--backup-id", "1")
            #expect(outcome.status == 0)
            #expect(outcome.error.contains("public.products: skipped: "))
            let all = "backup1 public.products, backup1 public.sales, backup1 public.stock"
            #expect(try await shop.value(recorded) == all)
            let paths = try await shop.value("select string_agg(file_path, ' ' order by file_path) from m")
            #expect(paths == (try shop.files().filter { $0.hasSuffix(".csv") }).joined(separator: " "))
        }
    }

    @Test("A restore that was killed is resumed by its id: every row is there once", arguments: [true, false])
    func killedRestore(truncate: Bool) async throws {
        try await Shop.with { shop in
            try shop.configure("manifest: m\nrestore: {truncate: \(truncate)}\ntables: ['public.*']")
            try await shop.execute("create table stock (id integer); insert into stock select generate_series(1, 50)")
            _ = try await shop.program.run("manifest", "create")
            _ = try await shop.program.run("backup")
            if !truncate { try await shop.execute("truncate products, sales, stock") }
            try await kill(shop, "restore", blockedBy: "lock table stock", finished: 2)
            let half =
                "backup1 public.products, backup1 public.sales, backup1 public.stock, "
                + "restore2 public.products, restore2 public.sales"
            #expect(try await shop.value(recorded) == half)

            let outcome = try await shop.program.run("restore", "--restore-id", "2")
            #expect(outcome.status == 0)
            #expect(outcome.error.contains("public.sales: skipped: "))
            #expect(try await shop.value(recorded) == half + ", restore2 public.stock")
            for (table, count) in [("products", "100"), ("sales", "500"), ("stock", "50")] {
                #expect(try await shop.value("select count(*) from \(table)") == count)
            }
        }
    }

    /// Runs the program until it waits for a lock that the statement takes, kills it, and waits for the server to notice.
    private func kill(_ shop: Shop, _ command: String, blockedBy lock: String, finished: Int) async throws {
        try await Connection.withConnection(to: shop.parameters) { blocker in
            try await blocker.withTransaction { blocker in
                try await blocker.execute(lock)
                let configuration = shop.program.configuration([command, "--log-format", "json"])
                let result = try await run(configuration, input: .none, output: .discarded, error: .sequence) {
                    execution in
                    var count = 0
                    for try await line in execution.standardError.strings() {
                        guard line.contains(#""event":"finished""#) else { continue }
                        count += 1
                        guard count == finished else { continue }
                        try await poll(shop, "wait_event_type = 'Lock'", is: "1")
                        try execution.send(signal: .kill)
                    }
                }
                #expect(result.terminationStatus.shellCode == 137)
            }
        }
        try await poll(shop, "pid <> pg_backend_pid() and backend_type = 'client backend'", is: "0")
    }

    /// Waits for a number of server processes in a state.
    private func poll(_ shop: Shop, _ state: String, is count: String) async throws {
        let query = "select count(*) from pg_stat_activity where datname = current_database() and \(state)"
        while try await shop.value(query) != count { await Task.yield() }
    }
}
