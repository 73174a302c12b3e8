import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Reports to Sentry")
struct SentryRunTests {
    @Test("Each failed table is one event with release, environment, table and SQLSTATE")
    func failedTables() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                "create table good (id int); create table bad (id int); insert into bad values (0)"
            )
            try await SentryServer.withServer { server in
                let log = EventLog()
                let report = try await fixture.backup(
                    """
                    {root_location: \(fixture.folder), environment: staging,
                     sentry: {sentry_dsn: '\(server.dsn)', version: shop-7},
                     tables: [public.good, {name: public.bad, query: 'select 1 / id from {table}'},
                              {query: 'select nothing_here', location: free}]}
                    """,
                    events: log
                )
                #expect(report.failed.count == 2)
                #expect(server.problems.isEmpty)
                let envelopes = server.envelopes
                #expect(envelopes.count == 2)
                let bad = try #require(envelopes.first { $0.tags["table"] == "public.bad" })
                #expect(bad.tags["sqlstate"] == "22012")
                #expect(bad.tags["command"] == "backup")
                #expect(bad.level == "error")
                #expect(bad.release == "shop-7")
                #expect(bad.environment == "staging")
                #expect(bad.type == "PostgresError")
                #expect(
                    bad.value
                        == "The backup of public.bad failed: the server reported SQLSTATE 22012 (division by zero)."
                )
                #expect(envelopes.contains { $0.tags["sqlstate"] == "42703" })
                #expect(Set(envelopes.map(\.eventID)).count == 2)
                #expect(log.warnings.isEmpty)
                #expect(log.notes.last == "2 failures reported to Sentry at 127.0.0.1")
            }
        }
    }

    @Test("A run that ends well reports nothing, and neither does a dry run")
    func nothingToReport() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table good (id int)")
            try await SentryServer.withServer { server in
                let yaml = "{root_location: \(fixture.folder), sentry: {dsn: '\(server.dsn)'}, tables: "
                _ = try await fixture.backup(yaml + "[public.good]}")
                let report = try await fixture.backup(
                    yaml + "[{query: 'select 1 / 0', location: free}]}",
                    isDryRun: true
                )
                #expect(report.failed.count == 1)
                #expect(server.envelopes.isEmpty)
            }
        }
    }

    @Test("A run that fails as a whole is one fatal event with the program's own release")
    func failedRun() async throws {
        try await RunFixture.with { fixture in
            try await SentryServer.withServer { server in
                var configuration = try fixture.configuration(
                    "{root_location: \(fixture.folder), sentry: {dsn: '\(server.dsn)'}, tables: [public.t]}"
                )
                configuration.backup.run.connection?.keywords["dbname"] = "no_such_database"
                configuration.backup.run.connection?.keywords["password"] = "passwordsecret"
                await #expect(throws: PostgresError.self) { try await BackupRun(configuration).run() }
                #expect(server.problems.isEmpty)
                let envelope = try #require(server.envelopes.first)
                #expect(server.envelopes.count == 1)
                #expect(envelope.level == "fatal")
                #expect(envelope.tags == ["command": "backup", "sqlstate": "3D000", "code": "connectionFailed"])
                #expect(envelope.release == "databudgie@\(DatabudgieVersion.current)")
                #expect(envelope.environment == nil)
                #expect(!envelope.text.contains("secret"))
            }
        }
    }

    @Test("Values of rows never leave, whatever the server's messages quote")
    func rowValues() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table numbers (n int);
                create table people (email text primary key);
                create table raised (t text);
                create function raise() returns trigger language plpgsql as $$
                begin
                    raise exception 'no %', new.t using errcode = '23514', detail = new.t, hint = new.t,
                        column = new.t, constraint = new.t, table = new.t;
                end $$;
                create trigger raise before insert on raised for each row execute function raise();
                """
            )
            try fixture.write("n\nsecretnumber\n", to: "public.numbers/2026-01-01T00:00:00.csv")
            try fixture.write(
                "email\nsecret@example.com\nsecret@example.com\n",
                to: "public.people/2026-01-01T00:00:00.csv"
            )
            try fixture.write("t\nsecrettext\n", to: "public.raised/2026-01-01T00:00:00.csv")
            try await SentryServer.withServer { server in
                let report = try await fixture.restore(
                    """
                    {root_location: \(fixture.folder), location: '{table}', sentry: {dsn: '\(server.dsn)'},
                     tables: [public.numbers, public.people, public.raised]}
                    """
                )
                #expect(report.failed.count == 3)
                // What a trigger says is in the message on this machine, but must not be sent.
                let saying = report.failed.filter { $0.message.contains("secret") }
                #expect(saying.map(\.job.description) == ["public.raised"])
                #expect(server.problems.isEmpty)
                let envelopes = server.envelopes
                #expect(Set(envelopes.compactMap { $0.tags["sqlstate"] }) == ["22P02", "23505", "23514"])
                #expect(envelopes.allSatisfy { !$0.text.contains("secret") })
            }
        }
    }

    @Test("The first line of a file without header does not leave either")
    func preflight() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table people (email text)")
            try fixture.write("secret@example.com\n", to: "public.people/2026-01-01T00:00:00.csv")
            try await SentryServer.withServer { server in
                let error = await #expect(throws: DatabudgieError.self) {
                    try await fixture.restore(
                        """
                        {root_location: \(fixture.folder), location: '{table}', sentry: {dsn: '\(server.dsn)'},
                         tables: [public.people]}
                        """
                    )
                }
                #expect(error?.description.contains("secret@example.com") == true)
                #expect(server.problems.isEmpty)
                #expect(server.envelopes.map { $0.tags["code"] } == ["preflight"])
                #expect(server.envelopes.allSatisfy { !$0.text.contains("secret") })
            }
        }
    }

    @Test("Tables that a strict run skips are reported as a consequence")
    func consequences() async throws {
        try await RunFixture.with { fixture in
            try await SentryServer.withServer { server in
                let report = try await fixture.backup(
                    """
                    {root_location: \(fixture.folder), strict: true, sentry: {dsn: '\(server.dsn)'},
                     tables: [{query: 'select 1 / 0', location: a}, {query: 'select 1', location: b}]}
                    """
                )
                #expect(report.failed.count == 2)
                #expect(server.problems.isEmpty)
                #expect(server.envelopes.map { $0.tags["code"] } == ["serverError", "consequence"])
            }
        }
    }

    @Test("A cancelled run reports nothing")
    func cancellation() async throws {
        try await RunFixture.with { fixture in
            try await SentryServer.withServer { server in
                let log = EventLog()
                let run = Task {
                    try await fixture.backup(
                        """
                        {root_location: \(fixture.folder), sentry: {dsn: '\(server.dsn)'},
                         tables: [{query: 'select 1 / 0', location: a},
                                  {query: 'select i, pg_sleep(0.01) from generate_series(1, 100000) i', location: b}]}
                        """,
                        events: log
                    )
                }
                try await poll("the second query begins") {
                    log.all.contains { if case .started(let label) = $0 { label.number == 1 } else { false } }
                }
                run.cancel()
                await #expect(throws: CancellationError.self) { try await run.value }
                #expect(log.all.contains { if case .failed = $0 { true } else { false } })
                #expect(server.envelopes.isEmpty)
            }
        }
    }
}
