/// One thing that happened in a run, in the order in which it happened.
///
/// A display needs nothing else. Events of one job come in the order started, progressed, then one of finished, skipped or
/// failed; jobs that run at the same time are interleaved. More kinds of events may be added: a `switch` of a client needs an
/// `@unknown default`.
@nonexhaustive
public enum RunEvent: Sendable {
    /// The plan is complete; nothing has been written yet.
    case planned(RunKind, [PlannedJob])
    /// Finished tables are recorded in the manifest as this run; nothing has been written yet.
    case recording(RecordedRun)
    /// A job has begun.
    case started(JobID)
    /// A running job's totals so far; a few a second at most.
    case progressed(JobID, TransferTotals)
    /// A job is complete: its file is published, or its rows are committed.
    case finished(JobOutcome)
    /// A job was skipped on purpose.
    case skipped(SkippedJob)
    /// A job failed and left nothing behind.
    case failed(JobFailure)
    /// A warning, or a detail for `--verbose`; it stops nothing.
    case found(Finding)
}

/// A run in the manifest, by which it can be resumed.
public struct RecordedRun: Sendable, Hashable {
    /// The manifest table, `schema.name`.
    public let manifest: String
    /// What the run does.
    public let kind: RunKind
    /// The id to resume the run by: `--backup-id`, `--restore-id`.
    public let id: Int

    /// Describes a run.
    ///
    /// - Parameters:
    ///   - manifest: The manifest table, `schema.name`.
    ///   - kind: What the run does.
    ///   - id: The id to resume the run by.
    public init(manifest: String, kind: RunKind, id: Int) {
        self.manifest = manifest
        self.kind = kind
        self.id = id
    }
}

/// A job as planned.
public struct PlannedJob: Sendable {
    /// Which job it is.
    public let job: JobID
    /// Rows that the catalog's statistics expect; nil when they say nothing about this query.
    public let estimatedRows: Int?
    /// Where the data goes, or comes from.
    public let location: String
    /// How many sequences have their values written, or set, along with the table.
    public let sequences: Int

    /// Describes a job.
    ///
    /// - Parameters:
    ///   - job: Which job it is.
    ///   - estimatedRows: Rows that the catalog's statistics expect.
    ///   - location: Where the data goes, or comes from.
    ///   - sequences: How many sequences have their values written, or set, along with the table.
    public init(_ job: JobID, estimatedRows: Int? = nil, location: String, sequences: Int = 0) {
        self.job = job
        self.estimatedRows = estimatedRows
        self.location = location
        self.sequences = sequences
    }
}
