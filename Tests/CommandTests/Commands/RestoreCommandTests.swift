import DatabudgieTestSupport
import Foundation
import Testing

@Suite("The command restore")
struct RestoreCommandTests {
    @Test("Rows that are set aside are counted at the end, and the exit code says that not everything landed")
    func rejectedRows() async throws {
        try await Shop.with { shop in
            try shop.configure("truncate: true\nmax_rejects: 3\ntables: [public.sales]")
            #expect(try await shop.program.run("backup").status == 0)
            try await shop.execute("alter table sales add check (id < 499) not valid")
            let outcome = try await shop.program.run("restore")
            #expect(outcome.status == 1)
            #expect(outcome.errorLines.last?.hasPrefix("Restore finished with failures: 1 table, 498 rows, ") == true)
            #expect(outcome.errorLines.last?.contains(", 2 rows rejected in ") == true)
            #expect(outcome.error.contains("hint: see databudgie-rejects-"))
            let files = try shop.files().filter { $0.hasPrefix("databudgie-rejects-") }
            #expect(files.map { $0.split(separator: "/").last } == ["public.sales.csv", "public.sales.jsonl"])
            let csv = try String(contentsOfFile: shop.folder + "/" + files[0], encoding: .utf8)
            #expect(csv == "id,product_id\n499,100\n500,1\n")
            let json = try await shop.program.run("restore", "--log-format", "json")
            #expect(json.status == 1)
            #expect(json.errorLines.last?.contains("\"rejected\":2") == true)
            #expect(json.errorLines.last?.contains("\"status\":\"partial\"") == true)
            #expect(json.error.contains("\"reject_file\":\"databudgie-rejects-"))
        }
    }

    @Test("A table that does not fit its file fails, the others are restored, and it is named last")
    func failedTable() async throws {
        try await Shop.with { shop in
            try shop.configure("truncate: true\ntables: [public.sales, public.notes]")
            try await shop.execute("create table notes (id integer); insert into notes values (1)")
            #expect(try await shop.program.run("backup").status == 0)
            try await shop.execute("alter table sales drop column product_id; truncate notes")
            let sentence = "public.sales: the column \"product_id\" of backups/public.sales/"

            let dryRun = try await shop.program.run("restore", "--dry-run")
            #expect(dryRun.status == 1)
            #expect(dryRun.errors.first?.hasPrefix("databudgie: error: \(sentence)") == true)
            #expect(dryRun.output.contains("\npublic.notes  backups/public.notes/"))
            #expect(dryRun.output.split(separator: "\n").last?.hasPrefix("failed  \(sentence)") == true)
            #expect(dryRun.error.contains("Dry run of restore: 1 table would fail; nothing was written."))
            #expect(try await shop.value("select count(*) from notes") == "0")

            let strict = try await shop.program.run("restore", "--strict")
            #expect(strict.status == 1)
            #expect(strict.error.hasSuffix("databudgie: nothing was changed\n"))
            #expect(try await shop.value("select count(*) from notes") == "0")

            let restore = try await shop.program.run("restore")
            #expect(restore.status == 1)
            #expect(restore.errors.count == 1)
            #expect(restore.errorLines.dropLast().last?.hasPrefix("failed  \(sentence)") == true)
            #expect(restore.errorLines.last?.hasPrefix("Restore finished with failures: 1 table, 1 row, ") == true)
            #expect(try await shop.value("select count(*) from notes") == "1")
            #expect(try await shop.value("select count(*) from sales") == "500")

            let json = try await shop.program.run("restore", "--log-format", "json")
            #expect(json.status == 1)
            let failures = json.errorLines.filter { $0.contains("\"event\":\"failed\"") }
            #expect(failures.count == 1)
            #expect(failures.first?.contains("\"table\":\"public.sales\"") == true)
            #expect(json.errorLines.last?.contains("\"status\":\"partial\"") == true)
        }
    }
}
