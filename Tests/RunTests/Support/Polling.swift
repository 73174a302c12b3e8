import Testing

/// Waits until a condition holds, and fails after five minutes.
func poll(_ what: Comment, until condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(300)
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, what)
        try await Task.sleep(for: .milliseconds(10))
    }
}
