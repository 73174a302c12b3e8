import DatabudgieTestSupport
import Foundation
import Testing

@Suite("restore --clean")
struct CleanCommandTests {
    /// A backup of the shop, and a table that it does not have.
    private func withBackup(_ body: (Shop) async throws -> Void) async throws {
        try await Shop.with { shop in
            try shop.configure("ddl: true\ntables: ['public.*']")
            let backup = try await shop.program.run("backup")
            try #require(backup.status == 0, "\(backup.error)")
            try await shop.execute("create table unlisted (id integer); delete from sales")
            try await body(shop)
        }
    }

    private let tables =
        "select string_agg(relname, ' ' order by relname) from pg_class where relkind = 'r' "
        + "and relnamespace = 'public'::regnamespace"

    @Test("Without --yes and without a terminal it is refused with 2, and nothing is changed")
    func refused() async throws {
        try await withBackup { shop in
            let outcome = try await shop.program.run("restore", "--clean")
            #expect(outcome.status == 2)
            #expect(outcome.error.contains("hint: pass --yes"))
            #expect(outcome.error.hasSuffix("databudgie: nothing was changed\n"))
            #expect(try await shop.value(tables) == "products sales unlisted")
            #expect(try await shop.value("select count(*) from sales") == "0")
        }
    }

    @Test("An answer other than yes at the terminal stops it with 1, and nothing is changed")
    func declined() async throws {
        try await withBackup { shop in
            let line = "script --quiet --return --command 'databudgie restore --clean' /dev/null <<<n"
            let outcome = try await shop.program.shell(line)
            #expect(outcome.status == 1, "\(outcome.output) \(outcome.error)")
            #expect(outcome.output.contains("This drops and re-creates the database "))
            #expect(outcome.output.contains(" and disconnects its sessions. Continue? [y/N] "))
            #expect(outcome.output.contains("not confirmed"))
            #expect(outcome.output.contains("databudgie: nothing was changed"))
            #expect(try await shop.value(tables) == "products sales unlisted")
        }
    }

    @Test("The question comes on the terminal when standard error is redirected, with its target escaped")
    func redirected() async throws {
        try await withBackup { shop in
            for (answer, status) in [("n", Int32(1)), ("y", 0)] {
                let line =
                    "script --quiet --return --command 'databudgie restore --clean 2>errors' /dev/null <<<\(answer)"
                let outcome = try await shop.program.shell(line)
                #expect(outcome.status == status, "\(outcome.output) \(outcome.error)")
                #expect(outcome.output.contains(" and disconnects its sessions. Continue? [y/N] "))
                let errors = try String(contentsOfFile: shop.folder + "/errors", encoding: .utf8)
                #expect(!errors.contains("Continue?"))
            }
            #expect(try await shop.value(tables) == "products sales")
            let odd = "host=\u{1B}[31m user=\u{202E}me dbname=x"
            let line = "script --quiet --return --command \"databudgie restore --clean -u '\(odd)'\" /dev/null <<<n"
            let outcome = try await shop.program.shell(line)
            #expect(
                outcome.output.contains("drops and re-creates the database postgresql://\\u{202E}me@\\u{1B}[31m/x and")
            )
        }
    }

    @Test("With --yes the database is re-created, with what the backup has")
    func confirmed() async throws {
        try await withBackup { shop in
            let outcome = try await shop.program.run("restore", "--clean", "--yes")
            #expect(outcome.status == 0, "\(outcome.error)")
            #expect(try await shop.value(tables) == "products sales")
            #expect(try await shop.value("select count(*) from sales") == "500")
        }
    }

    @Test("Without ddl it is refused with 2")
    func withoutDefinitions() async throws {
        try await withBackup { shop in
            let outcome = try await shop.program.run("restore", "--clean", "--yes", "--no-ddl")
            #expect(outcome.status == 2)
            #expect(try await shop.value(tables) == "products sales unlisted")
        }
    }
}
