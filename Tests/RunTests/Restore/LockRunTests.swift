import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Locks of restores", .timeLimit(.minutes(5)))
struct LockRunTests {
    private func relations(_ session: DatabaseSession, _ names: String...) async throws -> (
        DatabaseCatalog, [Relation]
    ) {
        let catalog = try await session.readCatalog(without: nil)
        return (catalog, names.flatMap(catalog.named))
    }

    @Test("A table that another session keeps locked is given up after a few short attempts, and the session is named")
    func timeout() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (id int); insert into t values (9)")
            let configuration = try fixture.configuration(fixture.yaml("[t]"))
            try await Connection.withConnection(to: fixture.target) { other in
                try await other.execute("set application_name = 'report'; begin; select * from t")
                try await fixture.session(configuration, .restore) { session in
                    let (catalog, tables) = try await relations(session, "public.t")
                    let group = LoadGroup(number: 0, jobs: [], truncated: tables, deferredKeys: [])
                    let preparation = GroupPreparation(
                        connection: session.connection,
                        catalog: catalog,
                        loadGroup: group,
                        triggers: [],
                        attempts: LockAttempts(timeout: .milliseconds(50), count: 2)
                    )
                    let error = await #expect(throws: DatabudgieError.self) {
                        try await session.withTransaction(.writing) { try await preparation.begin() }
                    }
                    #expect(
                        error?.message.hasPrefix("could not lock the table public.t (2 attempts of 0.05 s): process ")
                            == true
                    )
                    #expect(error?.message.contains("\(other.server.processID) (report, role ") == true)
                    #expect(error?.message.hasSuffix(") holds a conflicting lock") == true)
                    #expect(error?.hint == "run the restore again when that session has finished")
                }
            }
            #expect(try await fixture.rows(fixture.target, "select * from t") == ["9"])
        }
    }

    @Test("A session that vacuums a table, or builds an index concurrently, is not waited for once the rows are there")
    func vacuum() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table t (id int); create table u (id int)")
            try await fixture.execute(fixture.source, "insert into t values (1); insert into u values (2)")
            let yaml = fixture.yaml("[t, u]", truncate: false)
            try #require(try await fixture.backup(yaml).failed.isEmpty)
            try await Connection.withConnection(to: fixture.target) { other in
                try await other.execute("begin; lock table t in share update exclusive mode")
                #expect(try await fixture.restore(yaml).failed.map(\.description) == [])
            }
            let rows = "select t.id, u.id, (select reltuples from pg_class where relname = 'u') from t, u"
            #expect(try await fixture.rows(fixture.target, rows) == ["1|2|1"])
        }
    }

    @Test("A table that rows are added to is waited for in short attempts, and only who is in the way is named")
    func appending() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (id int); insert into t values (9)")
            let configuration = try fixture.configuration(fixture.yaml("[t]", truncate: false))
            try await Connection.withConnection(to: fixture.target) { other in
                try await Connection.withConnection(to: fixture.target) { reader in
                    try await reader.execute("set application_name = 'reader'; begin; select * from t")
                    try await other.execute("set application_name = 'migration'; begin; lock table t in share mode")
                    try await fixture.session(configuration, .restore) { session in
                        let (catalog, tables) = try await relations(session, "public.t")
                        let file = FileInfo(path: try StoragePath("t.csv"), size: 0, modified: Date(), version: nil)
                        let id = JobID(.rows, of: "public.t", number: 0)
                        let job = RestoreJob(id: id, relation: tables[0], file: file, truncate: .keep, isStrict: false)
                        let preparation = GroupPreparation(
                            connection: session.connection,
                            catalog: catalog,
                            loadGroup: LoadGroup(number: 0, jobs: [job], truncated: [], deferredKeys: []),
                            triggers: [],
                            attempts: LockAttempts(timeout: .milliseconds(50), count: 2)
                        )
                        let error = await #expect(throws: DatabudgieError.self) {
                            try await session.withTransaction(.writing) { try await preparation.begin() }
                        }
                        let message = error?.message ?? ""
                        #expect(message.hasPrefix("could not lock the table public.t (2 attempts of 0.05 s): process "))
                        #expect(message.contains("\(other.server.processID) (migration, role "))
                        #expect(!message.contains("reader"))
                        try await other.execute("rollback; begin; insert into t values (8)")
                        try await session.withTransaction(.writing) { try await preparation.begin() }
                        try await other.execute("commit")
                    }
                }
            }
            #expect(try await fixture.rows(fixture.target, "select * from t order by 1") == ["8", "9"])
        }
    }

    @Test("INSERT on the columns of the file is enough to add rows")
    func appendingColumns() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(
                fixture.target,
                "create table t (id int, note text default 'n'); grant insert (id) on t to \(role)"
            )
            try fixture.write("id\n1\n", to: "public.t/2024-01-01T00:00:00.csv")
            let report = try await fixture.connected(as: role).restore(fixture.yaml("[t]", truncate: false))
            #expect(report.failed.map(\.sentence) == [])
            #expect(try await fixture.rows(fixture.target, "select * from t") == ["1|n"])
        }
    }

    @Test("A replacement whose load ends in a deadlock begins again as a whole, and reports nothing twice")
    func deadlockOfReplacement() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create function held(int) returns boolean language plpgsql as
                    'begin perform pg_advisory_xact_lock_shared(42); return true; end';
                create table r (id int check (held(id))); create table k (id int primary key);
                insert into r values (1);
                """
            )
            try await fixture.execute(fixture.source, "insert into k values (1)")
            let yaml = fixture.ddlYAML("[r, {name: k, ddl: false}]")
            try #require(try await fixture.backup(yaml).failed.isEmpty)
            let name = try #require(fixture.target.keywords["dbname"])
            try await fixture.execute(
                fixture.target,
                "alter database \(quotedIdentifier(name)) set deadlock_timeout = '50ms'; insert into r values (2)"
            )
            let log = EventLog()
            try await withLocks(fixture) { blocker, other in
                async let run = fixture.restore(yaml, events: log)
                try await poll("the restore has replaced r and loads it") {
                    try await isWaiting(fixture, for: "l.locktype = 'advisory'")
                }
                async let read: Void = other.execute("select * from r; rollback")
                try await poll("the other session waits for r") {
                    try await isWaiting(fixture, for: "l.relation = 'r'::regclass")
                }
                try await blocker.execute("select pg_advisory_unlock(42)")
                #expect(try await run.failed.map(\.sentence) == [])
                try await read
            }
            #expect(try await fixture.rows(fixture.target, "select * from r, k") == ["1|1"])
            let deadlock = "public.k: a deadlock with another session has rolled back the restore, which begins again "
            #expect(log.warnings.filter { $0.contains("deadlock") } == [deadlock + "(attempt 2 of 3)"])
            #expect(Set(log.notes).count == log.notes.count)
            #expect(log.all.count { if case .planned = $0 { true } else { false } } == 1)
            #expect(log.all.count { if case .started = $0 { true } else { false } } == 2)
            #expect(log.all.count { if case .failed = $0 { true } else { false } } == 0)
        }
    }

    /// A session that keeps the rows of `r` from being checked, and one that has a row of `k`, and never looks for deadlocks.
    private func withLocks(
        _ fixture: RunFixture,
        _ body: (_ blocker: Connection, _ other: Connection) async throws -> Void
    ) async throws {
        try await Connection.withConnection(to: fixture.target) { blocker in
            try await blocker.execute("select pg_advisory_lock(42)")
            try await Connection.withConnection(to: fixture.target) { other in
                try await other.execute("set deadlock_timeout = '1h'; begin; insert into k values (1)")
                try await body(blocker, other)
            }
        }
    }

    private func isWaiting(_ fixture: RunFixture, for lock: String) async throws -> Bool {
        let query = """
            select 1 from pg_locks l join pg_stat_activity a using (pid)
            where not l.granted and a.datname = current_database() and \(lock)
            """
        return try await fixture.rows(fixture.target, query).isEmpty == false
    }

    @Test("A restore that is the victim of a deadlock begins again")
    func deadlock() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                "create table a (id int primary key); create table c (id int references a); insert into a values (9)"
            )
            let name = try #require(fixture.target.keywords["dbname"])
            try await fixture.execute(
                fixture.target,
                "alter database \(quotedIdentifier(name)) set deadlock_timeout = '3s'"
            )
            try fixture.write("id\n1\n", to: "public.a/2024-01-01T00:00:00.csv")
            try fixture.write("id\n1\n", to: "public.c/2024-01-01T00:00:00.csv")
            try await Connection.withConnection(to: fixture.target) { other in
                // The other session never looks for deadlocks, so the restore finds it.
                try await other.execute("set deadlock_timeout = '1h'; begin; select * from c")
                async let report = fixture.restore(fixture.yaml("[a, c]"))
                try await poll("the restore waits for c") {
                    try await fixture.rows(
                        fixture.target,
                        "select 1 from pg_locks where not granted and relation = 'c'::regclass"
                    ).isEmpty == false
                }
                try await other.execute("insert into a values (8); commit")
                #expect(try await report.failed.map(\.message) == [])
            }
            #expect(try await fixture.rows(fixture.target, "select * from a, c") == ["1|1"])
        }
    }

    @Test(
        "Of two restores of one table the second says who restores it; partitions of one table do not disturb one another"
    )
    func atOnce() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table t (id int); insert into t values (9);
                create table event (id int) partition by range (id);
                create table event_a partition of event for values from (0) to (10);
                create table event_b partition of event for values from (10) to (20);
                """
            )
            for (table, row) in [("t", 1), ("event", 2), ("event_a", 3), ("event_b", 13)] {
                try fixture.write("id\n\(row)\n", to: "public.\(table)/2024-01-01T00:00:00.csv")
            }
            try await fixture.session(try fixture.configuration(fixture.yaml("[t]")), .restore) { session in
                let (catalog, tables) = try await relations(session, "public.t", "public.event_a")
                try await session.withTransaction(.writing) {
                    try await RestoreLocks(connection: session.connection, catalog: catalog).take(tables)
                    let holder = "process \(session.connection.server.processID) (databudgie, role "
                    for (table, locked) in [("t", "t"), ("event", "event"), ("event_a", "event_a")] {
                        let report = try await fixture.restore(fixture.yaml("[\(table)]", truncate: false))
                        let message = report.failed.first?.message
                        #expect(
                            message?.hasPrefix("public.\(locked) is being restored by \(holder)") == true,
                            "\(report)"
                        )
                        #expect(report.failed.first?.hint == "wait until that restore has finished")
                    }
                    let report = try await fixture.restore(fixture.yaml("[event_b]", truncate: false))
                    #expect(report.failed.map(\.message) == [])
                }
            }
            #expect(try await fixture.rows(fixture.target, "select * from t, event") == ["9|13"])
            #expect(try await fixture.restore(fixture.yaml("[t, event_a]")).failed.isEmpty)
        }
    }

    @Test("Tables that are replaced are not taken from another restore, and wait for their locks for a short time only")
    func replacement() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table t (id int); insert into t values (1)")
            let yaml = fixture.ddlYAML("[t]")
            try #require(try await fixture.backup(yaml).failed.isEmpty)
            try await fixture.execute(fixture.target, "insert into t values (2)")
            try await fixture.session(try fixture.configuration(yaml), .restore) { session in
                let (catalog, tables) = try await relations(session, "public.t")
                try await session.withTransaction(.writing) {
                    try await RestoreLocks(connection: session.connection, catalog: catalog).take(tables)
                    let error = await #expect(throws: DatabudgieError.self) { try await fixture.restore(yaml) }
                    #expect(error?.message.hasPrefix("public.t is being restored by process ") == true)
                    try await session.connection.execute("lock table t in access share mode")
                    try await Connection.withConnection(to: fixture.target) { second in
                        let phase = LockingPhase(
                            connection: second,
                            catalog: catalog,
                            attempts: LockAttempts(timeout: .milliseconds(50), count: 2)
                        )
                        let refused = await #expect(throws: DatabudgieError.self) {
                            try await second.withTransaction { _ in
                                try await phase.lockReplaced([tables[0].name], isDryRun: true)
                            }
                        }
                        #expect(
                            refused?.message.hasPrefix("could not lock the table public.t (2 attempts of 0.05 s)")
                                == true
                        )
                    }
                }
            }
            #expect(try await fixture.restore(yaml).failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, "select * from t") == ["1"])
        }
    }
}
