import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("Subsets from a standby")
struct SubsetStandbyTests {
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
