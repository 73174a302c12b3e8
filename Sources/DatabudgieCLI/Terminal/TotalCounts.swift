import Databudgie

/// Counts of one or more table jobs, added up.
struct TotalCounts: Equatable, Sendable {
    /// Data rows, without headers.
    var rows = 0
    /// Bytes of CSV, uncompressed.
    var bytes: Int64 = 0
    /// Bytes of the data files, as stored.
    var fileBytes: Int64 = 0

    /// No rows and no bytes.
    init() {}

    /// The counts of one job.
    init(_ totals: TransferTotals) {
        rows = totals.rows
        bytes = totals.bytes
        fileBytes = totals.fileBytes
    }

    /// The sum over finished jobs.
    init(_ reports: [TableReport]) {
        self = reports.reduce(into: TotalCounts()) { $0.add(TotalCounts($1.totals)) }
    }

    /// Adds another job's counts.
    mutating func add(_ other: TotalCounts) {
        rows += other.rows
        bytes += other.bytes
        fileBytes += other.fileBytes
    }
}
