import Databudgie
import Foundation
import Storage

@testable import struct Databudgie.JobFailure
@testable import struct Databudgie.JobOutcome
@testable import struct Databudgie.RunReport

extension JobID {
    static let products = JobID(.rows, of: "public.products", number: 0)
    static let sales = JobID(.rows, of: "public.sales", number: 1)
    static let customers = JobID(.rows, of: "public.customers", number: 2)
}

extension TransferTotals {
    static let small = TransferTotals(rows: 1_200, bytes: 45_600, fileBytes: 12_000)
    static let large = TransferTotals(rows: 1_234_567, bytes: 98_765_432, fileBytes: 23_456_789)
}

extension FileInfo {
    /// A file at a path, with as many bytes.
    static func example(_ path: StoragePath, size: Int64) -> FileInfo {
        FileInfo(path: path, size: size, modified: Date(timeIntervalSince1970: 0), version: nil)
    }
}

extension JobOutcome {
    static let products = JobOutcome(
        job: .products,
        totals: .small,
        file: .example(.local("backups/public.products/2026-01-02T03:04:05.csv.gz"), size: 12_000),
        duration: .milliseconds(120)
    )
    static let sales = JobOutcome(
        job: .sales,
        totals: .large,
        file: .example(.s3(bucket: "bucket", key: "public.sales/2026-01-02T03:04:05.csv.gz"), size: 23_456_789),
        duration: .milliseconds(2_500)
    )
}

extension JobFailure {
    static let sales = JobFailure(.sales, message: "permission denied", hint: "grant SELECT on the table")
}

extension SkippedJob {
    static let customers = SkippedJob(.customers, reason: "it exists")
}

extension RunEvent {
    static func warning(_ message: String) -> RunEvent { .found(Finding(.warning, message)) }
    static func note(_ message: String) -> RunEvent { .found(Finding(.note, message)) }
}

extension RunReport {
    /// Two tables finished, and whatever is added.
    static func example(
        kind: RunKind = .backup,
        skipped: [SkippedJob] = [],
        failed: [JobFailure] = [],
        set: String? = nil,
        effect: RunEffect? = nil,
        isDryRun: Bool = false
    ) -> RunReport {
        RunReport(
            kind: kind,
            finished: [.products, .sales],
            skipped: skipped,
            failed: failed,
            definitions: [],
            set: set,
            effect: effect,
            duration: .milliseconds(2_700),
            isDryRun: isDryRun
        )
    }
}

/// A plan of three tables, of which the first two have statistics.
let examplePlan = RunEvent.planned(
    .backup,
    [
        PlannedJob(.products, estimatedRows: 1_200, location: "backups/public.products/a.csv.gz"),
        PlannedJob(.sales, estimatedRows: 2_000_000, location: "backups/public.sales/a.csv.gz"),
        PlannedJob(.customers, location: "backups/public.customers/a.csv.gz"),
    ]
)
