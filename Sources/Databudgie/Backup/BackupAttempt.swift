import Postgres
import Storage

/// One attempt at a backup: everything from one snapshot, and all files under one timestamp.
struct BackupAttempt {
    let session: DatabaseSession
    let manifest: ManifestSession?
    let configuration: BackupConfiguration
    let dump: DefinitionDump
    /// The server may cancel what runs on a standby; this attempt is not the last one, so it gives up at once then.
    let givesUpOnConflict: Bool

    /// How often another timestamp is tried.
    private static let timestamps = 100

    private var settings: RunSettings { session.settings }
    private var recorder: RunRecorder { session.recorder }

    /// Another run has taken a path of this one.
    private struct PathIsTaken: Error {
        let error: StorageError
    }

    /// Plans, and exports what is planned.
    ///
    /// - Returns: What became of the jobs.
    /// - Throws: ``RecoveryConflict`` when the attempt gives up; what ends the run.
    func run() async throws -> RunResults {
        let snapshot = ExportSnapshot(session: session)
        return try await snapshot.withPlan({ try makePlan($0, settings.timestamp) }) { plan, catalog in
            let recordedRun = try await session.recorder.holding(plan.findings) { try await manifest?.begin() }
            let resumption = BackupResumption(plan: plan, recorded: recordedRun?.recorded)
            announce(plan, resumption, recordedRun)
            var (plan, timestamp) = (plan, settings.timestamp)
            for _ in 1..<Self.timestamps {
                do {
                    return try await export(plan, catalog, recordedRun, timestamp, givesWay: true)
                } catch let taken as PathIsTaken {
                    timestamp = timestamp.next
                    plan = try makePlan(catalog, timestamp)
                    recorder.found(.note("\(taken.error.message): this run writes its files as \(timestamp.timestamp)"))
                    recorder.planned(.backup, plan.jobs.map(PlannedJob.init), [])
                }
            }
            return try await export(plan, catalog, recordedRun, timestamp, givesWay: false)
        }
    }

    private func makePlan(_ catalog: DatabaseCatalog, _ timestamp: RunTimestamp) throws -> BackupPlan {
        let planner = BackupPlanner(
            catalog: catalog,
            timestamp: timestamp,
            isStrict: settings.isStrict,
            includesDefinitions: settings.definitions.isEnabled
        )
        return try planner.plan(configuration.tables)
    }

    private func announce(_ plan: BackupPlan, _ resumption: BackupResumption, _ recordedRun: ManifestRun?) {
        if let announcement = recordedRun?.announcement { recorder.recording(announcement) }
        recorder.planned(.backup, plan.jobs.map(PlannedJob.init), plan.findings + resumption.findings)
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
        let published = PublishedFiles(storages: session.storages)
        do {
            let resumption = BackupResumption(plan: plan, recorded: recordedRun?.recorded)
            try await session.storages.checkWritable(plan.jobs.compactMap(\.mainPath.parent))
            let definitions = DefinitionExport(
                session: session,
                catalog: catalog,
                dump: dump,
                timestamp: timestamp,
                published: published
            )
            let defined = try await definitions.run(plan.definitions)
            let done = resumption.done.map { recorder.ended(.skipped($0)) }
            let exported = try await export(resumption.pending, catalog, recordedRun, Set(defined), published, givesWay)
            return RunResults(jobs: done + exported, definitions: defined.map(\.label))
        } catch let error as PathIsTaken {
            await published.remove()
            throw error
        } catch let error as StorageError where givesWay && error.code == .alreadyExists {
            // A definition's.
            await published.remove()
            throw PathIsTaken(error: error)
        } catch let conflict as RecoveryConflict {
            await published.remove()
            throw conflict
        }
    }

    /// Exports job after job; a failed one stops the others only when it is strict.
    private func export(
        _ jobs: [BackupJob],
        _ catalog: DatabaseCatalog,
        _ recordedRun: ManifestRun?,
        _ defined: Set<QualifiedName>,
        _ published: PublishedFiles,
        _ givesWay: Bool
    ) async throws -> [JobResult] {
        let existing = try await FileListing(jobs.filter(\.skipsIfExists).map(\.pattern), in: session.storages)
        let states = try await SequenceReader(connection: session.connection).read(jobs.flatMap(\.sequences))
        var age = SnapshotAge(limit: settings.snapshotAgeLimit)
        var results: [JobResult] = []
        for (index, job) in jobs.enumerated() {
            if job.skipsIfExists, let file = existing.newest(job.pattern) {
                let reason = "\(file.path) already exists and skip_if_exists is set"
                results.append(recorder.ended(.skipped(SkippedJob(job.id, reason: reason))))
                continue
            }
            do {
                recorder.started(job.id)
                let export = JobExport(
                    session: session,
                    job: job,
                    catalog: catalog,
                    states: states,
                    defined: defined
                )
                let outcome = try await export.run()
                if job.isUniquePath { published.add(job.paths) }
                try await recordedRun?.record(published: job, outcome)
                results.append(recorder.ended(.finished(outcome)))
            } catch {
                // What the manifest has recorded stays.
                let isRecorded = recordedRun?.isDryRun == false && results.contains(where: \.isFinished)
                if givesWay, !isRecorded, job.isUniquePath, let error = error as? StorageError,
                    error.code == .alreadyExists
                {
                    throw PathIsTaken(error: error)
                }
                if givesUpOnConflict, !isRecorded, let conflict = RecoveryConflict(error) { throw conflict }
                if FailureScope(of: error) != .interruption {
                    results.append(recorder.ended(.failed(JobFailure(job.id, error))))
                }
                try rethrowUnlessJobFailed(error)
                guard job.isStrict else { continue }
                results += jobs[(index + 1)...].map { remaining in
                    let message = "not exported, because \(job.id) failed and the run is strict"
                    return recorder.ended(.failed(JobFailure(remaining.id, message: message)))
                }
                return results
            }
            if index < jobs.count - 1, let warning = age.warning() { recorder.found(warning) }
        }
        return results
    }
}

extension PlannedJob {
    /// The job as a plan lists it.
    fileprivate init(_ job: BackupJob) {
        self.init(
            job.id,
            estimatedRows: job.estimatedRows,
            location: job.mainPath.description,
            sequences: job.sequences.count
        )
    }
}

extension JobResult {
    fileprivate var isFinished: Bool { if case .finished = self { true } else { false } }
}
