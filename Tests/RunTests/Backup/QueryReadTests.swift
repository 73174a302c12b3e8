import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

/// TRUNCATE, REFRESH and rewrites do not care for snapshots: what a backup reads is locked, or looked at afterwards.
@Suite("What a backup reads")
struct QueryReadTests {
    private let schema = """
        create table q (id int primary key); insert into q select generate_series(1, 10);
        create table r (id int primary key, name text); insert into r select i, 'n' || i from generate_series(1, 10) i;
        create view v as select * from r;
        create materialized view m as select * from r;
        create function hidden() returns setof r language plpgsql as 'begin return query select * from r; end';
        """

    @Test(
        "A table that only a query reads is locked, so a TRUNCATE of it waits for the end of the backup",
        arguments: [
            "select q.id, r.name from q join r using (id)", "select id, (select max(name) from r) from q",
            "select * from v", "with x as (select * from v) select q.* from q join x using (id)",
        ]
    )
    func joins(query: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            try await Connection.withConnection(to: fixture.source) { other in
                var truncation: Task<Void, any Error>?
                let results = try await fixture.heldUpBackup("{query: \"\(query)\", location: joined}") {
                    truncation = Task { try await other.execute("truncate r") }
                    try await poll("TRUNCATE waits") { try await fixture.isWaiting(for: "relation = 'r'::regclass") }
                }
                #expect(results.map(\.rows) == [10], "\(results)")
                try await truncation?.value
                #expect(try await fixture.rows(fixture.source, "select count(*) from r") == ["0"])
            }
        }
    }

    @Test("The tables of a view whose owner has a privilege on columns alone are locked all the same")
    func viewOfColumns() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(
                fixture.source,
                schema
                    + "grant select (id) on r to \(role); create view w as select id from r; alter view w owner to \(role)"
            )
            try await Connection.withConnection(to: fixture.source) { other in
                var truncation: Task<Void, any Error>?
                let results = try await fixture.heldUpBackup("w") {
                    truncation = Task { try await other.execute("truncate r") }
                    try await poll("TRUNCATE waits") { try await fixture.isWaiting(for: "relation = 'r'::regclass") }
                }
                #expect(results.map(\.rows) == [10], "\(results)")
                try await truncation?.value
            }
            try await fixture.execute(fixture.source, "drop owned by \(role)")
        }
    }

    @Test(
        "Rows that another session replaced after the snapshot are a failed job, and never no rows",
        arguments: [
            ("{query: 'select * from hidden()', location: f}", "truncate r", "public.r"),
            ("{query: 'select * from hidden()', location: f}", "alter table r set unlogged", "public.r"),
            ("m", "refresh materialized view m", "public.m"),
            ("{query: 'select * from m join q using (id)', location: j}", "refresh materialized view m", "public.m"),
        ]
    )
    func replaced(entry: String, change: String, name: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            let results = try await fixture.heldUpBackup("\(entry), q") {
                try await fixture.execute(fixture.source, change)
            }
            #expect(results.first { $0.job == "public.q" }?.rows == 10)
            let failed = try #require(results.first { $0.rows == nil }?.message)
            #expect(failed.contains("the rows of \(name) were replaced after the snapshot"))
            #expect(try fixture.files() == ["public.q/data.csv", "waiting/data.csv"])
        }
    }

    @Test("A concurrent refresh keeps the rows of the snapshot")
    func concurrentRefresh() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema + "create unique index on m (id);")
            let results = try await fixture.heldUpBackup("m, {query: 'select * from hidden()', location: f}") {
                try await fixture.execute(fixture.source, "delete from r; refresh materialized view concurrently m")
            }
            #expect(results.map(\.rows) == [10, 10], "\(results)")
        }
    }

    @Test("A partition that is attached while tables are locked, and emptied later, is a failed job")
    func attachedPartition() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table a_root (id int) partition by range (id);
                create table a_root_1 partition of a_root for values from (0) to (10);
                create table late (id int); create table z (id int);
                insert into a_root values (1); insert into late values (11), (12);
                """
            )
            try await Connection.withConnection(to: fixture.source) { blocker in
                try await blocker.execute("select pg_advisory_lock(42); begin; lock table z in access exclusive mode")
                async let run = fixture.backup(
                    """
                    {root_location: \(fixture.folder), location: '{table}', filename: data.csv, tables: [
                      {query: "select pg_advisory_lock(42)::text as lock", location: waiting}, a_root, z]}
                    """
                )
                try await poll("the backup waits") { try await fixture.isWaiting(for: "relation = 'z'::regclass") }
                try await fixture.execute(
                    fixture.source,
                    "alter table a_root attach partition late for values from (10) to (20)"
                )
                try await blocker.execute("commit")
                try await poll("the first job waits") { try await fixture.isWaiting(for: "locktype = 'advisory'") }
                try await fixture.execute(fixture.source, "truncate late")
                try await blocker.execute("select pg_advisory_unlock(42)")
                let report = try await run
                #expect(report.failed.map(\.job.name) == ["public.a_root"])
                #expect(report.failed.first?.message.contains("the rows of public.late were replaced") == true)
                #expect(try fixture.files() == ["public.z/data.csv", "waiting/data.csv"])
            }
        }
    }

    @Test("A deadlock while tables are locked is tried again")
    func deadlockOfLocks() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            try await Connection.withConnection(to: fixture.source) { other in
                // The other session never looks for deadlocks, so the server ends the backup's statement.
                try await other.execute("set deadlock_timeout = '10min'; begin; lock table r in access exclusive mode")
                async let report = fixture.backup(fixture.yaml("[q, r]"))
                try await poll("the backup waits") { try await fixture.isWaiting(for: "relation = 'r'::regclass") }
                try await other.execute("lock table q in access exclusive mode")
                try await other.execute("insert into q values (11); commit")
                #expect(try await report.finished.map(\.totals.rows) == [11, 10])
            }
        }
    }

    @Test("A deadlock in a job is reported, and the job is tried again")
    func deadlockOfJob() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            let log = EventLog()
            try await Connection.withConnection(to: fixture.source) { other in
                var waiting: Task<Void, any Error>?
                let watch = Task {
                    try await poll("the deadlock is reported") { log.warnings.contains { $0.contains("a deadlock") } }
                    other.cancel()
                }
                let results = try await fixture.heldUpBackup(
                    "{query: 'select * from hidden()', location: f}, q",
                    events: log
                ) {
                    try await other.execute("set deadlock_timeout = '10min'; begin")
                    try await other.execute("lock table r in access exclusive mode")
                    waiting = Task { try await other.execute("lock table q in access exclusive mode") }
                    try await poll("the other session waits") {
                        try await fixture.isWaiting(for: "relation = 'q'::regclass")
                    }
                }
                try await watch.value
                await #expect(throws: PostgresError.self) { try await waiting?.value }
                #expect(results.map(\.rows) == [10, 10], "\(results)")
                #expect(log.warnings.contains { $0.contains("exporting it again (attempt 2 of 3)") })
            }
        }
    }
}
