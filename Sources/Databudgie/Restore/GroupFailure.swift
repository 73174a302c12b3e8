/// A job failed, which rolls back all jobs of its group.
struct GroupFailure: Error {
    let job: JobID
    /// Why it failed, which is still to be reported.
    let error: any Error
}

/// A worker's connection was lost with a group that it was loading.
struct LostGroup: Error {
    /// What it was doing.
    let failure: GroupFailure
    /// The server was asked to commit it, and has not answered.
    let isCommitting: Bool
}
