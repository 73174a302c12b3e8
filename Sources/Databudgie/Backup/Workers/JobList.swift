import Synchronization

/// The jobs of a run, from which its members take one after another, and what has become of them.
///
/// What a worker cannot do goes to the leader: the member whose transaction has taken the run's locks, and which stays until no
/// job is left.
final class JobList: Sendable {
    private struct State {
        /// What nobody has taken.
        var waiting: ArraySlice<JobPiece>
        /// What a worker could not export.
        var handedOver: ArraySlice<JobPiece> = []
        /// How many are being exported.
        var running = 0
        /// The jobs of which it is known that they have begun.
        var begun: Set<JobID> = []
        /// Large tables of which a range was taken.
        var splits: [JobID: SplitJob] = [:]
        /// The strict job that has failed.
        var failure: JobID?
        /// What is not exported because of it.
        var abandoned: [BackupJob] = []
        var results: [JobResult] = []

        mutating func take(forLeader isLeader: Bool) -> JobPiece? {
            while let piece = (isLeader ? handedOver.popFirst() : nil) ?? waiting.popFirst() {
                if case .range(let split, _) = piece {
                    guard split.enter() else { continue }
                    splits[split.job.id] = split
                }
                running += 1
                return piece
            }
            return nil
        }
    }

    private let state: Mutex<State>
    private let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    /// - Parameter pieces: In the order in which they are taken; ranges of a table in their order.
    init(_ pieces: [JobPiece]) {
        state = Mutex(State(waiting: pieces[...]))
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Something is left that nobody has taken.
    var isWaiting: Bool { state.withLock { !($0.waiting.isEmpty && $0.handedOver.isEmpty) } }

    /// The next one for a worker; nil when there is none for it.
    func next() -> JobPiece? { state.withLock { $0.take(forLeader: false) } }

    /// The next one for the leader: first what workers could not export.
    ///
    /// - Parameter willWait: Runs before it waits for workers, which may yet hand a job over.
    /// - Returns: Nil when no job is left and none runs.
    /// - Throws: What the closure throws; `CancellationError`.
    func nextForLeader(_ willWait: () async throws -> Void) async throws -> JobPiece? {
        var changes = changes.makeAsyncIterator()
        var hasWaited = false
        while true {
            let (piece, isDone) = state.withLock { state in
                let piece = state.take(forLeader: true)
                return (piece, state.running == 0)
            }
            if piece != nil || isDone { return piece }
            if !hasWaited { try await willWait() }
            hasWaited = true
            guard await changes.next() != nil else { throw CancellationError() }
        }
    }

    /// Records that a job begins.
    ///
    /// - Returns: False when it begins again, as one that was handed over.
    func begin(_ job: JobID) -> Bool { state.withLock { $0.begun.insert(job).inserted } }

    /// Records what became of a job that was taken.
    func end(with result: JobResult) {
        state.withLock { state in
            state.results.append(result)
            state.running -= 1
        }
        change.yield()
    }

    /// A member has left a range, and its job has not ended.
    func leave() {
        state.withLock { $0.running -= 1 }
        change.yield()
    }

    /// Leaves what was taken to the leader.
    func handOver(_ piece: JobPiece) {
        state.withLock { state in
            if case .whole(let job) = piece, state.failure != nil {
                state.abandoned.append(job)
            } else {
                state.handedOver.append(piece)
            }
            state.running -= 1
        }
        change.yield()
    }

    /// Takes tables in ranges no longer, except those that have begun.
    func undivide() {
        state.withLock { state in state.waiting = state.waiting.compactMap(\.undivided)[...] }
    }

    /// Gives no further job out, because a strict one has failed; what others export meanwhile is finished.
    func stop(after failure: JobID) {
        state.withLock { state in
            guard state.failure == nil else { return }
            state.failure = failure
            let pieces = (state.waiting + state.handedOver).compactMap(\.undivided)
            // Ranges of tables that have begun are left.
            state.waiting = pieces.filter { if case .range = $0 { true } else { false } }[...]
            state.handedOver = []
            state.abandoned = pieces.compactMap { if case .whole(let job) = $0 { job } else { nil } }
        }
        change.yield()
    }

    /// The jobs that are not exported because of a strict one, in the order of the plan.
    var abandoned: (jobs: [BackupJob], failure: JobID)? {
        state.withLock { state in
            state.failure.map { (state.abandoned.sorted { $0.id.number < $1.id.number }, $0) }
        }
    }

    /// Removes what there is of large tables that are not finished; nobody works on them any more.
    func discardUnfinished() async {
        for split in state.withLock({ $0.splits.values.map(\.self) }) { await split.discard() }
    }

    /// What has become of the jobs that have ended, in the order of the plan.
    var results: [JobResult] { state.withLock { $0.results.sorted { $0.job.number < $1.job.number } } }
}

extension JobResult {
    /// Which job it was.
    var job: JobID {
        switch self {
        case .finished(let outcome): outcome.job
        case .skipped(let skipped): skipped.job
        case .failed(let failure): failure.job
        }
    }
}
