import Synchronization

/// What only one of several tasks may do at a time.
final class Turn: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [AsyncStream<Void>.Continuation] = []
    }

    private let state = Mutex(State())

    /// Runs the body when no other task does.
    ///
    /// - Parameter body: Does it.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws; `CancellationError`.
    func take<Result>(_ body: () async throws -> Result) async throws -> Result {
        while let changes = begin() {
            for await _ in changes { break }
            try Task.checkCancellation()
        }
        defer { end() }
        return try await body()
    }

    /// Takes the turn.
    ///
    /// - Returns: What ends when it may be free; nil when it is taken now.
    private func begin() -> AsyncStream<Void>? {
        state.withLock { state in
            guard state.isTaken else {
                state.isTaken = true
                return nil
            }
            let (changes, change) = AsyncStream.makeStream(of: Void.self)
            state.waiting.append(change)
            return changes
        }
    }

    private func end() {
        let waiting = state.withLock { state in
            defer { state = State() }
            return state.waiting
        }
        waiting.forEach { $0.finish() }
    }
}
