/// A job failed, which rolls back all jobs of its group.
struct GroupFailure: Error {
    let job: JobID
    /// Why it failed, which is still to be reported.
    let error: any Error
}
