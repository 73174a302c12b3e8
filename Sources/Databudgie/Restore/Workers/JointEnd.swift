/// How transactions of several members end together: none is committed before all of them have done their work, and the
/// leader's comes last.
final class JointEnd: Sendable {
    /// What ends a member's transaction without a commit, because another one has failed.
    struct Abandoned: Error {}

    /// A worker has failed, and so have all.
    struct WorkerFailure: Error {
        let error: any Error
    }

    private enum Decision {
        case open, commit, abandon
    }

    private struct State: Sendable {
        var left: Range<Int>
        /// Members, the leader among them, that have not done their work yet.
        var working = 1
        /// Workers whose transaction has not ended yet.
        var unended = 0
        var decision = Decision.open
        /// A worker's transaction is committed, or nobody knows whether it is.
        var mayBeCommitted = false
        var failure: (any Error)?
        var isLeaderCommitting = false

        mutating func fail(_ failure: any Error) {
            if self.failure == nil { self.failure = failure }
            left = left.upperBound..<left.upperBound
            if decision == .open { decision = .abandon }
        }
    }

    private let state: Watched<State>

    /// - Parameter count: How many pieces of work there are.
    init(count: Int) {
        state = Watched(State(left: 0..<count))
    }

    /// Not all transactions were rolled back.
    var mayBeCommitted: Bool { state.withLock { $0.mayBeCommitted } }

    /// The server was asked to commit the transaction of the leader.
    var isLeaderCommitting: Bool { state.withLock { $0.isLeaderCommitting } }

    /// Adds a worker.
    ///
    /// - Returns: False when nothing is left for it.
    func join() -> Bool {
        state.withLock { state in
            guard !state.left.isEmpty else { return false }
            state.working += 1
            state.unended += 1
            return true
        }
    }

    /// The number of a piece that nobody has taken; nil when there is none, or when a member has failed.
    func next() -> Int? { state.withLock { $0.left.popFirst() } }

    /// Ends the work of a worker, and waits until it may commit.
    ///
    /// - Throws: ``Abandoned`` when it may not; `CancellationError`.
    func waitForCommit() async throws {
        state.change { $0.working -= 1 }
        try await wait { $0.decision != .open }
        try state.withLock { state in
            guard state.decision == .commit else { throw Abandoned() }
            // Until its end is known.
            state.mayBeCommitted = true
        }
    }

    /// Ends the transaction of a worker.
    ///
    /// - Parameters:
    ///   - failure: Why it was not committed; nil when it was.
    ///   - hadWorked: It had come to ``waitForCommit()``.
    func end(_ failure: (any Error)?, hadWorked: Bool) {
        state.change { state in
            state.unended -= 1
            if !hadWorked { state.working -= 1 }
            if let failure { state.fail(failure) }
        }
    }

    /// Waits until all members have done their work, lets the workers commit, and waits until they have.
    ///
    /// - Parameter confirm: Finds out whether the leader can still commit, after it has waited.
    /// - Throws: ``WorkerFailure``; what the closure throws; `CancellationError`.
    func commitWorkers(_ confirm: () async throws -> Void = {}) async throws {
        state.change { $0.working -= 1 }
        try await wait { $0.working == 0 || $0.failure != nil }
        try await confirm()
        try state.change { state in
            if let failure = state.failure { throw WorkerFailure(error: failure) }
            state.decision = .commit
        }
        try await wait { $0.unended == 0 }
        if let failure = state.withLock({ $0.failure }) { throw WorkerFailure(error: failure) }
    }

    /// Begins the commit of the leader.
    func commitLeader() {
        state.withLock { $0.isLeaderCommitting = true }
    }

    /// Keeps the workers from committing, unless they may have done so.
    func abandon(_ failure: any Error) {
        state.change { $0.fail(failure) }
    }

    private func wait(until isReached: (State) -> Bool) async throws {
        try await state.wait { isReached($0) ? () : nil }
    }
}
