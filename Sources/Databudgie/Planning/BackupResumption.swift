import Storage

/// Which jobs of a backup are still to be done, when a run is resumed by the id of an earlier one.
struct BackupResumption {
    /// In the order of the plan.
    let pending: [BackupJob]
    /// What an earlier run has recorded.
    let done: [SkippedJob]
    /// The same jobs with the files of that run.
    let kept: [(job: BackupJob, path: StoragePath)]
    /// What the user should know.
    let findings: [Finding]

    /// - Parameters:
    ///   - plan: All jobs.
    ///   - recorded: What the manifest has under the run's id; nil when the run has none.
    init(plan: BackupPlan, recorded: RecordedTables?) {
        guard let recorded else {
            (pending, done, kept, findings) = (plan.jobs, [], [], [])
            return
        }
        let counts = Dictionary(plan.jobs.compactMap { $0.tableName.map { (ByteKey($0), 1) } }, uniquingKeysWith: +)
        let paths = plan.jobs.map { job in
            recorded.path(of: job, isOnlyJob: job.tableName.flatMap { counts[ByteKey($0)] } == 1)
        }
        pending = zip(plan.jobs, paths).filter { $1 == nil }.map(\.0)
        done = zip(plan.jobs, paths).compactMap { job, path in
            path.map { SkippedJob(job.id, reason: "\($0) is already recorded for \(recorded.source)") }
        }
        kept = zip(plan.jobs, paths).compactMap { job, path in
            path.flatMap { try? StoragePath($0) }.map { (job: job, path: $0) }
        }
        guard !done.isEmpty, !pending.isEmpty else {
            findings = []
            return
        }
        findings = [
            .warning(
                "\(done.count) of the \(plan.jobs.count) tables \(done.count == 1 ? "was" : "were") exported by an earlier run of \(recorded.source), at "
                    + "another moment than the others: rows may not match"
            )
        ]
    }
}
