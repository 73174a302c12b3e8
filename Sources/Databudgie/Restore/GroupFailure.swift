/// A job failed, which rolls back all jobs of its group.
struct GroupFailure: Error {
    let job: JobID
    /// What was reported of it.
    let results: [JobResult]
}
