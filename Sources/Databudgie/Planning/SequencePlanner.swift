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
                of: catalog.component(of: candidate.storedName)
            ),
            dataTime: dataTime,
            rows: rows
        )
    }

    /// The file of a source: that of the set, or of the same run as the data, or the newest one.
    ///
    /// - Returns: nil when there is none.
    /// - Throws: ``DatabudgieError`` when it is not known, or is not the one that the set has.
    private static func file(
        of source: SequenceSource,
        _ files: FileListing
    ) throws(DatabudgieError) -> (file: FileInfo, isSameRun: Bool)? {
        switch source.candidate.source {
        case .part(let part):
            guard let file = part.sequences else { return nil }
            return (try files.recorded(file, of: part.set), true)
        case .absent, .ambiguous:
            return nil
        case .listing:
            if let failure = files.failure(of: [source.pattern]) { throw failure }
            if let file = source.dataTime.flatMap({ files.file(source.pattern, of: $0) }) { return (file, true) }
            return files.newest(source.pattern, by: source.candidate.entry.strategy).map { ($0, false) }
        }
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
            let found: (file: FileInfo, isSameRun: Bool)?
            do throws(DatabudgieError) {
                found = try Self.file(of: source, files)
            } catch {
                findings += error.problems.map { .problem($0.message, of: source.id, hint: $0.hint) }
                continue
            }
            guard let (file, isSameRun) = found else {
                guard !catalog.sequences(of: relation).isEmpty else { continue }
                let place = source.candidate.source.set.map { "of the set \($0)" } ?? "in \(source.pattern.folder)"
                findings.append(
                    Finding(
                        entry.options.hasExplicitSequences || isNew ? .warning : .note,
                        "there is no file with the values of its sequences \(place), so they are not set",
                        table: source.id.name,
                        hint: isNew ? "set them by setval, or they begin again at their start" : nil
                    )
                )
                continue
            }
            if !isSameRun, source.dataTime != nil {
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
                    part: source.candidate.source.part,
                    rows: source.rows,
                    isStrict: entry.options.isStrict,
                    selection: source.candidate.selection,
                    place: entry.options.place,
                    isNew: isNew,
                    isRenamed: source.candidate.isRenamed
                )
            )
        }
        return (jobs, findings)
    }
}
