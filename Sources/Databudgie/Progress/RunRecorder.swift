/// Passes on what happens in a run; it keeps nothing.
struct RunRecorder: Sendable {
    /// Receives events, in order, from the tasks of the run.
    let onEvent: @Sendable (RunEvent) -> Void

    /// Reports the plan, after all that was found out for it: a warning often explains what follows.
    func planned(_ kind: RunKind, _ jobs: [PlannedJob], _ findings: [Finding]) {
        findings.filter { $0.kind == .warning }.forEach(found)
        findings.filter { $0.kind == .note }.forEach(found)
        onEvent(.planned(kind, jobs))
    }

    func found(_ finding: Finding) {
        onEvent(.found(finding))
    }

    func recording(_ run: RecordedRun) {
        onEvent(.recording(run))
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
