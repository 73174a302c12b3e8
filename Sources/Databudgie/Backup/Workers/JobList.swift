import Synchronization

/// The jobs of a run, from which its members take one after another, and what has become of them.
///
/// What a worker cannot do goes to the leader: the member whose transaction has taken the run's locks, and which stays until no
/// job is left.
final class JobList: Sendable {
    private struct State {
        /// The jobs that nobody has taken.
        var waiting: ArraySlice<BackupJob>
        /// The jobs that a worker could not export.
        var handedOver: ArraySlice<BackupJob> = []
        /// How many are being exported.
        var running = 0
        /// The jobs of which it is known that they have begun.
        var begun: Set<JobID> = []
        /// The strict job that has failed.
        var failure: JobID?
        var results: [JobResult] = []

        mutating func take(forLeader isLeader: Bool) -> BackupJob? {
            guard failure == nil, let job = (isLeader ? handedOver.popFirst() : nil) ?? waiting.popFirst() else {
                return nil
            }
            running += 1
            return job
        }
    }

    private let state: Mutex<State>
    private let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    /// - Parameter jobs: In the order in which they are taken.
    init(_ jobs: [BackupJob]) {
        state = Mutex(State(waiting: jobs[...]))
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Jobs are left that nobody has taken.
    var isWaiting: Bool { state.withLock { $0.failure == nil && !($0.waiting.isEmpty && $0.handedOver.isEmpty) } }

    /// The next job for a worker; nil when there is none for it.
    func next() -> BackupJob? { state.withLock { $0.take(forLeader: false) } }

    /// The next job for the leader: first what workers could not export.
    ///
    /// - Parameter willWait: Runs before it waits for workers, which may yet hand a job over.
    /// - Returns: Nil when no job is left and none runs.
    /// - Throws: What the closure throws; `CancellationError`.
    func nextForLeader(_ willWait: () async throws -> Void) async throws -> BackupJob? {
        var changes = changes.makeAsyncIterator()
        var hasWaited = false
        while true {
            let (job, isDone) = state.withLock { state in
                let job = state.take(forLeader: true)
                return (job, state.running == 0)
            }
            if job != nil || isDone { return job }
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

    /// Leaves a job that was taken to the leader.
    func handOver(_ job: BackupJob) {
        state.withLock { state in
            state.handedOver.append(job)
            state.running -= 1
        }
        change.yield()
    }

    /// Gives no further job out, because a strict one has failed; what others export meanwhile is finished.
    func stop(after failure: JobID) {
        state.withLock { state in
            if state.failure == nil { state.failure = failure }
        }
    }

    /// The jobs that are not exported because of a strict one, in the order of the plan.
    var abandoned: (jobs: [BackupJob], failure: JobID)? {
        state.withLock { state in
            guard let failure = state.failure else { return nil }
            return ((state.waiting + state.handedOver).sorted { $0.id.number < $1.id.number }, failure)
        }
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
