import Synchronization

/// How many events have arrived, even when time ran out before all of them had.
final class SentCount: Sendable {
    private let count = Mutex(0)

    /// The number so far.
    var value: Int { count.withLock { $0 } }

    /// Counts one more.
    func increase() {
        count.withLock { $0 += 1 }
    }
}
