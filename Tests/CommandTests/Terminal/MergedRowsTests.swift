import Databudgie
import Foundation
import Testing

@testable import struct Databudgie.JobOutcome
@testable import struct Databudgie.MergedRows
@testable import struct Databudgie.RunReport
@testable import DatabudgieCLI

@Suite("What became of merged rows")
struct MergedRowsTests {
    private var products: JobOutcome {
        var outcome = JobOutcome.products
        outcome.merged = .upserted(1_200, inserted: 1_000, updated: 150)
        return outcome
    }

    private var sales: JobOutcome {
        var outcome = JobOutcome.sales
        outcome.merged = .inserted(1_234_567, inserted: 7)
        return outcome
    }

    @Test("The line of a table counts them")
    func line() {
        #expect(
            PlainLine.finished(products, .restore, style: .plain).hasPrefix(
                "public.products: 1,200 rows (1,000 inserted, 150 updated, 50 unchanged), 45.6 kB "
            )
        )
        #expect(
            PlainLine.finished(sales, .restore, style: .plain).hasPrefix(
                "public.sales: 1,234,567 rows (7 inserted, 1,234,560 skipped), 98.8 MB "
            )
        )
        #expect(
            PlainLine.finished(.products, .restore, style: .plain).hasPrefix("public.products: 1,200 rows, 45.6 kB ")
        )
    }

    @Test("The event of a table counts them, where there are such rows")
    func event() {
        let time = Date(timeIntervalSince1970: 1_767_323_045)
        #expect(
            EventJSON.line(.finished(products), at: time).contains(
                #""rows":1200,"rows_inserted":1000,"rows_unchanged":50,"rows_updated":150,"seconds""#
            )
        )
        #expect(
            EventJSON.line(.finished(sales), at: time).contains(
                #""rows":1234567,"rows_inserted":7,"rows_skipped":1234560,"seconds""#
            )
        )
    }

    @Test("The summary has a column for each kind that a run has, and their sums")
    func summary() {
        func lines(_ finished: [JobOutcome]) -> String {
            let report = RunReport(
                kind: .restore,
                finished: finished,
                skipped: [],
                failed: [],
                definitions: [],
                set: nil,
                duration: .milliseconds(2_700),
                isDryRun: false
            )
            return SummaryTable(report).lines(width: nil, style: .plain).map { line in
                line.split(separator: " ").prefix(6).joined(separator: " ")
            }.joined(separator: "\n")
        }
        #expect(
            lines([products, sales]) == """
                table inserted updated unchanged skipped rows
                public.products 1,000 150 50 1,200 45.6
                public.sales 7 1,234,560 1,234,567 98.8 MB
                total 1,007 150 50 1,234,560 1,235,767
                """
        )
        #expect(lines([sales, .products]).hasPrefix("table inserted skipped rows CSV size\n"))
        #expect(lines([.products]).hasPrefix("table rows CSV size"))
    }
}
