import Synchronization

/// Gathers what a run reports while its plan is computed.
final class PlanEvents: Sendable {
    private struct Gathered {
        var findings: [Finding] = []
        var skipped: [SkippedJob] = []
        var failures: [JobFailure] = []
    }

    private let gathered = Mutex(Gathered())

    /// A receiver of events that passes everything on.
    func passing(to onEvent: @escaping @Sendable (RunEvent) -> Void) -> @Sendable (RunEvent) -> Void {
        { [self] event in
            gathered.withLock { gathered in
                switch event {
                case .found(let finding): gathered.findings.append(finding)
                case .skipped(let job): gathered.skipped.append(job)
                case .failed(let failure): gathered.failures.append(failure)
                default: break
                }
            }
            onEvent(event)
        }
    }

    /// Adds what was gathered.
    func add(to plan: inout RunPlan) {
        gathered.withLock { gathered in
            plan.findings = gathered.findings
            plan.skipped = gathered.skipped
            plan.failures = gathered.failures
        }
    }
}
