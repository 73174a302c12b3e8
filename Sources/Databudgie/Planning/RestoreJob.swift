import Storage

/// One data file to load into one table.
struct RestoreJob: Sendable {
    let id: JobID
    let relation: Relation
    let file: FileInfo
    let truncate: TruncateMode
    let isStrict: Bool
    /// The entry that the job is for.
    var candidate: RestoreCandidate?
}
