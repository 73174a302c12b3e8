import DatabudgieTestSupport
import Foundation
import Testing

@Suite("databudgie backup and restore")
struct BackupCommandTests {
    @Test("A backup writes files and says so on standard error, a restore loads them, and both end with 0")
    func roundTrip() async throws {
        try await Shop.with { shop in
            try shop.configure("compression: gzip\ntruncate: true\ntables: [public.*]")
            let backup = try await shop.program.run("backup")
            #expect(backup.status == 0, "\(backup.error)")
            #expect(backup.output.isEmpty)
            #expect(backup.error.contains("public.products: 100 rows, "))
            #expect(backup.error.contains("Backup complete: 2 tables, 600 rows, "))
            #expect(try shop.files().count == 2)
            try await shop.execute("delete from sales; delete from products where id > 50")
            let restore = try await shop.program.run("restore")
            #expect(restore.status == 0, "\(restore.error)")
            #expect(restore.error.contains("Restore complete: 2 tables, 600 rows, "))
            #expect(try await shop.value("select count(*) from sales") == "500")
        }
    }

    @Test("--stats prints the table of results to standard output")
    func statistics() async throws {
        try await Shop.with { shop in
            try shop.configure("tables: [public.*]")
            let outcome = try await shop.program.run("backup", "--stats")
            #expect(outcome.status == 0)
            #expect(outcome.output.contains(/public\.products +100 +/))
            #expect(!outcome.output.contains("\u{1B}"))
            #expect(!outcome.error.contains("CSV size"))
        }
    }

    @Test("A dry run writes nothing, and prints what would come out")
    func dryRun() async throws {
        try await Shop.with { shop in
            try shop.configure("tables: [public.*]")
            let outcome = try await shop.program.run("--dry-run", "backup")
            #expect(outcome.status == 0)
            #expect(outcome.output.contains(/public\.sales +500 +/))
            #expect(outcome.error.contains("nothing was written"))
            #expect(try shop.files().isEmpty)
        }
    }

    @Test("A dry run of a restore shows what it would read")
    func restoreDryRun() async throws {
        try await Shop.with { shop in
            try shop.configure("tables: [public.*]\ntruncate: true")
            _ = try await shop.program.run("backup")
            try await shop.execute("delete from sales")
            let outcome = try await shop.program.run("--dry-run", "restore")
            #expect(outcome.status == 0, "\(outcome.error)")
            #expect(outcome.output.contains(/public\.sales .*backups\/public\.sales\/.*\.csv/))
            #expect(try await shop.value("select count(*) from sales") == "0")
        }
    }

    @Test("A dry run of a restore shows how many sequences it would set")
    func restoreDryRunSequences() async throws {
        try await Shop.with { shop in
            try shop.configure("tables: [products, numbered]")
            try await shop.execute("create table numbered (id serial, other int generated always as identity)")
            _ = try await shop.program.run("backup")
            let outcome = try await shop.program.run("--dry-run", "restore")
            #expect(outcome.output.contains(/table +sequences  file/))
            #expect(outcome.output.contains(/public\.numbered +2  backups/), "\(outcome.output)")
            #expect(outcome.output.contains(/public\.products {3,}backups/))
        }
    }

    @Test("--log-format json writes JSON objects to standard error and nothing else")
    func json() async throws {
        try await Shop.with { shop in
            try shop.configure("tables: [public.*]")
            let outcome = try await shop.program.run("backup", "--log-format", "json")
            #expect(outcome.status == 0)
            let events = try outcome.errorLines.map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
            #expect(events.first?["event"] as? String == "planned")
            #expect(events.last?["event"] as? String == "summary")
            #expect(events.last?["rows"] as? Int == 600)
        }
    }

    @Test("A run continues after a table that fails, names it last, and ends with 1")
    func failedTable() async throws {
        try await Shop.with { shop in
            try shop.configure(
                """
                tables:
                  - {name: public.products, query: "select id, 1 / (id - 7) from {table}"}
                  - public.sales
                """
            )
            let outcome = try await shop.program.run("backup")
            #expect(outcome.status == 1)
            #expect(outcome.error.contains("databudgie: error: public.products: "))
            #expect(outcome.error.contains("division by zero"))
            #expect(outcome.error.contains("Backup finished with failures: 1 table, 500 rows, "))
            #expect(try shop.files().allSatisfy { $0.hasPrefix("backups/public.sales/") })
        }
    }

    @Test("A server that cannot be reached is reported once, and ends with 1")
    func unreachableServer() async throws {
        try await withTemporaryFolder { folder in
            let outcome = try await Program(folder: folder).run(
                "backup",
                "-t",
                "public.x",
                "--url",
                "postgresql://nobody:hidden@127.0.0.1:1/nothing"
            )
            #expect(outcome.status == 1)
            #expect(outcome.errors.count == 1)
            #expect(outcome.error.hasPrefix("databudgie: error: "))
            #expect(!outcome.error.contains("hidden"))
            #expect(outcome.error.contains("\n  hint: check host and port, and that the server runs and listens there"))
        }
    }

    @Test("A database that does not exist is reported once, and ends with 1")
    func missingDatabase() async throws {
        try await Shop.with { shop in
            let url = shop.url + " dbname=no_such_database"
            let outcome = try await shop.program.run("backup", "-t", "public.x", "--url", url)
            #expect(outcome.status == 1)
            #expect(outcome.errors.count == 1)
            #expect(outcome.error.contains("no_such_database"))
        }
    }

    @Test("A table's name is never sent to the terminal raw")
    func hostileName() async throws {
        try await Shop.with { shop in
            try await shop.execute("create table \"evil\u{1B}[31m\nname\" (id integer)")
            try shop.configure("tables: [public.evil*]")
            let outcome = try await shop.program.run("backup", "-v")
            #expect(outcome.status == 0, "\(outcome.error)")
            #expect(!outcome.error.contains("\u{1B}"))
            #expect(outcome.error.contains("public.evil\\u{1B}[31m\\nname: 0 rows"))
        }
    }
}
