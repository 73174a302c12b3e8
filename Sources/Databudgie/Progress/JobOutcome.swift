public import Storage

/// All that is known of a job that is complete: manifest rows, events and the report are created from it.
public struct JobOutcome: Sendable {
    /// Which job it was.
    public let job: JobID
    /// The table's name in the backup, if a restore has given it another one.
    public var storedName: String?
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
    /// The file with these values; nil when there is none.
    public var sequencesFile: StoredFile?
    /// Rows that are not in the table, because the server has refused them; nil when there are none.
    public var rejected: RejectedRows?
    /// The table's definition is a part of the run as well.
    public var includesDefinition = false
    /// What became of the rows of the file, if a restore has merged them with those of the table; nil otherwise.
    public var merged: MergedRows?

    /// The data file's path; nil in a dry run.
    public var path: String? { file?.path.description }
}
