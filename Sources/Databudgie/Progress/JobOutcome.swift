public import Compression
import FoundationEssentials
public import Postgres
public import Storage

/// All that is known of a job that is complete: manifest rows, events and the report are created from it.
public struct JobOutcome: Sendable {
    /// Which job it was.
    public let job: JobID
    /// What was moved.
    public let totals: TransferTotals
    /// The data file, as it was written or read; nil in a dry run.
    public let file: FileInfo?
    /// Wall time of the job.
    public let duration: Duration
    /// The columns that were exported or loaded, in the order of the data file.
    public var columns: [JobColumn] = []
    /// The data file's segments, in its order; empty in a restore.
    public var segments: [HashedSegment] = []
    /// The values of the table's sequences that were written, or are set, along with the table.
    public var sequences: [SequenceValue] = []
    /// The table's definition is a part of the run as well.
    public var includesDefinition = false

    /// The data file's path; nil in a dry run.
    public var path: String? { file?.path.description }
}

/// A column that a job has moved.
public struct JobColumn: Sendable, Hashable {
    /// The column's name.
    public let name: String
    /// The OID of its type in `pg_type`; nil when only the file's header was read.
    public let typeOID: UInt32?

    init(_ name: String, typeOID: UInt32? = nil) {
        self.name = name
        self.typeOID = typeOID
    }
}

/// A segment of a data file with its hash.
public struct HashedSegment: Sendable, Equatable {
    /// Where the segment is in the file, and what it holds.
    public let segment: Segment
    /// SHA-256 of the segment's bytes as they are stored (FIPS 180-4), 32 bytes.
    public let sha256: [UInt8]
}

/// The value of a sequence.
public struct SequenceValue: Sendable, Hashable {
    /// The sequence's name and schema.
    public let name: QualifiedName
    /// The last value that was given out, or the first one to be given out.
    public let lastValue: Int64
    /// False when the next value is ``lastValue`` itself, as in a new sequence.
    public let isCalled: Bool
}

/// A job that was skipped on purpose.
public struct SkippedJob: Sendable {
    /// Which job it was.
    public let job: JobID
    /// Why, without a full stop.
    public let reason: String

    /// Describes a skipped job.
    ///
    /// - Parameters:
    ///   - job: Which job it was.
    ///   - reason: Why, without a full stop.
    public init(_ job: JobID, reason: String) {
        self.job = job
        self.reason = reason
    }
}

/// A job that failed and left nothing behind.
public struct JobFailure: Sendable, CustomStringConvertible {
    /// Which job it was.
    public let job: JobID
    /// What happened, without the table's name and without a full stop.
    public let message: String
    /// What to do about it.
    public let hint: String?
    /// What went wrong; nil when the job failed because another one did.
    let error: (any Error)?
    /// When it failed.
    let time: Date

    init(_ job: JobID, message: String, hint: String? = nil, error: (any Error)? = nil, at time: Date = Date()) {
        self.job = job
        self.message = message
        self.hint = hint
        self.error = error
        self.time = time
    }

    /// A job that failed by itself.
    init(_ job: JobID, _ error: any Error) {
        let text = ErrorText(error)
        self.init(job, message: text.message, hint: text.hint, error: error)
    }

    /// The failure as a sentence with its table.
    public var sentence: String { "\(job): \(message)" }

    /// The sentence and the hint in one line.
    public var description: String { sentence + (hint.map { "; \($0)" } ?? "") }
}

/// What became of a job.
enum JobResult: Sendable {
    case finished(JobOutcome)
    case skipped(SkippedJob)
    case failed(JobFailure)
}
