import Postgres

/// All loads of a restore with their order, computed before anything is touched.
struct RestorePlan: Sendable {
    /// Referenced tables first; what is in one group is restored together or not at all.
    var groups: [LoadGroup]
    /// What the user should know about the selection, why each job is there, and what is wrong with it.
    var findings: [Finding] = []
    /// Tables without a data file, and tables that were restored before.
    var skipped: [SkippedJob] = []
    /// Tables that an earlier run under the same id has loaded, with their data files.
    var done: [(candidate: RestoreCandidate, file: String)] = []
    /// What is set after the data, in the order of appearance.
    var sequences: [SequenceJob] = []
    /// The number of the next job.
    private(set) var nextNumber = 0

    var jobs: [RestoreJob] { groups.flatMap(\.jobs) }

    /// The tables that are emptied and may have rows.
    var replaced: Set<QualifiedName> {
        Set(groups.flatMap(\.truncated).map(\.name)).subtracting(groups.flatMap(\.emptyReferrers).map(\.name))
    }

    /// Numbers another job.
    mutating func newID(_ subject: JobID.Subject, of name: String) -> JobID {
        defer { nextNumber += 1 }
        return JobID(subject, of: name, number: nextNumber)
    }

    /// Plans to skip a table.
    mutating func skip(_ relation: Relation, reason: String) {
        skipped.append(SkippedJob(newID(.rows, of: relation.name.label), reason: reason))
    }

    /// Says which tables are emptied though they are not listed, or are listed to keep their rows.
    var cascades: [Finding] {
        groups.filter { !$0.cascaded.isEmpty }.map { group in
            let origins = group.jobs.filter { $0.truncate == .cascade }.map(\.id.description)
            let loaded = Set(group.jobs.map(\.relation.oid))
            let names = group.cascaded.map { relation in
                relation.name.description + (loaded.contains(relation.oid) ? "" : " (which is not loaded)")
            }
            let verb = names.count == 1 ? "refers" : "refer"
            return .warning(
                "'truncate: cascade' on \(origins.joined(separator: ", ")) also empties \(names.joined(separator: ", ")), "
                    + "which \(verb) to it"
            )
        }
    }
}
