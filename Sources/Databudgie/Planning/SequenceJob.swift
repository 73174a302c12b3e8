import Storage

/// One file with the values of one table's sequences.
struct SequenceJob: Sendable {
    /// The sequences of a table's load, or a job of its own when only the sequences are restored.
    let id: JobID
    let relation: Relation
    let file: FileInfo
    /// What the set has of the table; nil when the file was found by its name.
    var part: RestoreSet.Part?
    let rows: SequenceSource.Rows
    let isStrict: Bool
    /// Why the table is part of the restore.
    let selection: SelectionReason
    /// Where the entry is: `databudgie.yml:4`.
    let place: String
    /// The run has created the table.
    var isNew = false
    /// The table has another name in the backup, and so may its sequences.
    var isRenamed = false

    /// Nothing but the sequences is restored, so they are a job of their own in the run's report.
    var isAlone: Bool { rows == .skipped }
}
