import Postgres
import Storage

/// A table that an entry names, before its file is looked up.
struct RestoreCandidate: Sendable {
    var entry: RestoreEntry
    /// The entry's place in the list, because two entries may be on one line.
    let entryNumber: Int
    let relation: Relation
    /// The table's name in the backup.
    let storedName: QualifiedName
    /// The entry named this very table: a missing file is an error then.
    let isExact: Bool
    /// Why the table is part of the restore.
    let selection: SelectionReason
    var pattern: FilePattern
    /// The table whose foreign keys led to this one.
    var referrer: QualifiedName?
    /// Other places where the files may be, when several tables refer to this one.
    var otherPlaces: [(location: Template, pattern: FilePattern)] = []
    /// Where the files come from.
    var source = CandidateSource.listing

    /// The table has another name in the backup.
    var isRenamed: Bool { storedName != relation.name }

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
    /// The file that a table is loaded from: that of the set, or the newest one by the entry's strategy.
    ///
    /// - Returns: nil when there is none.
    /// - Throws: ``DatabudgieError`` when it is not known, or is not the one that the set has.
    func dataFile(of candidate: RestoreCandidate) throws(DatabudgieError) -> FileInfo? {
        switch candidate.source {
        case .part(let part):
            guard let file = part.data else { return nil }
            return try recorded(file, of: part.set)
        case .absent:
            return nil
        case .ambiguous(let set, let paths):
            throw DatabudgieError(
                .preflight,
                "the set \(set) has several files of it: \(paths.map(\.description).listed())",
                hint: "give the entry the 'query' or the 'location' of its backup"
            )
        case .listing:
            if let failure = failure(of: candidate.patterns) { throw failure }
            return newest(of: candidate)
        }
    }

    /// A file of a set.
    ///
    /// - Throws: ``DatabudgieError`` when it is missing, or is not the one that was recorded.
    func recorded(_ file: RestoreSet.File, of set: String) throws(DatabudgieError) -> FileInfo {
        guard let found = try self.file(at: file.path) else {
            throw DatabudgieError(
                .preflight,
                "\(file.path), which the set \(set) consists of, is missing",
                hint: RestoreSet.hint(for: set)
            )
        }
        guard found.size == file.bytes else {
            throw DatabudgieError(
                .preflight,
                "\(file.path) has \(counted(Int(found.size), "byte")), but \(file.bytes) in the set \(set): it was replaced "
                    + "or damaged",
                hint: RestoreSet.hint(for: set)
            )
        }
        return found
    }

    private func newest(of candidate: RestoreCandidate) -> FileInfo? {
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
