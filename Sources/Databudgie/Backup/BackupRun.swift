import Postgres
import Storage

/// Exports what a configuration asks for, all of it from one consistent moment.
///
///     let configuration = try Configuration.load(files: ["databudgie.yml"])
///     let report = try await BackupRun(configuration).run { event in print(event) }
public struct BackupRun: Sendable {
    private let configuration: Configuration
    private let environment: RunEnvironment

    /// Prepares a backup; nothing is done before ``run(onEvent:)``.
    ///
    /// - Parameters:
    ///   - configuration: What to export, and where to.
    ///   - environment: Environment variables and clock.
    public init(_ configuration: Configuration, environment: RunEnvironment = RunEnvironment()) {
        self.configuration = configuration
        self.environment = environment
    }

    /// Runs the backup to its end.
    ///
    /// A table that fails leaves no file behind and does not stop the others, unless it or the run is strict; the report
    /// lists it, so a caller must look at ``RunReport/failed``. Cancelling the task cancels the running query, aborts the
    /// upload, removes the temporary file, and throws `CancellationError`.
    /// - Parameter onEvent: Receives what happens, in order, from the tasks of the run: it must return quickly.
    /// - Returns: What was exported, skipped and failed.
    /// - Throws: ``DatabudgieError``, `PostgresError`, `StorageError` or `CancellationError` when nothing more could be
    ///   done; files that were finished before stay.
    public func run(onEvent: @escaping @Sendable (RunEvent) -> Void = { _ in }) async throws -> RunReport {
        let settings = try RunSettings(configuration, for: .backup, in: environment)
        return try await Session.run(settings, onEvent: onEvent) { session in
            try await session.withDatabase { database in
                try await ManifestSession.with(settings, over: database.connection) { manifest in
                    try await run(database, manifest)
                }
            }
        }
    }

    private func run(_ session: DatabaseSession, _ manifest: ManifestSession?) async throws -> RunResults {
        let settings = session.settings
        let dump = DefinitionDump(environment: settings.variables)
        if settings.definitions.isEnabled { try await dump.check(for: session.connection.server) }
        let snapshot = ExportSnapshot(session: session)
        return try await snapshot.withPlan({ try makePlan($0, settings) }) { plan, catalog in
            let recordedRun = try await manifest?.begin()
            let resumption = BackupResumption(plan: plan, recorded: recordedRun?.recorded)
            announce(plan, resumption, recordedRun, session.recorder)
            let done = resumption.done.map { session.recorder.ended(.skipped($0)) }
            try await session.storages.checkWritable(plan.jobs.compactMap(\.mainPath.parent))
            let definitions = DefinitionExport(session: session, catalog: catalog, dump: dump)
            let defined = try await definitions.run(plan.definitions)
            let exported = try await export(resumption.pending, session, catalog, recordedRun, defined: Set(defined))
            return RunResults(jobs: done + exported, definitions: defined.map(\.label))
        }
    }

    private func makePlan(_ catalog: DatabaseCatalog, _ settings: RunSettings) throws -> BackupPlan {
        let planner = BackupPlanner(
            catalog: catalog,
            timestamp: settings.timestamp,
            isStrict: settings.isStrict,
            includesDefinitions: settings.definitions.isEnabled
        )
        return try planner.plan(configuration.backup.tables)
    }

    private func announce(
        _ plan: BackupPlan,
        _ resumption: BackupResumption,
        _ recordedRun: ManifestRun?,
        _ recorder: RunRecorder
    ) {
        if let announcement = recordedRun?.announcement { recorder.recording(announcement) }
        recorder.planned(
            .backup,
            plan.jobs.map {
                PlannedJob(
                    $0.id,
                    estimatedRows: $0.estimatedRows,
                    location: $0.mainPath.description,
                    sequences: $0.sequences.count
                )
            },
            plan.findings + resumption.findings
        )
    }

    /// Exports job after job; a failed one stops the others only when it is strict.
    private func export(
        _ jobs: [BackupJob],
        _ session: DatabaseSession,
        _ catalog: DatabaseCatalog,
        _ recordedRun: ManifestRun?,
        defined: Set<QualifiedName>
    ) async throws -> [JobResult] {
        let recorder = session.recorder
        let existing = try await FileListing(jobs.filter(\.skipsIfExists).map(\.pattern), in: session.storages)
        let states = try await SequenceReader(connection: session.connection).read(jobs.flatMap(\.sequences))
        var results: [JobResult] = []
        for (index, job) in jobs.enumerated() {
            if job.skipsIfExists, let file = existing.newest(job.pattern) {
                let reason = "\(file.path) already exists and skip_if_exists is set"
                results.append(recorder.ended(.skipped(SkippedJob(job.id, reason: reason))))
                continue
            }
            do {
                recorder.started(job.id)
                let export = JobExport(session: session, job: job, catalog: catalog, states: states, defined: defined)
                let outcome = try await export.run()
                try await recordedRun?.record(published: job, outcome)
                results.append(recorder.ended(.finished(outcome)))
            } catch {
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
        }
        return results
    }
}
