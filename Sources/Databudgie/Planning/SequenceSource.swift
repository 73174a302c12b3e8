/// Where the files of values for a table may be.
struct SequenceSource: Sendable {
    /// What becomes of the table's rows.
    enum Rows: Sendable {
        /// The run loads them; the sequences are set only when that has succeeded.
        case loaded
        /// An earlier run under the same id has loaded them, and may have ended before it set their sequences.
        case loadedBefore
        /// They are not part of the run.
        case skipped
    }

    let id: JobID
    let candidate: RestoreCandidate
    let pattern: FilePattern
    /// The time in the name of the table's data file; nil when the rows are not part of the run.
    let dataTime: String?
    let rows: Rows
}
