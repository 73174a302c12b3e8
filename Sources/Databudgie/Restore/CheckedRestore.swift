/// The loads of a restore, planned and checked.
struct CheckedRestore {
    let plan: RestorePlan
    let groups: GroupLoader
    let sequences: SequenceSetter
    /// Where the sequences are to stand in the end.
    let positions: [SequenceSetting]
    let recorder: RunRecorder
    let isStrict: Bool

    /// Loads group after group, each in a transaction of its own.
    ///
    /// - Returns: False when a failure has stopped the run.
    /// - Throws: `CancellationError`, and `PostgresError` when the connection was lost.
    func load() async throws -> Bool {
        for (index, group) in plan.groups.enumerated() {
            guard let failed = try await groups.run(group) else { continue }
            guard isStrict || group.jobs.contains(where: \.isStrict) else { continue }
            for job in plan.groups[(index + 1)...].flatMap(\.jobs) {
                recorder.failed(job.label, reason: "not restored, as \(failed) failed and the run is strict")
            }
            for job in plan.sequences.jobs where job.isAlone {
                recorder.failed(job.label, reason: "not set, as \(failed) failed and the run is strict")
            }
            return false
        }
        return true
    }

    /// Sets the sequences of the tables that were loaded, after everything else.
    ///
    /// - Parameter isComplete: No failure has stopped the run.
    /// - Throws: `CancellationError`, and `PostgresError` when the connection was lost.
    func setSequences(isComplete: Bool) async throws {
        let loaded = Set(recorder.report().finished.map(\.label))
        try await sequences.run(positions, loaded: loaded, isStopped: !isComplete)
    }

    /// Loads all groups in the caller's transaction.
    ///
    /// - Returns: The totals of each group, for ``report(_:)``.
    /// - Throws: ``GroupFailure`` for the first that fails; `CancellationError`, `PostgresError`.
    func loadNested() async throws -> [[TransferTotals]] {
        var totals: [[TransferTotals]] = []
        for group in plan.groups { totals.append(try await groups.runNested(group)) }
        return totals
    }

    /// Reports all groups, once the transaction that they were loaded in is committed.
    func report(_ totals: [[TransferTotals]]) {
        for (group, totals) in zip(plan.groups, totals) { groups.report(group, totals) }
    }

    /// Has the server look at all new rows.
    func analyze() async {
        for group in plan.groups { await groups.analyze(group) }
    }

    /// Records that nothing landed, as one job failed.
    func recordRollback(after culprit: TableLabel) {
        for job in plan.jobs where job.label != culprit {
            recorder.failed(
                job.label,
                reason: "rolled back, as \(culprit) failed; tables that replace others land together or not at all"
            )
        }
    }

    /// Records a failure that came after the rows.
    ///
    /// - Parameters:
    ///   - table: The table's full name.
    ///   - error: What went wrong.
    func recordFailure(of table: String, _ error: DatabudgieError) {
        let label = plan.jobs.first { $0.label.description == table }?.label
        let number = plan.jobs.count + plan.skipped.count + plan.sequences.jobs.count
        recorder.failed(label ?? TableLabel(number: number, description: table), error)
    }
}
