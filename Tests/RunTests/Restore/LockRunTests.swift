import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Locks of restores")
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
