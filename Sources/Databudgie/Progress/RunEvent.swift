import FoundationEssentials

/// One thing that happened in a run, in the order in which it happened.
///
/// A display needs nothing else. Events of one table come in the order started, progressed, then one of finished,
/// skipped or failed; tables that run at the same time are interleaved.
public enum RunEvent: Sendable {
    /// The plan is made; nothing has been written yet.
    case planned(RunKind, [PlannedTable])
    /// Finished tables are recorded in the manifest under this transaction; nothing has been written yet.
    case recording(RecordedRun)
    /// A table job has begun.
    case started(TableLabel)
    /// A running job's totals so far; a few a second at most.
    case progressed(TableLabel, TransferTotals)
    /// A job is complete: its file is published, or its rows are committed.
    case finished(TableReport)
    /// A job was left out on purpose, with the reason as a sentence.
    case skipped(TableLabel, reason: String)
    /// A job failed and left nothing behind.
    case failed(TableLabel, message: String)
    /// Something the user should know that stops nothing.
    case warning(String)
    /// Detail for `--verbose`.
    case detail(String)
}

/// The name under which a job is shown: a table's `schema.name`, or the location of an unnamed query.
///
/// The same table may be exported twice with different queries, so that labels carry the job's number too.
public struct TableLabel: Sendable, Hashable, CustomStringConvertible {
    /// The job's place in the plan, from 0.
    public let number: Int
    /// The name itself.
    public let description: String

    /// Makes a label.
    ///
    /// - Parameters:
    ///   - number: The job's place in the plan, from 0.
    ///   - description: A table's `schema.name`, or a location.
    public init(number: Int, description: String) {
        self.number = number
        self.description = description
    }
}

/// The manifest's transaction of a run, by which it can be resumed.
public struct RecordedRun: Sendable, Hashable {
    /// The manifest table, `schema.name`.
    public let manifest: String
    /// What the run does.
    public let action: RunKind
    /// The id to resume the run by: `--backup-id`, `--restore-id`.
    public let id: Int

    /// Makes a transaction.
    ///
    /// - Parameters:
    ///   - manifest: The manifest table, `schema.name`.
    ///   - action: What the run does.
    ///   - id: The id to resume the run by.
    public init(manifest: String, action: RunKind, id: Int) {
        self.manifest = manifest
        self.action = action
        self.id = id
    }
}

/// A job as planned.
public struct PlannedTable: Sendable {
    /// Whose job it is.
    public let label: TableLabel
    /// Rows that the catalog's statistics expect; nil when they say nothing about this query.
    public let estimatedRows: Int?
    /// Where the data goes, or comes from.
    public let location: String
    /// How many sequences have their positions written, or set, along with the table.
    public var sequences = 0
}

/// Counts of a job that is running or done.
public struct TransferTotals: Sendable, Hashable {
    /// Data rows, without the header.
    public var rows: Int
    /// Bytes of CSV, uncompressed.
    public var bytes: Int64
    /// Bytes of the data file, as stored.
    public var fileBytes: Int64
}

/// A job's result.
public struct TableReport: Sendable {
    /// Whose job it is.
    public let label: TableLabel
    /// What was moved.
    public let totals: TransferTotals
    /// The data file's path; nil in a dry run.
    public let path: String?
    /// Wall time of the job.
    public let duration: Duration
    /// The table's definition is a part of the run as well.
    public var hasDefinition = false
    /// How many sequences have their positions written, or set, along with the table.
    public var sequences = 0
}

/// A job that failed, with the message that was shown for it.
public struct TableFailure: Sendable {
    /// Whose job it is.
    public let label: TableLabel
    /// A sentence that names the table.
    public let message: String
    /// What went wrong; nil where the table failed because another one did.
    var error: (any Error)?
    /// When it failed.
    var time = Date()
}

/// A run's result.
public struct RunReport: Sendable {
    /// What the run did.
    public let action: RunKind
    /// Complete jobs, in the order in which they ended.
    public let finished: [TableReport]
    /// Jobs that were left out on purpose.
    public let skipped: [TableLabel]
    /// Failed tables with the message that was shown for each.
    public let failed: [TableFailure]
    /// Wall time of the run.
    public let duration: Duration
    /// Tables and views whose definitions were written, or run, by their full names.
    public var definitions: [String] = []
    /// True when nothing was written on purpose (`--dry-run`).
    public let isDryRun: Bool
}
