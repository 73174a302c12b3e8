import Postgres
import Storage

/// Compares the files of sequences' values with the sequences of the target.
struct SequenceCheck {
    let catalog: DatabaseCatalog
    let files: RestoreFiles

    /// Checks all files.
    ///
    /// - Returns: What is to be set, and what was found; a problem concerns its table alone.
    func check(_ jobs: [SequenceJob]) -> (settings: [SequenceSetting], findings: [Finding]) {
        var settings: [SequenceSetting] = []
        var findings: [Finding] = []
        for job in jobs {
            switch files.values(in: job.file) {
            case .success(let entries):
                let (setting, found) = match(entries, job)
                findings += found
                if let setting { settings.append(setting) }
            case .failure(let error):
                findings += error.problems.map { .problem($0.sentence, of: job.id, hint: $0.hint) }
            }
        }
        return (settings, findings)
    }

    /// Finds the sequence of each key among those that belong to the table; all others must not be touched.
    private func match(
        _ entries: [SequencesFile.Entry],
        _ job: SequenceJob
    ) -> (setting: SequenceSetting?, findings: [Finding]) {
        let sequences = catalog.sequences(of: job.relation)
        // A name written out in full wins over one without quotes.
        let spellings = sequences.map { [ByteKey($0.fileKey)] } + sequences.map { $0.fileKeys.map { ByteKey($0) } }
        let owners = Dictionary(
            zip(spellings, sequences + sequences).flatMap { keys, sequence in keys.map { ($0, sequence) } },
            uniquingKeysWith: { first, _ in first }
        )
        var unknownKeys: [String] = []
        var findings: [Finding] = []
        var states: [(sequence: TableSequence, state: SequenceState)] = []
        let renamed = RenamedSequences(relation: job.relation, catalog: catalog, isOfRenamedTable: job.isRenamed)
            .matches(
                keys: entries.map(\.key).filter { owners[ByteKey($0)] == nil },
                sequences: sequences.filter { sequence in
                    !entries.contains { owners[ByteKey($0.key)]?.oid == sequence.oid }
                }
            )
        for (key, state) in entries {
            guard let sequence = owners[ByteKey(key)] ?? renamed[ByteKey(key)]?.tableSequence else {
                unknownKeys.append(key)
                continue
            }
            if let match = renamed[ByteKey(key)] {
                findings.append(
                    Finding(
                        match.isCertain ? .note : .warning,
                        "the value of \(key) in \(job.file.path) is that of \(sequence.name), \(match.reason)",
                        table: job.id.name
                    )
                )
            }
            if let problem = Self.problem(sequence, state, key: key, job) { findings.append(problem) }
            states.append((sequence, state))
        }
        if !unknownKeys.isEmpty {
            let verb = unknownKeys.count == 1 ? "is not a sequence" : "are not sequences"
            findings.append(
                .warning(
                    "\(unknownKeys.joined(separator: ", ")) in \(job.file.path) \(verb) of the table in the target database, "
                        + "and \(unknownKeys.count == 1 ? "is" : "are") ignored",
                    of: job.id
                )
            )
        }
        guard !states.isEmpty || job.isAlone else { return (nil, findings) }
        let names = states.map(\.sequence.name.description).joined(separator: ", ")
        findings.append(.note("the values of its sequences (\(names)) come from \(job.file.path)", of: job.id))
        return (SequenceSetting(job: job, states: states), findings)
    }

    private static func problem(
        _ sequence: TableSequence,
        _ state: SequenceState,
        key: String,
        _ job: SequenceJob
    ) -> Finding? {
        if !sequence.bounds.contains(state.lastValue) {
            let (lowest, highest) = (sequence.bounds.lowerBound, sequence.bounds.upperBound)
            return .problem(
                "\(job.file.path): the value \(state.lastValue) of \"\(key)\" is out of the range of the sequence "
                    + "\(sequence.name), \(lowest) to \(highest)",
                of: job.id,
                hint: "alter the sequence, or set 'sequences: false'"
            )
        }
        if !sequence.isSettable {
            return .problem(
                "the role lacks UPDATE on the sequence \(sequence.name)",
                of: job.id,
                hint: "grant it, or set 'sequences: false'"
            )
        }
        return nil
    }
}
