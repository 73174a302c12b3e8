/// What became of a job.
enum JobResult: Sendable {
    case finished(JobOutcome)
    case skipped(SkippedJob)
    case failed(JobFailure)
}
