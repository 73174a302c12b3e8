import Postgres
import Storage

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

/// Jobs that share one transaction.
struct LoadGroup: Sendable {
    /// Referenced tables first.
    var jobs: [RestoreJob]
    /// What is emptied first, in one command.
    var truncated: [Relation]
    /// Those of the truncated tables that no entry asks to empty, but `truncate: cascade` reaches.
    var cascaded: [Relation] = []
    /// Constraints between tables that refer to one another in a cycle: their check waits until all rows are there.
    var deferredKeys: [ForeignKey]
}

/// One data file to load into one table.
struct RestoreJob: Sendable {
    let id: JobID
    let relation: Relation
    let file: FileInfo
    let truncate: TruncateMode
    let isStrict: Bool
    /// The entry that the job is for.
    var candidate: RestoreCandidate?
}

/// A table that an entry names, before its file is looked up.
struct RestoreCandidate: Sendable {
    var entry: RestoreEntry
    /// The entry's place in the list, because two entries may be on one line.
    let entryNumber: Int
    let relation: Relation
    /// The entry named this very table: a missing file is an error then.
    let isExact: Bool
    var pattern: FilePattern
    /// The table whose foreign keys led to this one.
    var referrer: QualifiedName?
    /// Other places where the files may be, when several tables refer to this one.
    var otherPlaces: [(location: Template, pattern: FilePattern)] = []

    /// All places where the candidate's files may be.
    var patterns: [FilePattern] { [pattern] + otherPlaces.map(\.pattern) }

    /// The candidate as if it had no place but the one where a file was found.
    func placed(at file: FileInfo) -> RestoreCandidate {
        guard pattern.time(of: file.path) == nil,
            let place = otherPlaces.first(where: { $0.pattern.time(of: file.path) != nil })
        else { return self }
        var candidate = self
        candidate.entry.options.location = place.location
        candidate.pattern = place.pattern
        return candidate
    }
}

extension RestoreCandidate: CustomStringConvertible {
    /// The entry, as a message names it.
    var description: String { "'\(entry.options.name ?? "")' (\(entry.options.place))" }
}
