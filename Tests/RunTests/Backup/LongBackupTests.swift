import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Long backups and large values")
struct LongBackupTests {
    @Test("An old snapshot is reported, because it holds vacuum back", arguments: [Duration.zero, .seconds(3_600)])
    func snapshotAge(limit: Duration) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (id int); create table u (id int)")
            var environment = RunEnvironment()
            environment.snapshotAgeLimit = limit
            let log = EventLog()
            let configuration = try fixture.configuration(fixture.yaml("[t, u]"))
            #expect(
                try await BackupRun(configuration, environment: environment).run(onEvent: log.append).failed.isEmpty
            )
            let warnings = log.warnings.filter { $0.contains("until the backup ends, vacuum cannot remove rows") }
            #expect(warnings.count == (limit == .zero ? 1 : 0), "\(log.warnings)")
        }
    }

    @Test("The age is reported at the limit and at each doubling, with its length")
    func ages() {
        let start = ContinuousClock.now
        var age = SnapshotAge(limit: .seconds(3_600), start: start)
        let reports = [59, 60, 61, 119, 125, 600].map { age.warning(at: start + .seconds($0 * 60))?.message }
        #expect(reports.map { $0 != nil } == [false, true, false, false, true, true])
        #expect(reports[1]?.hasPrefix("the snapshot is 1 h 0 min old: ") == true)
        #expect(reports[4]?.hasPrefix("the snapshot is 2 h 5 min old: ") == true)
    }

    @Test("A value over the server's limit names the row and the limit, and leaves no file")
    func tooLarge() async throws {
        try await RunFixture.with { fixture in
            let report = try await fixture.backup(
                """
                {root_location: \(fixture.folder), location: '{table}', tables: [{location: q, query:
                  "select i, case i when 3 then convert_to(repeat('x', 536870912), 'UTF8') end as v from generate_series(1, 5) i"}]}
                """
            )
            let failure = try #require(report.failed.first)
            #expect(failure.message.hasPrefix("row 3 exceeds the server's limit of 1 GB for a value"))
            #expect(failure.hint?.contains("in parts") == true)
            #expect(try fixture.files().isEmpty)
        }
    }
}
