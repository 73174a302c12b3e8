import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Workers of a restore that are lost, refused or stopped", .timeLimit(.minutes(10)))
struct LoadFaultTests {
    @Test("What a lost worker was loading is loaded again over another connection, and nothing is there twice")
    func lostWorker() async throws {
        try await RunFixture.with { fixture in
            try await fixture.withTargetGates(2) { gates in
                try await fixture.createGatedTables(["a", "b"])
                let log = EventLog()
                let yaml = fixture.parallelYAML("[a, b]").replacing("truncate: true", with: "truncate: false")
                async let report = fixture.restore(yaml, events: log)
                let loads = try await fixture.loads(2)
                try await fixture.terminate(loads[1])
                try await poll("it is noticed") { !log.warnings.isEmpty }
                try await gates.open(1)
                try await gates.open(2)
                #expect(try await report.failed.map(\.description) == [])
                #expect(try await report.finished.map(\.job.name) == ["public.a", "public.b"])
                #expect(try await fixture.rows(fixture.target, "select count(*) from a, b") == ["1"])
                let warning = try #require(log.warnings.first)
                #expect(log.warnings.count == 1)
                #expect(
                    warning.hasPrefix("public.\(loads[1].table): the connection to the server was lost: ")
                        && warning.hasSuffix(": loading it again, over another connection"),
                    "\(warning)"
                )
            }
        }
    }

    @Test("A run whose first connection is lost ends, and what the others were loading is rolled back")
    func lostLeader() async throws {
        try await RunFixture.with { fixture in
            try await fixture.withTargetGates(2) { _ in
                try await fixture.createGatedTables(["a", "b"])
                let run = Task { try await fixture.restore(fixture.parallelYAML("[a, b]")) }
                let loads = try await fixture.loads(2)
                try await fixture.terminate(loads[0])
                let error = await #expect(throws: PostgresError.self) { try await run.value }
                #expect(error?.code == .connectionLost)
                try await fixture.expectNoTargetSessions(but: 1)
                #expect(try await fixture.rows(fixture.target, "select from a union all select from b") == [])
            }
        }
    }

    @Test("A connection that is lost during the commit fails its table, which is not loaded again")
    func lostCommit() async throws {
        try await RunFixture.with { fixture in
            try await fixture.withTargetGates(1) { gates in
                try await fixture.createGatedTables(["a"])
                try await fixture.execute(
                    fixture.target,
                    """
                    create table parent (id int primary key); insert into parent values (1);
                    create table b (id int references parent deferrable initially deferred, v text);
                    """
                )
                try fixture.writeFile(of: "b", 1, "b")
                try await Connection.withConnection(to: fixture.target) { other in
                    // The key is checked at the commit, which waits for the row.
                    try await other.execute("begin; select from parent for update")
                    let log = EventLog()
                    let tables = "[a, b]"
                    let report = Task { try await fixture.restore(fixture.parallelYAML(tables), events: log) }
                    let first = try await fixture.loads(1)
                    #expect(first.map(\.table) == ["a"])
                    let committing = """
                        select pid from pg_stat_activity where query like '%COMMIT' and wait_event_type = 'Lock'
                            and datname = '\(fixture.target.keywords["dbname"] ?? "")'
                        """
                    var pids: [String] = []
                    try await poll("it commits") {
                        pids = try await fixture.rows(fixture.source, committing)
                        return pids.count == 1
                    }
                    let isWorker = try await fixture.rows(
                        fixture.source,
                        """
                        select (select backend_start from pg_stat_activity where pid = \(pids[0]))
                            > (select backend_start from pg_stat_activity where pid = \(first[0].pid))
                        """
                    )
                    // The biggest table is taken by whoever comes first.
                    try #require(isWorker.count == 1)
                    _ = try await fixture.rows(fixture.source, "select pg_terminate_backend(\(pids[0]))")
                    if isWorker == ["f"] {
                        let error = await #expect(throws: PostgresError.self) { try await report.value }
                        #expect(error?.code == .connectionLost)
                    } else {
                        try await poll("it is noticed") {
                            log.all.contains { if case .failed = $0 { true } else { false } }
                        }
                        try await gates.open(1)
                        let failed = try await report.value.failed
                        #expect(failed.map(\.job.name) == ["public.b"])
                        #expect(
                            failed.first?.message.hasSuffix(", while its rows were committed: they may be there or not")
                                == true,
                            "\(failed)"
                        )
                        #expect(failed.first?.hint == "look at the table before it is restored again")
                        #expect(try await report.value.finished.map(\.job.name) == ["public.a"])
                    }
                }
            }
        }
    }

    @Test("Cancelling the run rolls back all groups that are being loaded")
    func cancellation() async throws {
        try await RunFixture.with { fixture in
            try await fixture.withTargetGates(2) { _ in
                try await fixture.createGatedTables(["a", "b"])
                let run = Task { try await fixture.restore(fixture.parallelYAML("[a, b]")) }
                _ = try await fixture.loads(2)
                run.cancel()
                await #expect(throws: CancellationError.self) { try await run.value }
                try await fixture.expectNoTargetSessions(but: 1)
                #expect(try await fixture.rows(fixture.target, "select from a union all select from b") == [])
            }
        }
    }

    @Test("A role with few connections loads fewer groups at once, and a note says so")
    func roleLimit() async throws {
        try await RunFixture.withRole("LOGIN CONNECTION LIMIT 2") { fixture, role in
            for table in ["a", "b", "c", "d"] {
                try await fixture.execute(fixture.target, "create table \(table) (id int, v text)")
                try fixture.writeFile(of: table, 1, "v")
            }
            try await fixture.execute(fixture.target, "grant all on all tables in schema public to \(role)")
            let log = EventLog()
            let report = try await fixture.connected(as: role).restore(
                fixture.parallelYAML("[a, b, c, d]", jobs: 4),
                events: log
            )
            #expect(report.failed.map(\.description) == [])
            #expect(report.finished.count == 4)
            let note = "2 of 4 groups of tables are loaded at once: the server has 1 connection left"
            #expect(log.notes.contains(note), "\(log.notes)")
        }
    }

    @Test("By default a small restore has one connection, and a large one as many as half of the cores, at most four")
    func defaultCount() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "select 1")
            func count(_ sizes: [Int64?], cores: Int, jobs: Int? = nil) async throws -> Int {
                var configuration = try fixture.configuration("{tables: [a]}")
                configuration.restore.jobs = jobs
                var environment = RunEnvironment()
                environment.cores = cores
                let settings = try RunSettings(configuration, for: .restore, in: environment)
                return try await Connection.withConnection(to: fixture.target) { connection in
                    let limit = WorkerLimit(settings: settings, connection: connection)
                    return limit.decide(try await limit.most(for: sizes.count), sizes)
                }
            }
            let (small, large) = (Array(repeating: Int64(100), count: 4), Array(repeating: Int64(32 << 20), count: 4))
            #expect(try await count(small, cores: 64) == 1)
            #expect(try await count(small, cores: 1, jobs: 3) == 3)
            #expect(try await count(small, cores: 1, jobs: 9) == 4)
            #expect(try await count(large, cores: 64) == 4)
            #expect(try await count(large, cores: 4) == 2)
            #expect(try await count(large, cores: 1) == 1)
            #expect(try await count([nil, 1], cores: 64) == 2)
            #expect(try await count([], cores: 64) == 1)
        }
    }

    @Test(
        "Through PgBouncer several groups are loaded at once",
        .enabled(if: PgBouncer.isInstalled, "PgBouncer is not installed")
    )
    func pooler() async throws {
        try await RunFixture.with { direct in
            try await PgBouncer.withPooler(before: direct.target) { target in
                let fixture = RunFixture(source: direct.source, target: target, folder: direct.folder)
                try await direct.withTargetGates(2) { gates in
                    try await direct.createGatedTables(["a", "b"])
                    async let report = fixture.restore(direct.parallelYAML("[a, b]"))
                    #expect(Set(try await direct.loads(2).map(\.table)) == ["a", "b"])
                    try await gates.open(1)
                    try await gates.open(2)
                    #expect(try await report.failed.map(\.description) == [])
                    #expect(try await direct.rows(direct.target, "select count(*) from a, b") == ["1"])
                }
            }
        }
    }
}
