/// All loads of a restore with their order, computed before anything is touched.
struct RestorePlan: Sendable {
    /// Referenced tables first; what is in one group is restored together or not at all.
    var groups: [LoadGroup]
    /// What the user should know about the selection, and why each job is there.
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

    /// Numbers another job.
    mutating func newID(_ subject: JobID.Subject, of name: String) -> JobID {
        defer { nextNumber += 1 }
        return JobID(subject, of: name, number: nextNumber)
    }

    /// Plans to skip a table.
    mutating func skip(_ relation: Relation, reason: String) {
        skipped.append(SkippedJob(newID(.rows, of: relation.name.label), reason: reason))
    }
}
