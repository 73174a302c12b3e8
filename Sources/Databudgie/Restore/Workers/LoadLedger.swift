import Synchronization

/// What has become of the groups of a restore, which its members write down.
final class LoadLedger: Sendable {
    private struct State {
        var results: [Int: [JobResult]] = [:]
        /// The groups that failed, and the job that is to blame.
        var failed: [Int: JobID] = [:]
        /// Groups that another member gets after a connection was lost.
        var handedOver: Set<Int> = []
        /// Groups that are committed, and whose sequences the leader has to set.
        var unset: Set<Int> = []
        var stoppedBy: JobID?
    }

    /// The groups, by their places in the plan.
    let queue: WorkQueue
    /// Two members that set one sequence do it one after the other.
    let sequences = Turn()
    private let pieces: [WorkQueue.Piece]
    private let state = Mutex(State())

    init(_ pieces: [WorkQueue.Piece]) {
        self.pieces = pieces
        queue = WorkQueue(pieces)
    }

    /// The job whose failure has stopped the run.
    var stoppedBy: JobID? { state.withLock { $0.stoppedBy } }

    /// A strict failure keeps what has not begun from being loaded.
    var isStopped: Bool { stoppedBy != nil }

    /// Groups whose sequences are not set yet.
    var unset: [Int] { state.withLock { $0.unset.sorted() } }

    /// What has become of a group; nil when it was not tried.
    func results(of number: Int) -> [JobResult]? { state.withLock { $0.results[number] } }

    /// The job whose failure keeps a group from being loaded.
    func cause(of number: Int) -> JobID? {
        state.withLock { state in
            pieces[number].needs.sorted().compactMap { state.failed[$0] }.first
        }
    }

    /// Adds to the results of a group.
    func add(_ results: [JobResult], of number: Int) {
        state.withLock { $0.results[number, default: []] += results }
    }

    /// Leaves the sequences of a group to the leader.
    func leaveSequences(of number: Int) {
        state.withLock { _ = $0.unset.insert(number) }
    }

    /// Leaves a group to another member, which loads it by itself.
    ///
    /// - Returns: False when that was done before.
    func handOver(_ number: Int) -> Bool {
        guard state.withLock({ $0.handedOver.insert(number).inserted }) else { return false }
        queue.putBack([number])
        return true
    }

    /// Ends a group.
    ///
    /// - Parameters:
    ///   - number: Its place in the plan.
    ///   - failedJob: The job that has failed it.
    ///   - isStrict: Its failure stops the run.
    func end(_ number: Int, failedJob: JobID?, isStrict: Bool) {
        let isStopped = state.withLock { state in
            state.failed[number] = failedJob
            guard let failedJob, isStrict else { return false }
            if state.stoppedBy == nil { state.stoppedBy = failedJob }
            return true
        }
        if isStopped { queue.stop() }
        queue.end(number)
    }
}
