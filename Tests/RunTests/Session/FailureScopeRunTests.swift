import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Reach of failures in runs")
struct FailureScopeRunTests {
    private func started(_ log: EventLog) -> [String] {
        log.all.compactMap { if case .started(let job) = $0 { job.name } else { nil } }
    }

    private func failed(_ log: EventLog) -> [JobFailure] {
        log.all.compactMap { if case .failed(let failure) = $0 { failure } else { nil } }
    }

    /// Ends the session that copies, once there is one.
    private func endCopy(_ fixture: RunFixture, in database: ConnectionParameters, over other: ConnectionParameters)
        async throws
    {
        let terminate = """
            select pg_terminate_backend(pid) from pg_stat_activity
            where query ~ '(^|; )copy ' and state = 'active' and datname = '\(database.keywords["dbname"] ?? "")'
            """
        try await poll("a job runs") { try await fixture.rows(other, terminate).isEmpty == false }
    }

    @Test("A lost connection ends a backup: the table that ran has failed, and no other one begins")
    func lostBackup() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (id int)")
            let log = EventLog()
            let run = Task {
                try await fixture.backup(
                    """
                    {root_location: \(fixture.folder), location: '{table}', tables: [
                      {query: "select i, pg_sleep(0.01) from generate_series(1, 100000) i", location: slow}, t]}
                    """,
                    events: log
                )
            }
            try await endCopy(fixture, in: fixture.source, over: fixture.target)
            let error = await #expect(throws: PostgresError.self) { try await run.value }
            #expect(error?.code == .connectionLost)
            #expect(started(log).count == 1)
            #expect(failed(log).count == 1)
            #expect(try fixture.files() == [])
        }
    }

    @Test("A lost connection ends a restore, and no other table is loaded")
    func lostRestore() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table a (id int); create table b (id int); insert into a values (0); insert into b values (0);
                create function slow() returns trigger language plpgsql as
                    'begin perform pg_sleep(0.05); return new; end';
                create trigger slow before insert on a for each row execute function slow();
                """
            )
            try fixture.write("id\n" + String(repeating: "1\n", count: 5_000), to: "public.a/2024-01-01T00:00:00.csv")
            try fixture.write("id\n1\n", to: "public.b/2024-01-01T00:00:00.csv")
            let log = EventLog()
            let run = Task { try await fixture.restore(fixture.yaml("[{name: a, triggers: fire}, b]"), events: log) }
            try await endCopy(fixture, in: fixture.target, over: fixture.source)
            let error = await #expect(throws: PostgresError.self) { try await run.value }
            #expect(error?.code == .connectionLost)
            #expect(started(log) == ["public.a"])
            #expect(failed(log).map(\.job.name) == ["public.a"])
            #expect(try await fixture.rows(fixture.target, "select a.id, b.id from a, b") == ["0|0"])
        }
    }

    @Test("A bad table ends neither a backup nor a restore: the others are done")
    func badTable() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table a (id int); create table b (id int); create table c (id int)")
            try await fixture.execute(
                fixture.source,
                "insert into a values (1); insert into b values (0); insert into c values (3)"
            )
            let tables = "[a, {name: b, query: 'select 1 / id as id from {table}'}, c]"
            let backup = try await fixture.backup(fixture.yaml(tables))
            #expect(backup.finished.map(\.job.name) == ["public.a", "public.c"])
            #expect(backup.failed.map(\.job.name) == ["public.b"])
            #expect(backup.failed.first?.message.contains("division by zero") == true)
            try fixture.write("id\nx\n", to: "public.b/2024-01-01T00:00:00.csv")
            try fixture.forgetSets()
            let restore = try await fixture.restore(fixture.yaml("[a, b, c]"))
            #expect(restore.finished.map(\.job.name) == ["public.a", "public.c"])
            #expect(restore.failed.map(\.job.name) == ["public.b"])
            #expect(try await fixture.rows(fixture.target, "select a.id, c.id from a, c") == ["1|3"])
        }
    }
}
