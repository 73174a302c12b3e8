import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@Suite(
    "Backups of one tool restored by the other",
    .enabled(
        if: PythonTool.path != nil,
        "databudgie 2.9.3 is not there: scripts/test installs it from PyPI, or set TEST_DATABUDGIE_293 to its program"
    )
)
struct InteropTests {
    @Test("Databudgie 2.9.3 and this one read each other's files: local and S3, plain and gzip, with and without DDL")
    func matrix() async throws {
        try await PostgresServer.withDatabase { source in
            try await Connection.withConnection(to: source) {
                try await $0.execute(ServerBuild.shared.adapted(InteropSchema.definitions + InteropSchema.rows))
            }
            let run = InteropRun(source: source)
            var results: [InteropResult] = []
            try await withThrowingTaskGroup(of: InteropResult.self) { group in
                for (number, cell) in InteropCell.all.enumerated() {
                    if number >= 4, let result = try await group.next() { results.append(result) }
                    group.addTask { try await run.result(of: cell, number: number) }
                }
                for try await result in group { results.append(result) }
            }
            results.sort { $0.number < $1.number }
            let table = InteropResult.table(results)
            Attachment.record(table, named: "interop.txt")
            print(table)
            for result in results {
                #expect(result.problems == [], "\(result.line)")
            }
            #expect(results.count == 16)
        }
    }
}
