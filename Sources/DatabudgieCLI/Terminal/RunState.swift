import Databudgie

/// Everything that a display knows about a run, made up from its events.
///
/// Times are durations since the run began.
struct RunState: Sendable {
    /// A job that runs at the moment.
    struct RunningJob: Sendable {
        let job: JobID
        let estimatedRows: Int?
        let startedAt: Duration
        var totals = TransferTotals.zero
    }

    /// What the run does; nil until the plan is known, and for a verification.
    private(set) var kind: RunKind?
    /// It is known what is to be done.
    private(set) var hasPlan = false
    private(set) var planned: [PlannedJob] = []
    private var estimatedRows: [JobID: Int] = [:]
    /// In the order in which the jobs began.
    private(set) var running: [RunningJob] = []
    private(set) var finished: [JobOutcome] = []
    private(set) var skipped: [SkippedJob] = []
    private(set) var failed: [JobFailure] = []

    /// Takes one event in.
    mutating func apply(_ event: RunEvent, at time: Duration) {
        switch event {
        case .planned(let kind, let jobs):
            self.kind = kind
            begin(jobs)
        case .started(let job):
            running.append(RunningJob(job: job, estimatedRows: estimatedRows[job], startedAt: time))
        case .progressed(let job, let totals):
            guard let index = running.firstIndex(where: { $0.job == job }) else { return }
            running[index].totals = totals
        case .finished(let outcome):
            stopRunning(outcome.job)
            finished.append(outcome)
        case .skipped(let job):
            stopRunning(job.job)
            skipped.append(job)
        case .failed(let failure):
            stopRunning(failure.job)
            failed.append(failure)
        case .recording, .restoring, .runningDefinitions, .found:
            break
        }
    }

    /// Takes a plan in.
    mutating func begin(_ jobs: [PlannedJob]) {
        hasPlan = true
        planned = jobs
        // A run that has to begin again has a second plan; of several sets, each has its own.
        (running, finished, skipped, failed) = ([], [], [], [])
        estimatedRows = [:]
        for job in jobs { estimatedRows[job.job] = job.estimatedRows }
    }

    /// How many jobs the run has: those that were planned, and others that were skipped or failed before the plan.
    var total: Int {
        let planned = Set(planned.map(\.job))
        return planned.count + (skipped.map(\.job) + failed.map(\.job)).count { !planned.contains($0) }
    }

    /// The sum over finished and running jobs.
    var totals: TransferTotals {
        running.reduce(finished.totals) { $0 + $1.totals }
    }

    private mutating func stopRunning(_ job: JobID) {
        running.removeAll { $0.job == job }
    }
}

extension Sequence<JobOutcome> {
    /// The sum over all of them.
    var totals: TransferTotals {
        reduce(.zero) { $0 + $1.totals }
    }
}
