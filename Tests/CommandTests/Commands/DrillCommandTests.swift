import DatabudgieTestSupport
import Foundation
import Subprocess
import Testing

@Suite("Drills of the program", .timeLimit(.minutes(4)))
struct DrillCommandTests {
    // Sets of one second have databases of one name, but for what is random in it.
    @Test(
        "A signal in the middle of a restore removes the database of the drill",
        .serialized,
        arguments: [(Signal.interrupt, Int32(130)), (.terminate, 143)]
    )
    func signal(signal: Signal, code: Int32) async throws {
        try await Shop.with { shop in
            // Slow in the database of a drill alone.
            try await shop.execute(
                """
                create function slow(i int) returns int immutable language plpgsql as $$ begin
                    if current_database() like 'databudgie\\_drill\\_%' then perform pg_sleep(600); end if;
                    return i;
                end $$;
                create index on products (slow(id));
                """
            )
            try shop.configure("ddl: true\ntables: ['public.*']")
            #expect(try await shop.program.run("backup").status == 0)
            let name = try #require(
                try FileManager.default.contentsOfDirectory(atPath: "\(shop.folder)/backups/catalog").first
            )
            let id = name.prefix(19).lowercased().filter { $0 != "-" && $0 != ":" }
            let drill = "datname like 'databudgie\\_drill\\_\(id)%'"
            let configuration = shop.program.configuration(["verify", "--level", "restore"])
            let result = try await run(configuration, input: .none, output: .discarded, error: .discarded) {
                execution in
                let sleeping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and \(drill)"
                while try await shop.value(sleeping) == "0" { await Task.yield() }
                try execution.send(signal: signal)
            }
            #expect(result.terminationStatus.shellCode == code)
            #expect(try await shop.value("select count(*) from pg_database where \(drill)") == "0")
            #expect(
                !FileManager.default.fileExists(
                    atPath: "\(shop.folder)/backups/catalog/\(name.prefix(19)).verified.json"
                )
            )
        }
    }
}
