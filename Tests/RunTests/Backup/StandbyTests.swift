import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("Backups from a standby")
struct StandbyTests {
    /// Holds a backup from a standby up in its first job.
    private func withHeldUpBackup(
        jobs: Int = 1,
        _ body: (
            _ fixture: RunFixture, _ run: Task<RunReport, any Error>, _ log: EventLog,
            _ changeRows: () async throws -> Void,
            _ letGo: () async throws -> Void
        ) async throws -> Void
    ) async throws {
        try await PostgresServer.withStandby { primary, standby in
            try await withTemporaryFolder { folder in
                let (source, replica) = (primary.superuser, standby.superuser)
                let fixture = RunFixture(source: replica, target: source, folder: folder)
                try await fixture.execute(source, "create table t (id int); insert into t select generate_series(1, 8)")
                try await poll("the standby has the rows") {
                    let tables = try await fixture.rows(replica, "select 1 where to_regclass('t') is not null")
                    guard !tables.isEmpty else { return false }
                    return try await fixture.rows(replica, "select count(*) from t") == ["8"]
                }
                try await Connection.withConnection(to: replica) { blocker in
                    try await blocker.execute("select pg_advisory_lock(42)")
                    let log = EventLog()
                    let run = Task {
                        try await fixture.backup(
                            """
                            {root_location: \(folder), location: '{table}', jobs: \(jobs), tables: [t,
                              {query: "select pg_advisory_lock(42)::text as lock", location: waiting}]}
                            """,
                            events: log
                        )
                    }
                    try await poll("the backup waits") { try await fixture.isWaiting(for: "locktype = 'advisory'") }
                    try await body(fixture, run, log) {
                        // Replaying the second one removes rows that the backup's snapshot sees.
                        try await fixture.execute(source, "delete from t where id = (select max(id) from t)")
                        try await fixture.execute(source, "vacuum t")
                    } _: {
                        try await blocker.execute("select pg_advisory_unlock(42)")
                    }
                }
            }
        }
    }

    @Test(
        "A backup that the standby cancels begins again from a new snapshot, and leaves one set of files",
        arguments: [1, 2]
    )
    func again(jobs: Int) async throws {
        try await withHeldUpBackup(jobs: jobs) { fixture, run, log, changeRows, letGo in
            try await changeRows()
            try await poll("the backup begins again") { log.warnings.contains { $0.contains("from a new snapshot") } }
            try await letGo()
            let report = try await run.value
            #expect(report.failed.isEmpty, "\(report.failed)")
            #expect(report.finished.map(\.totals.rows) == [7, 1])
            #expect(try fixture.files().count == 2)
        }
    }

    @Test("A second conflict is an error that says what to do")
    func twice() async throws {
        try await withHeldUpBackup { fixture, run, log, changeRows, _ in
            try await changeRows()
            try await poll("the backup begins again") { log.warnings.contains { $0.contains("from a new snapshot") } }
            try await poll("it waits again") { try await fixture.isWaiting(for: "locktype = 'advisory'") }
            try await changeRows()
            let error = await #expect(throws: DatabudgieError.self) { try await run.value }
            #expect(error?.message.contains("conflict with recovery") == true)
            #expect(error?.hint?.contains("hot_standby_feedback") == true)
        }
    }
}
