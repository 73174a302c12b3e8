import Postgres

/// What an error ends: the one answer to "is this failure the job's or the run's".
enum FailureScope {
    /// The task was cancelled; whichever layer noticed it first has an error of its own for it.
    case interruption
    /// The run: everything that it could still do needs what is lost.
    case run
    /// The job alone.
    case job

    /// Classifies an error that was just caught.
    init(of error: any Error) {
        if error is CancellationError || Task.isCancelled {
            self = .interruption
        } else if (error as? PostgresError)?.code == .connectionLost {
            self = .run
        } else {
            self = .job
        }
    }
}

/// Returns after the failure of a job alone, and rethrows every other one.
///
/// - Parameter error: An error that was just caught.
/// - Throws: `CancellationError` when the task was cancelled; the error when it ends the run.
func rethrowUnlessJobFailed(_ error: any Error) throws {
    switch FailureScope(of: error) {
    case .interruption: throw CancellationError()
    case .run: throw error
    case .job: return
    }
}
