/// Which jobs of a backup are still to be done, where a run goes on with the id of an earlier one.
struct BackupResumption {
    /// In the order of the plan.
    let pending: [BackupJob]
    /// What an earlier run has recorded, with the reason as a sentence.
    let done: [(label: TableLabel, reason: String)]
    /// What the user should know, as sentences.
    let warnings: [String]

    init(plan: BackupPlan, recorded: RecordedTables?) {
        guard let recorded else {
            (pending, done, warnings) = (plan.jobs, [], [])
            return
        }
        let names = plan.jobs.compactMap { $0.tableName.map { Array($0.utf8) } }
        let counts = Dictionary(names.map { ($0, 1) }, uniquingKeysWith: +)
        let paths = plan.jobs.map { job in
            recorded.path(of: job, isOnlyJob: job.tableName.flatMap { counts[Array($0.utf8)] } == 1)
        }
        pending = zip(plan.jobs, paths).filter { $1 == nil }.map(\.0)
        done = zip(plan.jobs, paths).compactMap { job, path in
            path.map { (job.label, "\($0) is recorded for \(recorded.source) already") }
        }
        guard !done.isEmpty, !pending.isEmpty else {
            warnings = []
            return
        }
        warnings = [
            "\(done.count) of the \(plan.jobs.count) tables were exported by an earlier run of "
                + "\(recorded.source), at another moment than the others: rows may not fit one another."
        ]
    }
}
