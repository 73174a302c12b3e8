import Synchronization

/// Ends work that makes no progress, or takes too long in all.
final class ProgressWatch: Sendable {
    /// Thrown in the place of work that was ended.
    struct Stalled: Error, CustomStringConvertible {
        /// How long nothing moved, or how long the whole took.
        var after: Duration
        var description: String { "no progress for \(after)" }
    }

    private let last = Mutex(ContinuousClock.now)

    /// Notes that something moved.
    func tick() {
        last.withLock { $0 = .now }
    }

    /// Runs work, and cancels it when the watch ends it.
    /// - Parameters:
    ///   - stall: The longest time between two ticks.
    ///   - limit: The longest time for everything.
    ///   - work: What to run.
    /// - Returns: What the work returns.
    /// - Throws: The work's error, or ``Stalled``.
    func run<Value: Sendable>(
        stall: Duration,
        limit: Duration,
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        tick()
        let end = ContinuousClock.now + limit
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                while true {
                    let next = min(self.last.withLock { $0 } + stall, end)
                    guard next > .now else { throw Stalled(after: next == end ? limit : stall) }
                    try await Task.sleep(until: next, clock: .continuous)
                }
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }
}
