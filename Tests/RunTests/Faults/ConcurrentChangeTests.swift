import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Backups while another session changes the tables")
struct ConcurrentChangeTests {
    /// What another session does, and what needs a lock that conflicts with reading.
    static let changes = [
        "truncate t", "alter table t add column extra int", "alter table t drop column name",
        "alter table t alter column name type varchar(40)", "alter table t rename to other", "drop table t",
        "vacuum full t",
        "cluster t using t_pkey", "alter table t set unlogged", "alter table p detach partition p1",
        "drop table p1", "truncate p",
    ]

    private static let schema = """
        create table t (id int primary key, name text);
        insert into t select n, 'row ' || n from generate_series(1, 50) n;
        create table p (id int) partition by range (id); create table p1 partition of p for values from (0) to (50);
        create table p2 (id int); insert into p2 select n from generate_series(50, 59) n;
        insert into p select n from generate_series(0, 49) n;
        """

    /// Runs the body after the snapshot and before the first table is read, and returns what was backed up.
    private func backup(_ fixture: RunFixture, while body: () async throws -> Void) async throws -> RunReport {
        try await Connection.withConnection(to: fixture.source) { gate in
            try await gate.execute("select pg_advisory_lock(4242)")
            async let report = fixture.backup(
                """
                {root_location: \(fixture.folder), location: '{table}', tables: [
                  {query: "select pg_advisory_lock(4242)::text as lock", location: waiting}, public.t, public.p]}
                """
            )
            try await poll("the backup waits") { try await fixture.isWaiting(for: "locktype = 'advisory'") }
            try await body()
            try await gate.execute("select pg_advisory_unlock(4242)")
            return try await report
        }
    }

    private func expectRows(_ report: RunReport, _ fixture: RunFixture) async throws {
        #expect(report.failed.map(\.description) == [])
        #expect(report.finished.filter { $0.job.name.hasPrefix("public.") }.map(\.totals.rows) == [50, 50])
        let yaml = "{root_location: \(fixture.folder), location: '{table}', tables: [public.t, public.p]}"
        #expect(try await fixture.expectSoundSets(try fixture.configuration(yaml)).count == 1)
        try await fixture.execute(fixture.target, "create table t (id int, name text); create table p (id int)")
        #expect(try await fixture.restore(yaml).failed.map(\.description) == [])
        let counts = "select (select count(*) from t), (select count(name) from t), (select count(*) from p)"
        #expect(try await fixture.rows(fixture.target, counts) == ["50|50|50"])
    }

    @Test("The change waits for the end of the backup, which has all rows", arguments: changes)
    func waits(change: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema)
            var other: Task<Void, any Error>?
            let report = try await backup(fixture) {
                other = Task { try await fixture.execute(fixture.source, change) }
                try await poll("the other session waits") { try await fixture.isWaiting(for: "locktype = 'relation'") }
            }
            try await other?.value
            try await expectRows(report, fixture)
        }
    }

    @Test("Rows that are added, changed and deleted meanwhile are as they were in the backup")
    func doesNotWait() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema)
            let report = try await backup(fixture) {
                try await fixture.execute(
                    fixture.source,
                    """
                    set lock_timeout = '30s';
                    delete from t where id % 2 = 0; update t set name = null; insert into t values (1000, 'late');
                    delete from p1; insert into p values (7);
                    """
                )
                try await fixture.execute(fixture.source, "vacuum t")
            }
            try await expectRows(report, fixture)
        }
    }

    @Test("A partition that is attached meanwhile fails its table, because its rows would be in two files or in none")
    func attached() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema)
            let report = try await backup(fixture) {
                let attach = "alter table p attach partition p2 for values from (50) to (60)"
                try await fixture.execute(fixture.source, attach)
            }
            #expect(report.failed.map(\.job.name) == ["public.p"])
            let message = "public.p2 became a partition after the snapshot of the backup was taken"
            #expect(report.failed.first?.message.hasPrefix(message) == true, "\(report.failed)")
            let yaml = "{root_location: \(fixture.folder), location: '{table}', tables: [public.t, public.p]}"
            #expect(try await fixture.expectSoundSets(try fixture.configuration(yaml)).count == 1)
            #expect(try fixture.files().allSatisfy { !$0.hasPrefix("public.p/") })
        }
    }
}
