import Postgres
import Storage

/// All loads of a restore with their order, computed before anything is touched.
struct RestorePlan: Sendable {
    /// Referenced tables first; what is in one group lands together or not at all.
    var groups: [LoadGroup]
    /// What the user should know about the selection, as sentences.
    var warnings: [String]
    /// Tables left out because no data file was found for them, or because they were restored before.
    var skipped: [(label: TableLabel, reason: String)]
    /// Tables that an earlier run under the same id has loaded, with their data files.
    var done: [(candidate: RestoreCandidate, file: String)] = []
    /// What is set after the data, in the order of appearance.
    var sequences = SequencePlan()

    var jobs: [RestoreJob] { groups.flatMap(\.jobs) }
}

/// Jobs that share one transaction.
struct LoadGroup: Sendable {
    /// Referenced tables first.
    var jobs: [RestoreJob]
    /// What is emptied first, in one command.
    var truncated: [Relation]
    /// Those of the truncated tables that nobody asked to empty but `truncate: cascade` reaches.
    var cascaded: [Relation] = []
    /// Constraints between tables that refer to one another in a cycle: their check waits until all rows are there.
    var deferredKeys: [ForeignKey]
}

/// One data file to load into one table.
struct RestoreJob: Sendable {
    let label: TableLabel
    let relation: Relation
    let file: FileInfo
    let truncate: TruncateMode
    let isStrict: Bool
    /// Why the job is there, for `--verbose`.
    let reason: String
    /// The entry that asked for the job.
    var candidate: RestoreCandidate?
}

/// A table that an entry asks for, before its file is looked up.
struct RestoreCandidate: Sendable {
    var entry: RestoreEntry
    /// The entry's place in the list, as two entries may stand in one line.
    let entryNumber: Int
    let relation: Relation
    /// The entry named this very table: a missing file is an error then.
    let isExact: Bool
    var pattern: FilePattern
    /// The table whose foreign keys led to this one.
    var referrer: QualifiedName?
    /// Where the files of a table that several others refer to may lie as well.
    var otherPlaces: [(location: Template, pattern: FilePattern)] = []

    /// All places where the candidate's files may lie.
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
