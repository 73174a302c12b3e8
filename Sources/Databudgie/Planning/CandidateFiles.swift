import Storage

/// What is known of the files of a restore's candidates.
struct CandidateFiles {
    /// Each with the file that it is loaded from.
    private(set) var found: [(RestoreCandidate, FileInfo)] = []
    /// Those that have no file.
    private(set) var missing: [RestoreCandidate] = []
    /// Those of whose files it is not known whether they are there, or that are not what they should be, and why.
    private(set) var unlisted: [(candidate: RestoreCandidate, error: DatabudgieError)] = []

    /// - Parameters:
    ///   - candidates: In order of appearance.
    ///   - files: The file of each, nil when there is none, or why it is not known.
    init(_ candidates: [RestoreCandidate], _ files: [Result<FileInfo?, DatabudgieError>]) {
        for (candidate, file) in zip(candidates, files) {
            switch file {
            case .success(let file?): found.append((candidate.placed(at: file), file))
            case .success(nil): missing.append(candidate)
            case .failure(let error): unlisted.append((candidate, error))
            }
        }
    }

    /// The problems of what is not known.
    var problems: [Finding] {
        unlisted.flatMap { candidate, error in
            error.problems.map { .problem($0.message, of: candidate.relation.name.label, hint: $0.hint) }
        }
    }

    /// Takes out tables without a file that a glob stands for under several names, when another one of them has a file; of
    /// those that have none at all, the first name stays.
    mutating func removeOtherNames() {
        let all = found.map(\.0) + missing
        guard all.contains(where: \.isRenamed) else { return }
        let names = Dictionary(all.map { ($0.relation.oid, [$0.storedName]) }) { $0 + $1 }.mapValues { Set($0) }
        var kept = Set(found.map(\.0.relation.oid))
        missing.removeAll { candidate in
            !candidate.isExact && names[candidate.relation.oid, default: []].count > 1
                && !kept.insert(candidate.relation.oid).inserted
        }
    }

    /// Takes out what need not be loaded.
    mutating func remove(where isNeedless: (RestoreCandidate) -> Bool) {
        found.removeAll { isNeedless($0.0) }
        missing.removeAll(where: isNeedless)
        unlisted.removeAll { isNeedless($0.candidate) }
    }
}
