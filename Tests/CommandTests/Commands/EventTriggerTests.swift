import Testing

@Suite("Event triggers of the target")
struct EventTriggerTests {
    @Test("What an event trigger says of every definition is reported once, without what is missing for that reason")
    func refusals() async throws {
        try await Shop.with { shop in
            try shop.configure("ddl: true\ntables: ['public.*']")
            let backup = try await shop.program.run("backup")
            try #require(backup.status == 0, "\(backup.error)")
            try await shop.execute(
                """
                drop table sales, products;
                create function refuse() returns event_trigger language plpgsql as
                    $$ begin raise 'no definitions on Fridays'; end $$;
                create event trigger refuse on ddl_command_start when tag in ('CREATE TABLE') execute function refuse();
                """
            )
            let restore = try await shop.program.run("restore")
            #expect(restore.status == 1)
            #expect(restore.errors.count == 1, "\(restore.error)")
            #expect(restore.error.contains("no definitions on Fridays"))
            #expect(restore.error.contains("(and 1 similar)"))
            #expect(!restore.error.contains("does not exist"))
        }
    }
}
