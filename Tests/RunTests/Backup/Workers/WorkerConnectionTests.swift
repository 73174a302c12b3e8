import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Connections of the workers of a backup", .timeLimit(.minutes(10)))
struct WorkerConnectionTests {
    private static let tables = """
        create table a (id int); create table b (id int); create table c (id int); create table d (id int);
        insert into a values (1); insert into b values (1); insert into c values (1); insert into d values (1);
        """

    private func yaml(_ fixture: RunFixture, jobs: Int = 4, _ tables: String = "[a, b, c, d]") -> String {
        "{root_location: \(fixture.folder), location: '{table}', jobs: \(jobs), tables: \(tables)}"
    }

    @Test("A role with few connections exports fewer tables at once, and a note says so")
    func roleLimit() async throws {
        try await RunFixture.withRole("LOGIN CONNECTION LIMIT 2") { fixture, role in
            try await fixture.execute(
                fixture.source,
                Self.tables + "grant select on all tables in schema public to \(role);"
            )
            let log = EventLog()
            let report = try await fixture.connected(as: role).backup(yaml(fixture), events: log)
            #expect(report.failed.map(\.description) == [])
            #expect(report.finished.count == 4)
            #expect(
                log.notes.contains("2 of 4 tables are exported at once: the server has 1 connection left"),
                "\(log.notes)"
            )
        }
    }

    @Test("A role with one connection exports one table after the other")
    func oneConnection() async throws {
        try await RunFixture.withRole("LOGIN CONNECTION LIMIT 1") { fixture, role in
            try await fixture.execute(
                fixture.source,
                Self.tables + "grant select on all tables in schema public to \(role);"
            )
            let log = EventLog()
            let report = try await fixture.connected(as: role).backup(yaml(fixture), events: log)
            #expect(report.failed.isEmpty && report.finished.count == 4)
            #expect(
                log.notes.contains("1 of 4 tables are exported at once: the server has 0 connections left"),
                "\(log.notes)"
            )
        }
    }

    @Test("A server that refuses further connections is no failure")
    func refusedConnection() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.tables)
            let database = quotedIdentifier(fixture.source.keywords["dbname"] ?? "")
            try await fixture.withGates(1) { gates in
                let log = EventLog()
                try await Connection.withConnection(to: fixture.source) { blocker in
                    try await blocker.execute("begin; lock table a in access exclusive mode")
                    async let report = fixture.backup(
                        yaml(fixture, jobs: 3, "[\(RunFixture.waiting(at: 1)), a, b, c, d]"),
                        events: log
                    )
                    try await poll("the backup has connected") {
                        try await !fixture.rows(
                            fixture.target,
                            "select 1 from pg_stat_activity where datname = '\(fixture.source.keywords["dbname"] ?? "")'"
                                + " and wait_event_type = 'Lock' and query ~ '(^|; )lock table'"
                        ).isEmpty
                    }
                    try await fixture.execute(fixture.target, "alter database \(database) with allow_connections false")
                    try await blocker.execute("rollback")
                    try await poll("two connections are refused") {
                        log.notes.count { $0.hasPrefix("one table less is exported at once: ") } == 2
                    }
                    try await fixture.execute(fixture.target, "alter database \(database) with allow_connections true")
                    try await gates.open(1)
                    #expect(try await report.failed.map(\.description) == [])
                    #expect(try await report.finished.count == 5)
                }
            }
        }
    }

    @Test("By default a small backup has one connection, and a large one as many as half of the cores, at most four")
    func defaultCount() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.tables)
            try await fixture.execute(
                fixture.source,
                "do $$ begin for i in 1..96 loop execute format('create table t%s (id int)', i); end loop; end $$"
            )
            func count(_ tables: String, cores: Int) async throws -> Int {
                var configuration = try fixture.configuration("{tables: \(tables)}")
                configuration.backup.jobs = nil
                var environment = RunEnvironment()
                environment.cores = cores
                let settings = try RunSettings(configuration, for: .backup, in: environment)
                return try await Connection.withConnection(to: fixture.source) { connection in
                    try await connection.withTransaction(.snapshot, idleTimeout: nil) {
                        let catalog = try await DatabaseCatalogReader(connection: connection).read()
                        let planner = BackupPlanner(catalog: catalog, timestamp: RunTimestamp(.now), isStrict: false)
                        let jobs = try planner.plan(configuration.backup.tables).jobs
                        return try await WorkerCount(settings: settings, catalog: catalog, connection: connection)
                            .decide(jobs)
                            .count
                    }
                }
            }
            #expect(try await count("[a, b, c, d]", cores: 64) == 1)
            #expect(try await count("['public.*']", cores: 64) == 4)
            #expect(try await count("['public.*']", cores: 4) == 2)
            #expect(try await count("['public.*']", cores: 1) == 1)
        }
    }

    @Test(
        "The biggest tables begin first, and before them what has an unknown size; one at a time has the order of the plan"
    )
    func order() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table a (id int); create table b (id int, v text); insert into b select i, 'x' from generate_series(1, 9999) i;
                create table p (id int) partition by range (id); create table p1 partition of p for values from (0) to (99999);
                insert into p select generate_series(1, 2000); create table c (id int); insert into c values (1);
                """
            )
            func order(_ jobs: Int) async throws -> [String] {
                let tables = "[a, {query: select 1, location: q}, c, p, b]"
                let configuration = try fixture.configuration("{tables: \(tables), jobs: \(jobs)}")
                let settings = try RunSettings(configuration, for: .backup, in: RunEnvironment())
                return try await Connection.withConnection(to: fixture.source) { connection in
                    try await connection.withTransaction(.snapshot, idleTimeout: nil) {
                        let catalog = try await DatabaseCatalogReader(connection: connection).read()
                        let planner = BackupPlanner(catalog: catalog, timestamp: RunTimestamp(.now), isStrict: false)
                        let jobs = try planner.plan(configuration.backup.tables).jobs
                        let workers = WorkerCount(settings: settings, catalog: catalog, connection: connection)
                        let (count, sized) = try await workers.decide(jobs)
                        return try await workers.division(count).pieces(of: sized, isSubset: false).map(\.job.id.name)
                    }
                }
            }
            #expect(try await order(2) == ["q", "public.b", "public.p", "public.c", "public.a"])
            #expect(try await order(1) == ["public.a", "q", "public.c", "public.p", "public.b"])
        }
    }

    @Test("The standby exports its snapshot to workers")
    func standby() async throws {
        try await PostgresServer.withStandby { primary, standby in
            try await withTemporaryFolder { folder in
                let fixture = RunFixture(source: primary.superuser, target: primary.superuser, folder: folder)
                try await fixture.execute(fixture.source, Self.tables)
                try await fixture.withGates(1) { gates in
                    try await gates.open(1)
                    try await poll("the standby has the function") {
                        try await !fixture.rows(standby.superuser, "select 1 from pg_proc where proname = 'gate'")
                            .isEmpty
                    }
                }
                let replica = RunFixture(source: standby.superuser, target: standby.superuser, folder: folder)
                try await Connection.withConnection(to: standby.superuser) { keeper in
                    for gate in 1...2 { try await keeper.execute("select pg_advisory_lock(\(gate))") }
                    let log = EventLog()
                    async let report = replica.backup(
                        yaml(
                            replica,
                            jobs: 2,
                            "[\(RunFixture.waiting(at: 1)), \(RunFixture.waiting(at: 2)), a, b, c, d]"
                        ),
                        events: log
                    )
                    _ = try await replica.members(2)
                    for gate in 1...2 { try await keeper.execute("select pg_advisory_unlock(\(gate))") }
                    #expect(try await report.failed.map(\.description) == [])
                    #expect(try await report.finished.count == 6)
                    #expect(try replica.process(at: 1) != replica.process(at: 2))
                }
            }
        }
    }

    @Test(
        "Through PgBouncer workers join as long as its pool has connections, and are not waited for otherwise",
        .enabled(if: PgBouncer.isInstalled, "PgBouncer is not installed"),
        arguments: [2, 8]
    )
    func pooler(poolSize: Int) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.tables)
            try await fixture.withGates(2) { gates in
                try await PgBouncer.withPooler(before: fixture.source, poolSize: poolSize) { source in
                    let pooled = RunFixture(source: source, target: fixture.target, folder: fixture.folder)
                    let entries = "[\(RunFixture.waiting(at: 1)), \(RunFixture.waiting(at: 2)), a, b, c, d]"
                    async let report = pooled.backup(yaml(pooled, jobs: 4, entries))
                    _ = try await fixture.members(2)
                    for gate in 1...2 { try await gates.open(gate) }
                    #expect(try await report.failed.map(\.description) == [])
                    #expect(try await report.finished.count == 6)
                    #expect(try fixture.process(at: 1) != fixture.process(at: 2))
                    let settings = """
                        select name, setting from pg_settings where source = 'session' and name <> 'application_name'
                            and name <> 'client_encoding' order by name
                        """
                    #expect(try await pooled.rows(pooled.source, settings) == [])
                }
            }
        }
    }
}
