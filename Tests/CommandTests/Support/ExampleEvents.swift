import Databudgie

@testable import struct Databudgie.PlannedTable
@testable import struct Databudgie.RunReport
@testable import struct Databudgie.TableFailure
@testable import struct Databudgie.TableReport
@testable import struct Databudgie.TransferTotals

extension TableLabel {
    static let products = TableLabel(number: 0, description: "public.products")
    static let sales = TableLabel(number: 1, description: "public.sales")
    static let customers = TableLabel(number: 2, description: "public.customers")
}

extension TransferTotals {
    static let small = TransferTotals(rows: 1_200, bytes: 45_600, fileBytes: 12_000)
    static let large = TransferTotals(rows: 1_234_567, bytes: 98_765_432, fileBytes: 23_456_789)
}

extension TableReport {
    static let products = TableReport(
        label: .products,
        totals: .small,
        path: "backups/public.products/2026-01-02T03:04:05.csv.gz",
        duration: .milliseconds(120)
    )
    static let sales = TableReport(
        label: .sales,
        totals: .large,
        path: "s3://bucket/public.sales/2026-01-02T03:04:05.csv.gz",
        duration: .milliseconds(2_500)
    )
}

extension RunReport {
    /// Two tables finished, and whatever is added.
    static func example(
        action: RunKind = .backup,
        skipped: [TableLabel] = [],
        failed: [TableFailure] = [],
        isDryRun: Bool = false
    ) -> RunReport {
        RunReport(
            action: action,
            finished: [.products, .sales],
            skipped: skipped,
            failed: failed,
            duration: .milliseconds(2_700),
            isDryRun: isDryRun
        )
    }
}

/// A plan of three tables, of which the first two have statistics.
let examplePlan = RunEvent.planned(
    .backup,
    [
        PlannedTable(label: .products, estimatedRows: 1_200, location: "backups/public.products/a.csv.gz"),
        PlannedTable(label: .sales, estimatedRows: 2_000_000, location: "backups/public.sales/a.csv.gz"),
        PlannedTable(label: .customers, estimatedRows: nil, location: "backups/public.customers/a.csv.gz"),
    ]
)
