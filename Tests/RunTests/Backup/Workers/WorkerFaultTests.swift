import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Workers of a backup that are lost, held up or stopped", .timeLimit(.minutes(10)))
struct WorkerFaultTests {
    private func yaml(_ fixture: RunFixture, jobs: Int, _ tables: String, _ more: String = "") -> String {
        "{root_location: \(fixture.folder), location: '{table}', filename: data.csv, jobs: \(jobs), tables: [\(tables)]\(more)}"
    }

    private static let twoGates = RunFixture.waiting(at: 1) + ", " + RunFixture.waiting(at: 2)

    /// Waits until no session is left in the source but the gatekeeper's.
    private func expectNoSessions(_ fixture: RunFixture, others: Int = 1) async throws {
        let sessions = """
            select count(*) from pg_stat_activity
            where backend_type = 'client backend' and datname = '\(fixture.source.keywords["dbname"] ?? "")'
            """
        try await poll("the sessions are gone") { try await fixture.rows(fixture.target, sessions) == ["\(others)"] }
    }

    @Test("What a lost worker was exporting is exported again by the first connection, and the run is whole")
    func lostWorker() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (id int); insert into t values (1)")
            try await fixture.withGates(2) { gates in
                let log = EventLog()
                async let report = fixture.backup(yaml(fixture, jobs: 2, Self.twoGates + ", t"), events: log)
                let members = try await fixture.members(2)
                try await fixture.terminate(members[1])
                try await poll("it is noticed") { !log.warnings.isEmpty }
                try await gates.open(members[0].gate)
                try await gates.open(members[1].gate)
                #expect(try await report.failed.map(\.description) == [])
                #expect(try await report.finished.map(\.totals.rows) == [1, 1, 1])
                #expect(try fixture.process(at: 1) == members[0].pid)
                #expect(try fixture.process(at: 2) == members[0].pid)
                let warning = try #require(log.warnings.first)
                #expect(log.warnings.count == 1)
                #expect(
                    warning.contains("gate\(members[1].gate): the connection to the server was lost: "),
                    "\(warning)"
                )
                #expect(warning.hasSuffix(": exporting it again, over another connection"), "\(warning)")
            }
            try await fixture.expectSoundSets(try fixture.configuration(yaml(fixture, jobs: 2, "t")))
        }
    }

    @Test("A run whose first connection is lost ends, with all of its sessions, and what was finished is a partial set")
    func lostLeader() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (id int); insert into t values (1)")
            try await fixture.withGates(3) { gates in
                let tables = Self.twoGates + ", " + RunFixture.waiting(at: 3)
                let run = Task { try await fixture.backup(yaml(fixture, jobs: 2, tables)) }
                let members = try await fixture.members(2)
                try await gates.open(members[1].gate)
                try await poll("the worker takes the next") {
                    try await fixture.members(2).contains { $0.pid == members[1].pid && $0.gate == 3 }
                }
                try await fixture.terminate(members[0])
                let error = await #expect(throws: PostgresError.self) { try await run.value }
                #expect(error?.code == .connectionLost)
                fixture.expectOneLine(error)
                try await expectNoSessions(fixture)
                #expect(try fixture.files() == ["gate\(members[1].gate)/f.csv"])
                #expect(try fixture.record().status == .partial)
                let sets = try await fixture.expectSoundSets(try fixture.configuration(yaml(fixture, jobs: 2, tables)))
                #expect(sets.count == 1)
            }
        }
    }

    @Test("A session that waits for a lock of the run holds no worker up: the first connection exports the table")
    func waitingLock() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                "create table t (id serial); insert into t select generate_series(1, 5); create table u (id int)"
            )
            try await fixture.withGates(2) { gates in
                let log = EventLog()
                async let report = fixture.backup(yaml(fixture, jobs: 2, Self.twoGates + ", t, u"), events: log)
                let members = try await fixture.members(2)
                async let truncation: Void = fixture.execute(fixture.source, "truncate t")
                try await poll("the other session waits") {
                    try await fixture.isWaiting(for: "relation = 't'::regclass")
                }
                try await gates.open(members[1].gate)
                try await poll("the worker leaves the table to the leader") {
                    log.notes.contains { $0.hasPrefix("public.t: another session waits for a lock on it") }
                }
                // It has exported the other table meanwhile, or does.
                try await poll("the worker exports the other table") {
                    try fixture.files().contains("public.u/data.csv")
                }
                try await gates.open(members[0].gate)
                #expect(try await report.failed.map(\.description) == [])
                #expect(try await report.finished.map(\.totals.rows) == [1, 1, 5, 0])
                try await truncation
                #expect(try await fixture.rows(fixture.source, "select count(*) from t") == ["0"])
            }
            #expect(try fixture.text("public.t/data.csv") == "id\n1\n2\n3\n4\n5\n")
            try await fixture.expectSoundSets(try fixture.configuration(yaml(fixture, jobs: 2, "t, u")))
        }
    }

    @Test("A strict table that fails stops those that wait, and what others export meanwhile is finished")
    func strict() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (id int); create table u (id int)")
            try await fixture.withGates(2) { gates in
                let log = EventLog()
                let failing = "{query: \"select 1 / (gate(1) - 1) as x\", location: division, strict: true}"
                let tables = "\(failing), \(RunFixture.waiting(at: 2)), t, u"
                async let report = fixture.backup(yaml(fixture, jobs: 2, tables), events: log)
                _ = try await fixture.members(2)
                try await gates.open(1)
                try await poll("it fails") { log.all.contains { if case .failed = $0 { true } else { false } } }
                try await gates.open(2)
                #expect(try await report.finished.map(\.job.name) == ["\(fixture.folder)/gate2"])
                let failures = try await report.failed.map(\.sentence)
                #expect(failures.count == 3)
                #expect(failures.first?.contains("division by zero") == true)
                let reason = "not exported, because \(fixture.folder)/division failed and the run is strict"
                #expect(Array(failures.dropFirst()) == ["public.t: \(reason)", "public.u: \(reason)"])
            }
        }
    }

    @Test("Cancelling ends all sessions at once and leaves nothing behind")
    func cancellation() async throws {
        try await RunFixture.with { fixture in
            try await fixture.withGates(3) { _ in
                let tables = Self.twoGates + ", " + RunFixture.waiting(at: 3)
                let run = Task { try await fixture.backup(yaml(fixture, jobs: 3, tables)) }
                _ = try await fixture.members(3)
                run.cancel()
                await #expect(throws: CancellationError.self) { try await run.value }
                try await expectNoSessions(fixture)
                #expect(try fixture.files().isEmpty)
                try await fixture.expectSoundSets(try fixture.configuration(yaml(fixture, jobs: 3, tables)))
            }
        }
    }

    @Test("The first connection may idle while workers are busy, whatever limit the configuration has for that")
    func idleLeader() async throws {
        try await RunFixture.with { fixture in
            try await fixture.withGates(2) { gates in
                async let report = fixture.backup(
                    yaml(fixture, jobs: 2, Self.twoGates, ", idle_in_transaction_timeout: 3")
                )
                let members = try await fixture.members(2)
                try await gates.open(members[0].gate)
                let idle = """
                    select 1 from pg_stat_activity where pid = \(members[0].pid) and state = 'idle in transaction'
                        and clock_timestamp() - state_change > interval '4 s'
                    """
                let leader = "select 1 from pg_stat_activity where pid = \(members[0].pid)"
                try await poll("it has idled for long") {
                    if try await fixture.rows(fixture.target, idle).isEmpty == false { return true }
                    return try await fixture.rows(fixture.target, leader).isEmpty
                }
                try await gates.open(members[1].gate)
                #expect(try await report.failed.map(\.description) == [])
                #expect(try await report.finished.count == 2)
            }
        }
    }
}
