import Postgres
import Storage

/// Where the sequences of one table are to stand.
struct SequenceSetting: Sendable {
    let job: SequenceJob
    let positions: [(sequence: TableSequence, position: SequenceValue)]
}

/// Reads the files of sequence positions and compares them with the sequences of the target.
struct SequenceCheck {
    let catalog: DatabaseCatalog
    let storages: StorageRouter

    /// What the checks found out.
    struct Findings {
        var settings: [SequenceSetting] = []
        /// Why nothing may be restored.
        var problems: [String] = []
        var warnings: [String] = []
        /// For `--verbose`.
        var notes: [String] = []
    }

    /// Checks all files.
    ///
    /// - Throws: `StorageError` when a file could not be read.
    func check(_ jobs: [SequenceJob]) async throws -> Findings {
        let storages = storages
        let files = try await jobs.concurrentMap { job in
            do {
                let positions = try await SequencesFile.read(job.file, from: storages.storage(for: job.file.path))
                return Result<_, DatabudgieError>.success(positions)
            } catch let error as DatabudgieError {
                return .failure(error)
            }
        }
        var findings = Findings()
        for (job, file) in zip(jobs, files) {
            switch file {
            case .success(let positions): match(positions, job, &findings)
            case .failure(let error): findings.problems += error.messages.map { "\(job.label): \($0)" }
            }
        }
        return findings
    }

    /// Finds the sequence of each key among those that belong to the table; all others must not be touched.
    private func match(
        _ positions: [(key: String, position: SequenceValue)],
        _ job: SequenceJob,
        _ findings: inout Findings
    ) {
        let sequences = catalog.sequences(of: job.relation)
        // Names are compared by bytes, as the server does; a name written out in full wins over one without quotes.
        let spellings =
            sequences.map { [Array($0.fileKey.utf8)] } + sequences.map { $0.fileKeys.map { Array($0.utf8) } }
        let owners = Dictionary(
            zip(spellings, sequences + sequences).flatMap { keys, sequence in keys.map { ($0, sequence) } },
            uniquingKeysWith: { first, _ in first }
        )
        var strangers: [String] = []
        var matched: [(sequence: TableSequence, position: SequenceValue)] = []
        for (key, position) in positions {
            guard let sequence = owners[Array(key.utf8)] else {
                strangers.append(key)
                continue
            }
            if let problem = Self.problem(sequence, position, key: key, job) { findings.problems.append(problem) }
            matched.append((sequence, position))
        }
        if !strangers.isEmpty {
            findings.warnings.append(
                "\(job.label): \(job.file.path) names \(strangers.joined(separator: ", ")), which is no sequence of the "
                    + "table in the target database, and is ignored."
            )
        }
        guard !matched.isEmpty || job.isAlone else { return }
        let names = matched.map(\.sequence.name.description).joined(separator: ", ")
        findings.notes.append("\(job.label): the positions of its sequences (\(names)) come from \(job.file.path)")
        findings.settings.append(SequenceSetting(job: job, positions: matched))
    }

    private static func problem(
        _ sequence: TableSequence,
        _ position: SequenceValue,
        key: String,
        _ job: SequenceJob
    ) -> String? {
        if !sequence.bounds.contains(position.lastValue) {
            let (lowest, highest) = (sequence.bounds.lowerBound, sequence.bounds.upperBound)
            return
                "\(job.label): \(job.file.path): the value \(position.lastValue) of \"\(key)\" is out of the range of the "
                + "sequence \(sequence.name), \(lowest) to \(highest); alter the sequence, or set 'sequences: false'."
        }
        if !sequence.isSettable {
            return
                "\(job.label): the role may not set the position of the sequence \(sequence.name); grant it UPDATE on "
                + "the sequence, or set 'sequences: false'."
        }
        return nil
    }
}
