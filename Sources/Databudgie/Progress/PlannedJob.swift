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
    /// The table's name in the backup, if a restore gives it another one.
    public let storedName: String?

    /// Describes a job.
    ///
    /// - Parameters:
    ///   - job: Which job it is.
    ///   - estimatedRows: Rows that the catalog's statistics expect.
    ///   - location: Where the data goes, or comes from.
    ///   - sequences: How many sequences have their values written, or set, along with the table.
    ///   - storedName: The table's name in the backup, if a restore gives it another one.
    public init(
        _ job: JobID,
        estimatedRows: Int? = nil,
        location: String,
        sequences: Int = 0,
        storedName: String? = nil
    ) {
        self.job = job
        self.estimatedRows = estimatedRows
        self.location = location
        self.sequences = sequences
        self.storedName = storedName
    }
}
