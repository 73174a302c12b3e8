/// Runs work that may not end soon after it was cancelled, such as another program whose children keep its output open.
///
/// - Parameters:
///   - limit: How long the work may take; nil for as long as it likes.
///   - work: What to do, in a task of its own, which is cancelled when nobody waits for it any more.
/// - Returns: What the work returns; nil when the time is up.
/// - Throws: The work's error; `CancellationError` as soon as the calling task is cancelled.
package func abandoning<Value: Sendable>(
    after limit: Duration? = nil,
    _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value? {
    // Waiting for a stream ends with the cancellation of the task that waits, and so does not that for a task's value.
    let (outcomes, outcome) = AsyncStream.makeStream(of: Result<Value, any Error>.self)
    let job = Task {
        do {
            outcome.yield(.success(try await work()))
        } catch {
            outcome.yield(.failure(error))
        }
        outcome.finish()
    }
    let timer = limit.map { limit in
        Task {
            try await Task.sleep(for: limit)
            outcome.finish()
        }
    }
    defer {
        job.cancel()
        timer?.cancel()
    }
    for await outcome in outcomes { return try outcome.get() }
    try Task.checkCancellation()
    return nil
}
