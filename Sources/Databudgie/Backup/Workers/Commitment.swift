import Synchronization

/// Whether a run can still give way, to another run or to the server: only before the manifest knows of a file.
///
/// Several workers decide it at once, hence the lock: none records a file that another one is about to have removed.
final class Commitment: Sendable {
    private enum State {
        case open, committed, givingWay
    }

    private let state = Mutex(State.open)

    /// Rules giving way out, because a file is recorded next.
    ///
    /// - Throws: `CancellationError` when the run gives way already.
    func commit() throws {
        try state.withLock { state in
            guard state != .givingWay else { throw CancellationError() }
            state = .committed
        }
    }

    /// Rules recording out.
    ///
    /// - Returns: False when something is recorded, so that the run continues.
    func giveWay() -> Bool {
        state.withLock { state in
            guard state != .committed else { return false }
            state = .givingWay
            return true
        }
    }
}
