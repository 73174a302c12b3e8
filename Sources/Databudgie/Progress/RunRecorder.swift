import Synchronization

/// Passes on what happens in a run; it keeps nothing.
struct RunRecorder: Sendable {
    /// Receives events, in order, from the tasks of the run.
    let onEvent: @Sendable (RunEvent) -> Void

    /// The same for work that may be done again: the plan, what is skipped and what is found are reported once.
    var withoutRepetitions: RunRecorder {
        let known = KnownEvents()
        return RunRecorder { event in
            if known.insert(event) { onEvent(event) }
        }
    }

    /// The same for jobs that may begin again: each is started once.
    var startingOnce: RunRecorder {
        let known = KnownEvents()
        return RunRecorder { event in
            if case .started(let job) = event, !known.insert(started: job) { return }
            onEvent(event)
        }
    }

    /// Reports the plan, after all that was found out for it: a warning often explains what follows.
    func planned(_ kind: RunKind, _ jobs: [PlannedJob], _ findings: [Finding]) {
        findings.filter { $0.kind == .warning }.forEach(found)
        findings.filter { $0.kind == .note }.forEach(found)
        onEvent(.planned(kind, jobs))
    }

    /// Runs the body while findings are still to be reported, and lets its error carry the warnings among them.
    ///
    /// - Parameters:
    ///   - findings: What was found before; a warning often is the cause of the failure.
    ///   - body: What comes before they are reported.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws.
    nonisolated(nonsending) func holding<Result>(
        _ findings: [Finding],
        _ body: () async throws -> Result
    ) async throws -> Result {
        let warnings = findings.filter { $0.kind == .warning }
        do {
            return try await body()
        } catch is CancellationError {
            throw CancellationError()
        } catch var error as DatabudgieError {
            let known = Set(error.warnings)
            error.warnings = warnings.filter { !known.contains($0) } + error.warnings
            throw error
        } catch {
            warnings.forEach(found)
            throw error
        }
    }

    func found(_ finding: Finding) {
        onEvent(.found(finding))
    }

    func recording(_ run: RecordedRun) {
        onEvent(.recording(run))
    }

    func restoring(_ set: RestoredSet) {
        onEvent(.restoring(set))
    }

    func runningDefinitions(_ source: DefinitionSource) {
        onEvent(.runningDefinitions(source))
    }

    func started(_ job: JobID) {
        onEvent(.started(job))
    }

    func progressed(_ job: JobID, _ totals: TransferTotals) {
        onEvent(.progressed(job, totals))
    }

    /// Reports what became of a job.
    ///
    /// - Returns: The same, for the run's results.
    @discardableResult
    func ended(_ result: JobResult) -> JobResult {
        switch result {
        case .finished(let outcome): onEvent(.finished(outcome))
        case .skipped(let job): onEvent(.skipped(job))
        case .failed(let failure): onEvent(.failed(failure))
        }
        return result
    }
}

/// Passes events on one at a time, whichever task of the run they happen in.
final class EventTurns: Sendable {
    private let turn = Mutex(())
    private let onEvent: @Sendable (RunEvent) -> Void

    init(_ onEvent: @escaping @Sendable (RunEvent) -> Void) {
        self.onEvent = onEvent
    }

    @Sendable func pass(_ event: RunEvent) {
        turn.withLock { _ in onEvent(event) }
    }
}

/// What was reported before.
private final class KnownEvents: Sendable {
    private struct Keys {
        var findings: Set<Finding> = []
        var skipped: Set<JobID> = []
        var started: Set<JobID> = []
        var hasPlan = false
        var hasRecordedRun = false
    }

    private let keys = Mutex(Keys())

    /// - Returns: False for a job that has started before.
    func insert(started job: JobID) -> Bool { keys.withLock { $0.started.insert(job).inserted } }

    /// - Returns: False for an event that says what another one has said.
    func insert(_ event: RunEvent) -> Bool {
        keys.withLock { keys in
            switch event {
            case .found(let finding):
                return keys.findings.insert(finding).inserted
            case .skipped(let skipped):
                return keys.skipped.insert(skipped.job).inserted
            case .planned:
                defer { keys.hasPlan = true }
                return !keys.hasPlan
            case .recording:
                defer { keys.hasRecordedRun = true }
                return !keys.hasRecordedRun
            default:
                return true
            }
        }
    }
}
