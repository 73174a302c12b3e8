import Postgres
import Storage

/// The files of sequence positions that a restore reads.
struct SequencePlan: Sendable {
    /// In the order of appearance.
    var jobs: [SequenceJob] = []
    /// What the user should know, as sentences.
    var warnings: [String] = []
    /// The same for `--verbose`.
    var notes: [String] = []
}

/// One file with the positions of one table's sequences.
struct SequenceJob: Sendable {
    /// The label of the table's load, or one of its own where only the sequences are asked for.
    let label: TableLabel
    let relation: Relation
    let file: FileInfo
    let rows: SequenceSource.Rows
    let isStrict: Bool

    /// Nothing but the sequences is asked for, so that they are a job of their own in the run's report.
    var isAlone: Bool { rows == .leftOut }
}

/// Where the files of positions for a table may lie.
struct SequenceSource: Sendable {
    /// What becomes of the table's rows.
    enum Rows: Sendable {
        /// The run loads them; the sequences move only when that has succeeded.
        case loaded
        /// An earlier run under the same id has loaded them, and may have ended before it set their sequences.
        case loadedBefore
        /// They are not a part of the run.
        case leftOut
    }

    let label: TableLabel
    let candidate: RestoreCandidate
    let pattern: FilePattern
    /// The time in the name of the table's data file; nil where the rows are not a part of the run.
    let dataTime: String?
    let rows: Rows
}

/// Makes a ``SequencePlan``.
struct SequencePlanner {
    let catalog: DatabaseCatalog

    /// The tables whose sequences are to be set.
    ///
    /// - Parameters:
    ///   - plan: The loads; their tables come first.
    ///   - candidates: All tables that were asked for; those without data are added.
    /// - Returns: Where to look for files.
    /// - Throws: What `FilePattern` throws.
    func sources(of plan: RestorePlan, _ candidates: [RestoreCandidate]) throws -> [SequenceSource] {
        var sources: [SequenceSource] = []
        for job in plan.jobs {
            guard let candidate = job.candidate, candidate.entry.options.sequences else { continue }
            sources.append(
                SequenceSource(
                    label: job.label,
                    candidate: candidate,
                    pattern: try pattern(candidate),
                    dataTime: candidate.pattern.time(of: job.file.path),
                    rows: .loaded
                )
            )
        }
        var number = plan.jobs.count + plan.skipped.count
        let done = plan.done.filter(\.candidate.entry.options.sequences).map { candidate, file in
            let time = (try? StoragePath(file)).flatMap { candidate.pattern.time(of: $0) }
            return (candidate, SequenceSource.Rows.loadedBefore, time)
        }
        let alone = candidates.filter { !$0.entry.options.data }.map { candidate in
            (candidate, SequenceSource.Rows.leftOut, String?.none)
        }
        for (candidate, rows, dataTime) in done + alone {
            sources.append(
                SequenceSource(
                    label: TableLabel(number: number, description: candidate.relation.name.description),
                    candidate: candidate,
                    pattern: try pattern(candidate),
                    dataTime: dataTime,
                    rows: rows
                )
            )
            number += 1
        }
        return sources
    }

    /// Chooses the files: of the same run as the data where there is one, else the newest.
    func plan(_ sources: [SequenceSource], files: FileListing) -> SequencePlan {
        var plan = SequencePlan()
        for source in sources {
            let (entry, relation) = (source.candidate.entry, source.candidate.relation)
            let sameRun = source.dataTime.flatMap { files.file(source.pattern, of: $0) }
            guard let file = sameRun ?? files.newest(source.pattern, by: entry.strategy) else {
                guard !catalog.sequences(of: relation).isEmpty else { continue }
                let message =
                    "\(source.label): there is no file with the positions of its sequences in \(source.pattern.folder), "
                    + "so they stay where they are."
                if entry.options.hasExplicitSequences {
                    plan.warnings.append(message)
                } else {
                    plan.notes.append(message)
                }
                continue
            }
            if sameRun == nil, source.dataTime != nil {
                plan.warnings.append(
                    "\(source.label): the positions of its sequences come from \(file.path), which is not of the same "
                        + "backup as the data."
                )
            }
            plan.jobs.append(
                SequenceJob(
                    label: source.label,
                    relation: relation,
                    file: file,
                    rows: source.rows,
                    isStrict: entry.options.strict
                )
            )
        }
        return plan
    }

    private func pattern(_ candidate: RestoreCandidate) throws -> FilePattern {
        let options = candidate.entry.options
        let location = options.location.description
        return try FilePattern(
            location: try Template(location + (location.hasSuffix("/") ? "sequences" : "/sequences")),
            filename: options.filename,
            table: PathComponent.encode(candidate.relation.name.description),
            ext: "json"
        )
    }
}
