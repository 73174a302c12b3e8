/// Keeps a problem of one table from stopping the others: it fails the table and what must land with it.
///
/// What must land with a table is its group, and every table that refers to one of these: its rows would hang on rows that
/// are not there, or on others that happen to have the same keys.
struct LoadIsolation {
    private let groups: [LoadGroup]
    /// The groups that a table's name belongs to, as a job or because they empty it.
    private var owners: [ByteKey: Set<Int>] = [:]
    /// The sequences that are not set along with rows of this run, by their table.
    private var sequences: [ByteKey: [SequenceJob]]

    init(catalog: DatabaseCatalog, plan: RestorePlan) {
        groups = plan.groups
        sequences = Dictionary(grouping: plan.sequences.filter { $0.rows != .loaded }) { ByteKey($0.id.name) }
        let cascade = CascadeReach(catalog: catalog)
        for group in plan.groups {
            let emptied = (group.truncated + group.cascaded).flatMap { cascade.withPartitions($0.oid) }
            for name in group.ids.map(\.name) + emptied.compactMap({ catalog[$0]?.name.label }) {
                owners[ByteKey(name), default: []].insert(group.number)
            }
        }
    }

    /// What is left of a plan, and what has failed.
    struct Conclusion {
        /// The jobs that failed, each with what is wrong with it or with the table that it depends on.
        var failures: [JobFailure] = []
        /// The groups that are loaded, in their order.
        var groups: [LoadGroup] = []
        /// The sequences that are not set although no rows of this run belong to them.
        var failedSequences: Set<JobID> = []

        /// The sequences that are still to be set: those of a table that has failed are not.
        func remaining(_ sequences: [SequenceJob]) -> [SequenceJob] {
            let loaded = Set(groups.flatMap(\.jobs).map(\.id))
            return sequences.filter { job in
                guard job.rows == .loaded else { return !failedSequences.contains(job.id) }
                return loaded.contains(JobID(.rows, of: job.id.name, number: job.id.number))
            }
        }
    }

    /// Separates what has a problem from the rest.
    ///
    /// - Parameter findings: All that was found; an error has the warnings among them beside the problems.
    /// - Returns: What is left, and the failures.
    /// - Throws: ``DatabudgieError`` with all problems: when one of them is not about a table, when they fail a table that
    ///   is strict, or when nothing would be left.
    func conclude(_ findings: [Finding]) throws(DatabudgieError) -> Conclusion {
        if let conclusion = separated(findings.problems) { return conclusion }
        try findings.throwProblems(.preflight)
        return Conclusion(groups: groups)
    }

    /// nil when the problems stop everything.
    private func separated(_ problems: [Finding]) -> Conclusion? {
        var byGroup: [Int: [Finding]] = [:]
        var bySequences: [JobID: [Finding]] = [:]
        for problem in problems {
            guard let table = problem.table.map({ ByteKey($0) }) else { return nil }
            let (concerned, settings) = (owners[table, default: []], sequences[table, default: []])
            guard !concerned.isEmpty || !settings.isEmpty else { return nil }
            for number in concerned { byGroup[number, default: []].append(problem) }
            for job in settings { bySequences[job.id, default: []].append(problem) }
        }
        var result = Conclusion()
        guard separate(byGroup, in: &result) else { return nil }
        var settings = 0
        for job in sequences.values.joined().sorted(by: { $0.id.number < $1.id.number }) {
            if let problems = bySequences[job.id] {
                guard !job.isStrict else { return nil }
                result.failures.append(JobFailure(job.id, problems: problems))
                result.failedSequences.insert(job.id)
            } else if job.isAlone {
                settings += 1
            }
        }
        let isAnythingLeft = !result.groups.isEmpty || settings > 0
        return problems.isEmpty || isAnythingLeft ? result : nil
    }

    /// Separates the groups; those that are referred to come first.
    ///
    /// - Returns: False when a strict table fails.
    private func separate(_ problems: [Int: [Finding]], in result: inout Conclusion) -> Bool {
        var causes: [Int: JobID] = [:]
        for group in groups {
            if let own = problems[group.number] {
                let (failures, cause) = group.failures(own)
                result.failures += failures
                causes[group.number] = cause
            } else if let cause = group.references.sorted().lazy.compactMap({ causes[$0] }).first {
                result.failures += group.failures(dependingOn: cause)
                causes[group.number] = cause
            } else {
                result.groups.append(group)
                continue
            }
            if group.isStrict { return false }
        }
        return true
    }
}

extension LoadGroup {
    /// Reports that a table failed which the group refers to.
    func failures(dependingOn cause: JobID) -> [JobFailure] {
        ids.map { JobFailure($0, message: "not restored, because it depends on \(cause), which failed") }
    }

    /// Reports the group's problems at the tables that have them, and at the others that these fail with them.
    fileprivate func failures(_ problems: [Finding]) -> (failures: [JobFailure], cause: JobID) {
        // A problem of a table that is only emptied along with others belongs to one that is emptied on purpose.
        let names = Set(ids.map { ByteKey($0.name) })
        let fallback = jobs.first { $0.truncate != .keep }?.id ?? ids[0]
        var own = Dictionary(grouping: problems) { problem in
            problem.table.map { ByteKey($0) }.flatMap { names.contains($0) ? $0 : nil } ?? ByteKey(fallback.name)
        }
        let cause = ids.first { own[ByteKey($0.name)] != nil } ?? fallback
        let failures = ids.map { id in
            // Two jobs may be for one table.
            guard let problems = own.removeValue(forKey: ByteKey(id.name)) else {
                let message = "not restored, because \(cause) failed and both must be restored together"
                return JobFailure(id, message: message)
            }
            return JobFailure(id, problems: problems)
        }
        return (failures, cause)
    }
}
