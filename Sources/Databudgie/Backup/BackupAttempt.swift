import Postgres
import Storage

/// One attempt at a backup: everything from one snapshot, and all files under one timestamp.
struct BackupAttempt {
    let session: DatabaseSession
    let manifest: ManifestSession?
    let configuration: BackupConfiguration
    let dump: DefinitionDump
    /// Makes the files a set; nil when no set is recorded.
    let recording: SetRecording?
    /// The server may cancel what runs on a standby; this attempt is not the last one, so it gives up at once then.
    let givesUpOnConflict: Bool
    /// Which rows are exported; nil: all.
    var subset: SubsetResult?
    /// What is exported in place of values.
    var masks = PreparedMasks()

    /// How often another timestamp is tried.
    private static let timestamps = 100

    var settings: RunSettings { session.settings }
    var recorder: RunRecorder { session.recorder }

    /// Plans, and exports what is planned.
    ///
    /// - Returns: What became of the jobs.
    /// - Throws: ``RecoveryConflict`` when the attempt gives up; what ends the run.
    func run() async throws -> RunResults {
        let snapshot = ExportSnapshot(session: session)
        return try await snapshot.withPlan({ try makePlan($0, settings.timestamp) }) { plan, catalog in
            // What is wrong with masks and with a subset is known before anything is written.
            let (attempt, plan) = try await prepared(plan, catalog)
            return try await attempt.write(plan, catalog)
        }
    }

    /// The attempt that exports the plan's masks and the rows of its subset, and the plan with what was found about them.
    ///
    /// - Parameters:
    ///   - plan: In the snapshot's transaction.
    ///   - catalog: Of the snapshot.
    ///   - masksRows: The server also checks masked rows as the constraints of their tables would.
    ///   - searchesRows: The rows of a subset are searched.
    /// - Returns: The attempt and the plan.
    /// - Throws: ``DatabudgieError`` for masks and subsets that cannot be; `PostgresError`, `CancellationError`.
    func prepared(
        _ plan: BackupPlan,
        _ catalog: DatabaseCatalog,
        masksRows: Bool = true,
        searchesRows: Bool = true
    ) async throws -> (attempt: BackupAttempt, plan: BackupPlan) {
        var attempt = self
        attempt.masks = try await recorder.holding(plan.findings) {
            try await MaskPreparation(session: session, catalog: catalog).masks(of: plan, readsRows: masksRows)
        }
        let masked = attempt.masks.applied(to: plan)
        return searchesRows ? try await attempt.withSubset(masked) : (attempt, masked)
    }

    private func withSubset(_ plan: BackupPlan) async throws -> (attempt: BackupAttempt, plan: BackupPlan) {
        guard let subset = plan.subset else { return (self, plan) }
        let (result, findings) = try await recorder.holding(plan.findings) {
            try await search(subset, of: plan).run()
        }
        var (attempt, plan) = (self, plan)
        attempt.subset = result
        plan.findings += findings
        return (attempt, plan)
    }

    /// What finds the rows of a plan's subset.
    func search(_ subset: SubsetPlan, of plan: BackupPlan) -> SubsetSearch {
        let tables = plan.jobs.filter(\.isSubsetTable)
        return SubsetSearch(
            session: session,
            plan: subset,
            appliesRowSecurity: tables.contains(where: \.appliesRowSecurity),
            masks: masks.masks?.plan.masks
        )
    }

    /// Writes what is planned, under the first timestamp that no other run has.
    private func write(_ plan: BackupPlan, _ catalog: DatabaseCatalog) async throws -> RunResults {
        let recordedRun = try await session.recorder.holding(plan.findings) { try await manifest?.begin() }
        let resumption = BackupResumption(plan: plan, recorded: recordedRun?.recorded)
        announce(plan, catalog, resumption, recordedRun)
        var (plan, timestamp) = (plan, settings.timestamp)
        for _ in 1..<Self.timestamps {
            do {
                return try await export(plan, catalog, recordedRun, timestamp, givesWay: true)
            } catch let taken as PathIsTaken {
                timestamp = timestamp.next
                plan = masks.applied(to: try makePlan(catalog, timestamp))
                recorder.found(.note("\(taken.message): this run writes its files as \(timestamp.timestamp)"))
                recorder.planned(.backup, planned(plan, catalog), [])
            }
        }
        return try await export(plan, catalog, recordedRun, timestamp, givesWay: false)
    }

    func makePlan(_ catalog: DatabaseCatalog, _ timestamp: RunTimestamp) throws -> BackupPlan {
        let planner = BackupPlanner(
            catalog: catalog,
            timestamp: timestamp,
            isStrict: settings.isStrict,
            includesDefinitions: settings.definitions.isEnabled,
            subset: settings.subset
        )
        return try planner.plan(configuration.tables)
    }

    func announce(
        _ plan: BackupPlan,
        _ catalog: DatabaseCatalog,
        _ resumption: BackupResumption,
        _ recordedRun: ManifestRun?
    ) {
        if let announcement = recordedRun?.announcement { recorder.recording(announcement) }
        recorder.planned(.backup, planned(plan, catalog), plan.findings + resumption.findings)
    }

