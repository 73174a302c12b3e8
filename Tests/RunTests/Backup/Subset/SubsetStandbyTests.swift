import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("Subsets from a standby")
struct SubsetStandbyTests {
    @Test("A search that the standby cancels begins again from a new snapshot")
    func conflict() async throws {
        try await PostgresServer.withStandby { primary, standby in
            try await withTemporaryFolder { folder in
                let fixture = RunFixture(source: standby.superuser, target: primary.superuser, folder: folder)
                try await fixture.execute(
                    fixture.target,
                    "create table t(id int primary key, up int references t); insert into t values (1, null), (2, 1), (3, 1)"
                )
                try await poll("the standby has the rows") {
                    let tables = try await fixture.rows(fixture.source, "select 1 where to_regclass('t') is not null")
                    guard !tables.isEmpty else { return false }
                    return try await fixture.rows(fixture.source, "select count(*) from t") == ["3"]
                }
                try await Connection.withConnection(to: fixture.source) { blocker in
                    try await blocker.execute("select pg_advisory_lock(43)")
                    let log = EventLog()
                    let run = Task {
                        try await fixture.backup(
                            fixture.subsetYAML("start: {t: 'id = 1 and pg_advisory_lock(43) is not null'}"),
                            events: log
                        )
                    }
                    try await poll("the search waits") { try await fixture.isWaiting(for: "locktype = 'advisory'") }
                    // Replaying the second one removes rows that the snapshot of the search sees.
                    try await fixture.execute(fixture.target, "delete from t where id = 3")
                    try await fixture.execute(fixture.target, "vacuum t")
                    try await poll("the search begins again") {
                        log.warnings.contains { $0.contains("from a new snapshot") }
                    }
                    try await blocker.execute("select pg_advisory_unlock(43)")
                    #expect(try await run.value.failed.isEmpty)
                }
                #expect(try fixture.lines("public.t") == ["1,", "2,1"])
            }
        }
    }

    @Test("A standby gives the same files as its primary")
    func standby() async throws {
        try await PostgresServer.withStandby { primary, standby in
            try await withTemporaryFolder { folder in
                let fixture = RunFixture(source: standby.superuser, target: primary.superuser, folder: folder)
                try await fixture.execute(fixture.target, AccountsSchema.tables + AccountsSchema.rows)
                try await poll("the standby has the rows") {
                    let tables = try await fixture.rows(
                        fixture.source,
                        "select 1 where to_regclass('settings') is not null"
                    )
                    guard !tables.isEmpty else { return false }
                    return try await fixture.rows(fixture.source, "select k from settings") == ["x"]
                }
                let yaml = fixture.subsetYAML("start: {accounts: id = 1}, references: {\(AccountsSchema.polymorphic)}")
                func files() async throws -> [String] {
                    let tables = try fixture.record().tables.compactMap(\.name).sorted()
                    return try tables.map { try fixture.text("public.\($0)/public.\($0).csv") }
                }
                #expect(try await fixture.backup(yaml).failed.isEmpty)
                let fromStandby = try await files()
                #expect(fromStandby.count == 9)
                let other = RunFixture(source: fixture.target, target: fixture.source, folder: folder)
                #expect(try await other.backup(yaml).failed.isEmpty)
                #expect(try await files() == fromStandby)
            }
        }
    }
}
