import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Settings of the database in runs")
struct SessionSettingsRunTests {
    private func set(_ settings: String..., on fixture: RunFixture) async throws {
        for parameters in [fixture.source, fixture.target] {
            let name = quotedIdentifier(try #require(parameters.keywords["dbname"]))
            for setting in settings {
                try await fixture.execute(parameters, "alter database \(name) set \(setting)")
            }
        }
    }

    @Test("Timeouts of the database break neither a run's statements nor its idle connections, the manifest's included")
    func timeouts() async throws {
        try await RunFixture.with { fixture in
            // Longer than each of the limits, while the manifest's connection idles.
            try await fixture.onBoth(
                """
                create function slow(int) returns bool language plpgsql as 'begin perform pg_sleep(2.5); return true; end';
                create table t (id int check (slow(id)));
                """ + ManifestTable("m").definition
            )
            try await fixture.execute(fixture.source, "insert into t values (1)")
            try await set(
                "idle_session_timeout = '1s'",
                "idle_in_transaction_session_timeout = '1s'",
                "statement_timeout = '1s'",
                "lock_timeout = '1s'",
                on: fixture
            )
            let yaml = """
                {root_location: \(fixture.folder), location: '{table}', manifest: m, truncate: true,
                 tables: [{name: t, query: 'select id from t where slow(id)'}]}
                """
            #expect(try await fixture.backup(yaml).failed.map(\.message) == [])
            #expect(try await fixture.restore(yaml).failed.map(\.message) == [])
            #expect(try await fixture.rows(fixture.target, "select t.id, m.action from t, m") == ["1|restore"])
        }
    }

    @Test("Checks and views of the target see the time zone of its database, and arrays keep their nulls")
    func load() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table event (at timestamptz, day date, list int[], words text[]);
                create materialized view days as select at::date as day, count(*) from event group by 1;
                """
            )
            try await set("timezone = 'Asia/Tokyo'", "array_nulls = off", on: fixture)
            try await fixture.execute(
                fixture.source,
                "insert into event values ('2024-01-01 20:00+00', '2024-01-02', array[1, null], array[null, 'NULL'])"
            )
            // Only in the zone of the database the day is the row's.
            try await fixture.onBoth("alter table event add check (at::date = day)")
            let yaml = fixture.yaml("[event]")
            #expect(try await fixture.backup(yaml).failed.map(\.message) == [])
            #expect(try await fixture.restore(yaml).failed.map(\.message) == [])
            let query = "select at at time zone 'UTC', list[2] is null, words[1] is null, words[2] from event"
            #expect(try await fixture.rows(fixture.target, query) == ["2024-01-01 20:00:00|t|t|NULL"])
            let ddl = fixture.ddlYAML("[event, days]")
            try await fixture.execute(fixture.source, "refresh materialized view days")
            try await fixture.copy(ddl)
            #expect(try await fixture.rows(fixture.target, "select * from days") == ["2024-01-02|1"])
        }
    }
}