    /// The jobs as the plan lists them; of a subset the number of rows is known.
    private func planned(_ plan: BackupPlan, _ catalog: DatabaseCatalog) -> [PlannedJob] {
        plan.jobs.map { PlannedJob($0, rows: subsetRows(of: $0, catalog) ?? $0.estimatedRows) }
    }

    /// How many rows of a subset a job exports; nil when it exports all rows that there are.
    func subsetRows(of job: BackupJob, _ catalog: DatabaseCatalog) -> Int? {
        guard let subset, job.isSubsetTable, let relation = job.relation else { return nil }
        return subset.counts(of: catalog.holders(of: relation)).kept
    }

    /// Writes all files of the plan; when it gives way to another run or to the server, those that no other run knows are
    /// removed again.
    private func export(
        _ plan: BackupPlan,
        _ catalog: DatabaseCatalog,
        _ recordedRun: ManifestRun?,
        _ timestamp: RunTimestamp,
        givesWay: Bool
    ) async throws -> RunResults {
        await FailPoint.reached(.setUnclaimed)
        if let recording, try await !recording.claim(timestamp) {
            let message = "another run writes the set \(timestamp.timestamp)"
            guard givesWay else { throw DatabudgieError(.storage, message, hint: "run it again") }
            throw PathIsTaken(message: message)
        }
        await FailPoint.reached(.setClaimed)
        let written = WrittenFiles(storages: session.storages, superseding: recording?.superseding(by: timestamp))
        do {
            return try await exportSet(plan, catalog, recordedRun, timestamp, written, givesWay: givesWay)
        } catch let error as PathIsTaken {
            try await giveWay(timestamp, written, error)
        } catch let error as StorageError where givesWay && error.code == .alreadyExists {
            // A definition's.
            try await giveWay(timestamp, written, PathIsTaken(message: error.message))
        } catch let conflict as RecoveryConflict {
            try await giveWay(timestamp, written, conflict)
        } catch {
            // Definitions without rows are no set.
            if written.parts.isEmpty { await written.remove() }
            await recording?.release(timestamp)
            throw error
        }
    }

    private func giveWay(_ timestamp: RunTimestamp, _ written: WrittenFiles, _ error: any Error) async throws -> Never {
        await written.remove()
        await recording?.release(timestamp)
        throw error
    }

    /// Writes all files of the plan, and then the record of what has been written, also when the run ends before its time.
    private func exportSet(
        _ plan: BackupPlan,
        _ catalog: DatabaseCatalog,
        _ recordedRun: ManifestRun?,
        _ timestamp: RunTimestamp,
        _ written: WrittenFiles,
        givesWay: Bool
    ) async throws -> RunResults {
        guard let recording else { return try await write(plan, catalog, recordedRun, timestamp, written, givesWay) }
        var contents = try await SetContents.read(session, plan, catalog, subset)
        var results: RunResults
        do {
            results = try await write(plan, catalog, recordedRun, timestamp, written, givesWay)
        } catch  where !(error is PathIsTaken || error is RecoveryConflict) && !written.parts.isEmpty {
            contents.failures = Self.unfinished(plan, written, error)
            let interrupted = contents
            // A task of its own, because the run may have been cancelled.
            _ = try? await Task { try await recording.commit(timestamp, interrupted, written) }.value
            throw error
        }
        contents.failures = results.jobs.compactMap(SetRecord.Failure.init)
        let whole = contents
        // All files are there: an interruption comes too late to make them worth nothing.
        results.set = try await Task { try await recording.commit(timestamp, whole, written) }.value
        return results
    }

    /// The jobs that a run has not come to, each with the reason.
    private static func unfinished(
        _ plan: BackupPlan,
        _ written: WrittenFiles,
        _ error: any Error
    ) -> [SetRecord.Failure] {
        let done = Set(written.parts.map(\.job.id))
        let message = error is CancellationError ? "the run was interrupted" : ErrorText(error).message
        return plan.jobs.filter { !done.contains($0.id) }.map {
            SetRecord.Failure(table: $0.id.name, message: message)
        }
    }

    private func write(
        _ plan: BackupPlan,
        _ catalog: DatabaseCatalog,
        _ recordedRun: ManifestRun?,
        _ timestamp: RunTimestamp,
        _ written: WrittenFiles,
        _ givesWay: Bool
    ) async throws -> RunResults {
        let resumption = BackupResumption(plan: plan, recorded: recordedRun?.recorded)
        try await session.storages.checkWritable(plan.jobs.compactMap(\.mainPath.parent))
        if !plan.jobs.allSatisfy(\.isUniquePath) { try await written.superseding?.prepare() }
        let export = DefinitionExport(
            session: session,
            catalog: catalog,
            dump: dump,
            timestamp: timestamp,
            written: written
        )
        let definitions = DefinitionWork(export, of: plan.definitions)
        do {
            if !mayExportAtOnce(plan, recordedRun) { try await definitions.finish(over: session) }
            for (job, path) in resumption.kept { written.add(job, keptAt: path) }
            let done = resumption.done.map { recorder.ended(.skipped($0)) }
            let exported = try await self.export(
                resumption.pending,
                catalog,
                recordedRun,
                definitions,
                written,
                givesWay
            )
            return RunResults(
                jobs: done + exported.defined(by: Set(definitions.names), plan),
                definitions: definitions.names.map(\.label)
            )
        } catch  where !definitions.isDone {
            // Rows without their definitions are no set.
            await written.remove()
            throw (error as? DefinitionWork.Failure)?.error ?? error
        }
    }

