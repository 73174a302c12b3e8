import Storage

/// What is known of the files of a restore's candidates.
struct CandidateFiles {
    /// Each with the file that it is loaded from.
    private(set) var found: [(RestoreCandidate, FileInfo)] = []
    /// Those that have no file.
    private(set) var missing: [RestoreCandidate] = []
    /// Those whose folders could not be listed, and why.
    private(set) var unlisted: [(candidate: RestoreCandidate, error: DatabudgieError)] = []

    /// - Parameters:
    ///   - candidates: In order of appearance.
    ///   - files: The file of each, nil when there is none.
    ///   - failures: Why it is not known which files a candidate has; nil, or no value, for each for which it is.
    init(_ candidates: [RestoreCandidate], _ files: [FileInfo?], _ failures: [DatabudgieError?]) {
        for (number, (candidate, file)) in zip(candidates, files).enumerated() {
            if failures.indices.contains(number), let error = failures[number] {
                unlisted.append((candidate, error))
            } else if let file {
                found.append((candidate.placed(at: file), file))
            } else {
                missing.append(candidate)
            }
        }
    }

    /// The problems of the folders that could not be listed.
    var problems: [Finding] {
        unlisted.flatMap { candidate, error in
            error.problems.map { .problem($0.message, of: candidate.relation.name.label, hint: $0.hint) }
        }
    }

    /// Takes out what need not be loaded.
    mutating func remove(where isNeedless: (RestoreCandidate) -> Bool) {
        found.removeAll { isNeedless($0.0) }
        missing.removeAll(where: isNeedless)
        unlisted.removeAll { isNeedless($0.candidate) }
    }
}
