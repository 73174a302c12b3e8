import Synchronization

/// Counts what a running job has moved and reports it a few times a second.
///
/// The stages of one job's pipeline run in different tasks, hence the lock; it is taken once a chunk.
final class TransferMeter: Sendable {
    private struct State {
        var totals = TransferTotals(rows: 0, bytes: 0, fileBytes: 0)
        var lastReport: ContinuousClock.Instant
    }

    private static let interval = Duration.milliseconds(200)

    private let state: Mutex<State>
    private let report: @Sendable (TransferTotals) -> Void

    /// - Parameter report: Called at most five times a second, from the task that moved the chunk.
    init(report: @escaping @Sendable (TransferTotals) -> Void) {
        state = Mutex(State(lastReport: .now))
        self.report = report
    }

    var totals: TransferTotals { state.withLock { $0.totals } }

    func add(rows: Int = 0, bytes: Int = 0, fileBytes: Int = 0) {
        let due = state.withLock { state -> TransferTotals? in
            state.totals.rows += rows
            state.totals.bytes += Int64(bytes)
            state.totals.fileBytes += Int64(fileBytes)
            let now = ContinuousClock.now
            guard now - state.lastReport >= Self.interval else { return nil }
            state.lastReport = now
            return state.totals
        }
        if let due { report(due) }
    }
}
