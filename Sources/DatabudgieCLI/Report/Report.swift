import Databudgie
import Foundation
import Storage

/// What a page says of a set, or of a run that has made none.
struct Report {
    /// A table, as far as it is known.
    struct Table {
        var name: String
        var rows: Int?
        /// Bytes of CSV.
        var bytes: Int64?
        /// Bytes as stored.
        var fileBytes: Int64?
        var compression: String?
        var columns: Int?
        var maskedColumns = 0
        /// How long it took; nil when that is not known.
        var duration: Duration?
        var file: String?
    }

    /// A set of the catalog, for the trend.
    struct Point {
        var id: String
        var state: ListedSet.State
        var fileBytes: Int64
        /// Seconds from the beginning of the run to its end.
        var seconds: Double
        var rows: Int?
    }

    /// What became of it.
    enum Status: String {
        case complete, partial, superseded, failed, interrupted
    }

    /// What it is of, in few words.
    var title: String
    var status: Status
    /// Names and values of what else is known.
    var facts: [(name: String, value: String)] = []
    var tables: [Table] = []
    /// The tables that failed, and why; a failure of the whole run has none.
    var failures: [(table: String?, message: String)] = []
    var warnings: [String] = []
    var foreignKeys: [SetRecord.ForeignKey] = []
    /// Seconds from the beginning to the end.
    var seconds: Double?
    /// They are between two times of a record, which has whole seconds.
    var hasWholeSeconds = false
    /// The sets of the catalog, the oldest first.
    var trend: [Point] = []
    /// The set that it is of.
    var set: String?
    /// Bytes of all files, those of definitions and sequences among them.
    var fileBytes: Int64?
    let tool: String
    /// When the page was written.
    let writtenAt: Date
}

extension Report {
    /// The report of a set.
    ///
    /// - Parameters:
    ///   - set: The set; only the tables in its record count.
    ///   - sets: The sets of its catalog.
    ///   - now: The moment of the report.
    init(_ set: StoredSet, among sets: [ListedSet], at now: Date) {
        let record = set.record
        let status: Status =
            record.supersededBy != nil ? .superseded : record.status == .complete ? .complete : .partial
        self.init(title: "Backup \(record.id)", status: status, tool: record.tool, writtenAt: now)
        facts = SetDescription(set).facts
        tables = record.tables.map(Table.init)
        failures = record.failures.map { ($0.table, $0.message) }
        warnings = record.warnings
        foreignKeys = record.foreignKeys
        seconds = record.finishedAt.timeIntervalSince(record.startedAt)
        hasWholeSeconds = true
        trend = Self.trend(sets)
        self.set = record.id
        fileBytes = record.totals.fileBytes
    }

    /// The most sets of a trend.
    static let mostPoints = 90

    static func trend(_ sets: [ListedSet]) -> [Point] {
        let points = sets.compactMap { set in
            set.summary.map { summary in
                Point(
                    id: set.id,
                    state: set.state,
                    fileBytes: summary.totals.fileBytes,
                    seconds: summary.finishedAt.timeIntervalSince(summary.startedAt),
                    rows: summary.totals.rows
                )
            }
        }
        return points.prefix(mostPoints).reversed()
    }

    /// Adds what only the run itself knows: how long each table took.
    mutating func add(_ report: RunReport) {
        let outcomes = Dictionary(grouping: report.finished) { Array($0.job.name.utf8) }
        seconds = report.duration.inSeconds
        hasWholeSeconds = false
        for index in tables.indices {
            // Two entries may write one table to two places.
            let named = outcomes[Array(tables[index].name.utf8)] ?? []
            let file = Array((tables[index].file ?? "").utf8)
            tables[index].duration =
                named.first { $0.path.map { $0.utf8.suffix(file.count).elementsEqual(file) } ?? false }?
                .duration
        }
    }
}

extension Report.Table {
    init(_ table: SetRecord.Table) {
        name = table.label
        (rows, bytes) = (table.rows, table.bytes)
        (fileBytes, compression) = (table.file?.bytes, table.file?.compression)
        columns = table.columns.isEmpty ? nil : table.columns.count
        maskedColumns = table.columns.count { $0.mask != nil }
        file = table.file?.path
    }

    init(_ outcome: JobOutcome) {
        name = outcome.job.description
        (rows, bytes) = (outcome.totals.rows, outcome.totals.bytes)
        fileBytes = outcome.file?.size
        columns = outcome.columns.count
        duration = outcome.duration
        file = outcome.path
    }
}
