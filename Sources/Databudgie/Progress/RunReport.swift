/// A run's result.
public struct RunReport: Sendable {
    /// What the run did.
    public let kind: RunKind
    /// Complete jobs, in the order in which they ended.
    public let finished: [JobOutcome]
    /// Jobs that were skipped on purpose.
    public let skipped: [SkippedJob]
    /// Jobs that failed; a run with any of them is not complete.
    public let failed: [JobFailure]
    /// Tables and views whose definitions were written, or run, by their full names.
    public let definitions: [String]
    /// Wall time of the run.
    public let duration: Duration
    /// True when nothing was written on purpose (`--dry-run`).
    public let isDryRun: Bool
}

/// What a run has done, from which its report is created.
struct RunResults: Sendable {
    /// What became of the jobs, in the order in which they ended.
    var jobs: [JobResult] = []
    /// Tables and views whose definitions were written, or run, by their full names.
    var definitions: [String] = []

    /// The report of a run.
    func report(_ kind: RunKind, isDryRun: Bool, duration: Duration) -> RunReport {
        RunReport(
            kind: kind,
            finished: jobs.compactMap { if case .finished(let outcome) = $0 { outcome } else { nil } },
            skipped: jobs.compactMap { if case .skipped(let job) = $0 { job } else { nil } },
            failed: jobs.compactMap { if case .failed(let failure) = $0 { failure } else { nil } },
            definitions: definitions.sorted(),
            duration: duration,
            isDryRun: isDryRun
        )
    }
}
