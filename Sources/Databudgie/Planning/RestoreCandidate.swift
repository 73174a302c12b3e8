import Postgres
import Storage

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

extension FileListing {
    /// The newest file of a table, by the entry's strategy.
    func newest(of candidate: RestoreCandidate) -> FileInfo? {
        let entry = candidate.entry
        return newest(
            candidate.patterns,
            by: entry.strategy,
            preferring: DataFileFormat(compression: entry.compression)
        )
    }
}

extension RestoreCandidate: CustomStringConvertible {
    /// The entry, as a message names it.
    var description: String { "'\(entry.options.name ?? "")' (\(entry.options.place))" }
}
