import Synchronization

/// Counts what the events of a run say, for a run that does not come to its end.
final class RunTally: Sendable {
    /// What was done until now.
    struct Counts: Sendable {
        var finished = 0
        var skipped = 0
        var totals = TransferTotals.zero
        var failures: [JobFailure] = []
    }

    private let state = Mutex(Counts())

    var counts: Counts { state.withLock { $0 } }

    /// Takes an event in.
    func add(_ event: RunEvent) {
        state.withLock { counts in
            switch event {
            // A run that has to begin again has a second plan.
            case .planned: counts = Counts()
            case .finished(let outcome):
                counts.finished += 1
                counts.totals = counts.totals + outcome.totals
            case .skipped: counts.skipped += 1
            case .failed(let failure): counts.failures.append(failure)
            case .recording, .restoring, .runningDefinitions, .started, .progressed, .found: break
            }
        }
    }
}
