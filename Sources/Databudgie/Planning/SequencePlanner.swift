import Postgres
import Storage

/// Plans which sequences are set.
struct SequencePlanner {
    let catalog: DatabaseCatalog
    /// What this run creates from definitions.
    var created: Set<QualifiedName> = []

    /// The tables whose sequences are to be set.
    ///
    /// - Parameters:
    ///   - plan: The loads; their tables come first. Sequences without rows get numbers of their own in it.
    ///   - candidates: All tables that are asked for; those without rows are added.
    /// - Returns: Where to look for files.
    /// - Throws: What `FilePattern` throws.
    func sources(of plan: inout RestorePlan, _ candidates: [RestoreCandidate]) throws -> [SequenceSource] {
        var sources: [SequenceSource] = []
        for job in plan.jobs {
            guard let candidate = job.candidate, candidate.entry.options.includesSequences else { continue }
            let time = candidate.pattern.time(of: job.file.path)
            let id = JobID(.sequences, of: job.id.name, number: job.id.number)
            sources.append(try source(id, candidate, time, .loaded))
        }
        for (candidate, file) in plan.done where candidate.entry.options.includesSequences {
            let time = (try? StoragePath(file)).flatMap { candidate.pattern.time(of: $0) }
            let id = plan.newID(.sequences, of: candidate.relation.name.label)
            sources.append(try source(id, candidate, time, .loadedBefore))
        }
        for candidate in candidates where !candidate.entry.options.includesRows {
            let id = plan.newID(.sequences, of: candidate.relation.name.label)
            sources.append(try source(id, candidate, nil, .skipped))
        }
        return sources
    }

    private func source(
        _ id: JobID,
        _ candidate: RestoreCandidate,
        _ dataTime: String?,
        _ rows: SequenceSource.Rows
    ) throws -> SequenceSource {
        SequenceSource(
            id: id,
            candidate: candidate,
            pattern: try FileLayout(candidate.entry.options).pattern(
                .sequences,
                of: catalog.component(of: candidate.relation.name)
            ),
            dataTime: dataTime,
            rows: rows
        )
    }

    /// Chooses the files: of the same run as the data when there is one, else the newest.
    ///
    /// - Returns: The files in the order of the sources, and what the user should know.
    func plan(_ sources: [SequenceSource], files: FileListing) -> (jobs: [SequenceJob], findings: [Finding]) {
        var jobs: [SequenceJob] = []
        var findings: [Finding] = []
        for source in sources {
            let (entry, relation) = (source.candidate.entry, source.candidate.relation)
            let isNew = created.contains(relation.name) && source.rows != .loadedBefore
            if let failure = files.failure(of: [source.pattern]) {
                findings += failure.problems.map { .problem($0.message, of: source.id, hint: $0.hint) }
                continue
            }
            let sameRun = source.dataTime.flatMap { files.file(source.pattern, of: $0) }
            guard let file = sameRun ?? files.newest(source.pattern, by: entry.strategy) else {
                guard !catalog.sequences(of: relation).isEmpty else { continue }
                findings.append(
                    Finding(
                        entry.options.hasExplicitSequences || isNew ? .warning : .note,
                        "there is no file with the values of its sequences in \(source.pattern.folder), so they are not set",
                        table: source.id.name,
                        hint: isNew ? "set them by setval, or they begin again at their start" : nil
                    )
                )
                continue
            }
            if sameRun == nil, source.dataTime != nil {
                findings.append(
                    .warning(
                        "the values of its sequences come from \(file.path), which is not of the same backup as the data",
                        of: source.id
                    )
                )
            }
            jobs.append(
                SequenceJob(
                    id: source.id,
                    relation: relation,
                    file: file,
                    rows: source.rows,
                    isStrict: entry.options.isStrict,
                    isNew: isNew
                )
            )
        }
        return (jobs, findings)
    }
}
