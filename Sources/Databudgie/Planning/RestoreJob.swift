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

extension RestoreJob {
    /// The load of a file that was found for a table.
    init(_ id: JobID, _ candidate: RestoreCandidate, file: FileInfo) {
        self.init(
            id: id,
            relation: candidate.relation,
            file: file,
            truncate: candidate.entry.truncate,
            isStrict: candidate.entry.options.isStrict,
            candidate: candidate
        )
    }
}