    /// Whether rows may be written before all definitions are: only what can be taken back if definitions cannot be written, and
    /// what no other run writes, which has claimed another set.
    private func mayExportAtOnce(_ plan: BackupPlan, _ recordedRun: ManifestRun?) -> Bool {
        !settings.isDryRun && recordedRun == nil && recording != nil && plan.jobs.allSatisfy(\.isUniquePath)
            && settings.definitions.filename.variables.contains(.timestamp)
    }

    /// Exports the jobs, several at a time if there is more than one member.
    private func export(
        _ jobs: [BackupJob],
        _ catalog: DatabaseCatalog,
        _ recordedRun: ManifestRun?,
        _ definitions: DefinitionWork,
        _ written: WrittenFiles,
        _ givesWay: Bool
    ) async throws -> [JobResult] {
        let connection = session.connection
        let workers = WorkerCount(settings: settings, catalog: catalog, connection: connection)
        let (wanted, sized) = try await workers.decide(jobs, and: definitions.isWaiting ? 1 : 0)
        let count = try await WorkerLimit(settings: settings, connection: connection)
            .available(wanted, "tables are exported", recorder)
        if count == 1 { try await definitions.finish(over: session) }
        let existing = try await FileListing(jobs.filter(\.skipsIfExists).map(\.pattern), in: session.storages)
        // What has a file is not read, however large it is.
        let pieces = try await workers.division(count).pieces(
            of: sized.map { existing.kept($0.job) == nil ? $0 : ($0.job, 0) },
            isSubset: subset != nil
        )
        reportDivision(pieces)
        let run = RunJobs(
            catalog: catalog,
            recordedRun: recordedRun,
            states: try await SequenceReader(connection: connection).read(jobs.flatMap(\.sequences)),
            existing: existing,
            definitions: definitions,
            defined: definitions.plannedNames,
            written: written,
            subset: subset,
            givesWay: givesWay,
            givesUpOnConflict: givesUpOnConflict,
            list: JobList(pieces),
            age: SnapshotAgeWatch(limit: settings.snapshotAgeLimit),
            publishesMeanwhile: jobs.count >= RunMember.manyJobs
        )
        try await RunTeam(leader: session, run: run, count: count).work()
        let abandoned = run.list.abandoned.map { abandoned in
            abandoned.jobs.map { job in
                let message = "not exported, because \(abandoned.failure) failed and the run is strict"
                return recorder.ended(.failed(JobFailure(job.id, message: message)))
            }
        }
        return run.list.results + (abandoned ?? [])
    }

    private func reportDivision(_ pieces: [JobPiece]) {
        for case .range(let split, 0) in pieces {
            recorder.found(.note("exported in \(split.blocks.count) ranges, by several connections", of: split.job.id))
        }
    }
}

extension FileListing {
    /// A job that is skipped because it has a file, and the file; nil when it is exported.
    func kept(_ job: BackupJob) -> (job: SkippedJob, path: StoragePath)? {
        guard job.skipsIfExists, let path = newest(job.pattern)?.path else { return nil }
        return (SkippedJob(job.id, reason: "\(path) already exists and skip_if_exists is set"), path)
    }
}

extension PlannedJob {
    /// The job as a plan lists it.
    fileprivate init(_ job: BackupJob, rows: Int?) {
        self.init(
            job.id,
            estimatedRows: rows,
            location: job.mainPath.description,
            sequences: job.sequences.count
        )
    }
}

extension [JobResult] {
    /// The same with what is known of definitions once they are written: an extension may have created a table.
    fileprivate func defined(by names: Set<QualifiedName>, _ plan: BackupPlan) -> [JobResult] {
        let jobs = Dictionary(uniqueKeysWithValues: plan.jobs.map { ($0.id, $0.relation?.name) })
        return map { result in
            guard case .finished(var outcome) = result, outcome.includesDefinition else { return result }
            outcome.includesDefinition = jobs[outcome.job]?.map(names.contains) ?? false
            return .finished(outcome)
        }
    }
}

extension SetRecord.Failure {
    /// What became of a job that failed; nil for the others.
    fileprivate init?(_ result: JobResult) {
        guard case .failed(let failure) = result else { return nil }
        self.init(table: failure.job.name, message: failure.message)
    }
}
