/// Runs work that a cancellation is not to interrupt at once, because what is on its way may be carried out all the same.
///
/// - Parameters:
///   - grace: How long the work may take after the calling task was cancelled.
///   - work: What to do, in a task of its own, which is cancelled when that time is up.
/// - Returns: What the work returns, even if the calling task was cancelled meanwhile.
/// - Throws: The work's error.
func finishingSoon<Value: Sendable>(
    after grace: Duration = .seconds(2),
    _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let job = Task { try await work() }
    return try await withTaskCancellationHandler {
        try await job.value
    } onCancel: {
        Task {
            try? await Task.sleep(for: grace)
            job.cancel()
        }
    }
}
