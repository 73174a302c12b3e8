/// What a run has done, from which its report is created.
struct RunResults: Sendable {
    /// What became of the jobs: those of a backup in the order of its plan, those of a restore in the order in which they ended.
    var jobs: [JobResult] = []
    /// Tables and views whose definitions were written, or run, by their full names.
    var definitions: [String] = []
    /// The id of the set that a backup has written, or a restore has read; nil when there is none.
    var set: String?
    /// What a restore has left behind that nothing came of.
    var effect: RunEffect?

    /// The report of a run.
    func report(_ kind: RunKind, isDryRun: Bool, duration: Duration) -> RunReport {
        RunReport(
            kind: kind,
            finished: jobs.compactMap { if case .finished(let outcome) = $0 { outcome } else { nil } },
            skipped: jobs.compactMap { if case .skipped(let job) = $0 { job } else { nil } },
            failed: jobs.compactMap { if case .failed(let failure) = $0 { failure } else { nil } },
            definitions: definitions.sorted { ByteKey($0) < ByteKey($1) },
            set: set,
            effect: effect,
            duration: duration,
            isDryRun: isDryRun
        )
    }
}
