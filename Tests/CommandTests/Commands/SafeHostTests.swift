import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@Suite("restore into hosts that are not safe")
struct SafeHostTests {
    private func withBackup(_ hosts: String, _ body: (Shop) async throws -> Void) async throws {
        try await Shop.with { shop in
            try shop.configure("truncate: true\ntables: [public.sales]\nsafe_hosts: \(hosts)")
            let backup = try await shop.program.run("backup")
            try #require(backup.status == 0, "\(backup.error)")
            try await shop.execute("delete from sales where id > 1")
            try await body(shop)
        }
    }

    private func restore(_ answer: String) -> String {
        "script --quiet --return --command 'databudgie restore' /dev/null <<<\(answer)"
    }

    @Test("Without a terminal it is refused with 2, and nothing is changed")
    func refused() async throws {
        try await withBackup("[localhost, '*.dev.example.com']") { shop in
            let outcome = try await shop.program.run("restore")
            #expect(outcome.status == 2)
            #expect(outcome.errors.count == 1)
            let host = try #require(shop.parameters.keywords["host"])
            let database = try #require(shop.parameters.keywords["dbname"])
            #expect(
                outcome.errors.first?.hasPrefix(
                    "databudgie: error: there is no terminal to ask for a confirmation: this restores into the database "
                        + "\(database) at \(host), port "
                ) == true
            )
            #expect(
                outcome.error.contains(", which 'safe_hosts' does not list, and replaces all rows of public.sales\n")
            )
            #expect(outcome.error.contains("hint: pass --yes"))
            #expect(outcome.error.hasSuffix("databudgie: nothing was changed\n"))
            #expect(try await shop.value("select count(*) from sales") == "1")
        }
    }

    @Test("With --yes, or for a host that is listed, it is restored without a question")
    func confirmed() async throws {
        try await withBackup("[localhost]") { shop in
            let outcome = try await shop.program.run("restore", "--yes")
            #expect(outcome.status == 0, "\(outcome.error)")
            #expect(try await shop.value("select count(*) from sales") == "500")
        }
        try await withBackup("['/*']") { shop in
            let outcome = try await shop.program.run("restore")
            #expect(outcome.status == 0, "\(outcome.error)")
            #expect(try await shop.value("select count(*) from sales") == "500")
        }
    }

    @Test("A dry run asks nothing")
    func dryRun() async throws {
        try await withBackup("[]") { shop in
            let outcome = try await shop.program.run("restore", "--dry-run")
            #expect(outcome.status == 0, "\(outcome.error)")
            #expect(!outcome.error.contains("safe_hosts"))
        }
    }

    @Test("The answer at the terminal decides, once the files are checked")
    func answered() async throws {
        try await withBackup("[]") { shop in
            let declined = try await shop.program.shell(restore("n"))
            #expect(declined.status == 1, "\(declined.output)")
            #expect(declined.output.contains("and replaces all rows of public.sales. Continue? [y/N] "))
            #expect(declined.output.contains("not confirmed"))
            #expect(declined.output.contains("databudgie: nothing was changed"))
            #expect(try await shop.value("select count(*) from sales") == "1")
            let accepted = try await shop.program.shell(restore("y"))
            #expect(accepted.status == 0, "\(accepted.output)")
            #expect(accepted.output.contains("Continue? [y/N] "))
            #expect(try await shop.value("select count(*) from sales") == "500")
        }
    }

    @Test("A signal while the question is open ends the restore, which has changed nothing")
    func interrupted() async throws {
        try await withBackup("[]") { shop in
            // The terminal's input stays open: there is no answer.
            let line = """
                mkfifo input; exec 3<>input
                script --quiet --flush --return --command 'echo $$ >pid; exec databudgie restore' typescript <input &
                until grep -q 'Continue' typescript 2>/dev/null; do :; done
                kill -TERM $(cat pid); wait $!
                """
            let outcome = try await shop.program.shell(line)
            #expect(outcome.status == 143, "\(outcome.output) \(outcome.error)")
            let typescript = try String(contentsOfFile: shop.folder + "/typescript", encoding: .utf8)
            #expect(typescript.contains("no tables were restored"))
            #expect(try await shop.value("select count(*) from sales") == "1")
        }
    }
}
