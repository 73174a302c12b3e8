import Postgres
import Storage

/// Exports what a configuration asks for, all of it from one consistent moment.
///
///     let configuration = try Configuration.load(files: ["databudgie.yml"])
///     let report = try await BackupRun(configuration).run { event in print(event) }
public struct BackupRun: Sendable {
    private let configuration: Configuration
    private let options: RunEnvironment

    /// - Parameters:
    ///   - configuration: What to export, and where to.
    ///   - options: Dry run, environment and clock.
    public init(_ configuration: Configuration, options: RunEnvironment = RunEnvironment()) {
        self.configuration = configuration
        self.options = options
    }

    /// Runs the backup to its end.
    ///
    /// A table that fails leaves no file behind and does not stop the others, unless it or the run is strict; the report
    /// lists it, so that a caller must look at ``RunReport/failed``. Cancelling the task cancels the running query,
    /// aborts the upload, removes the temporary file, and throws `CancellationError`.
    /// - Parameter onEvent: Receives what happens, in order, from the tasks of the run: it must return quickly.
    /// - Returns: What was exported, skipped and failed.
    /// - Throws: ``DatabudgieError``, `PostgresError`, `StorageError` or `CancellationError` when nothing more could be
    ///   done; files that were finished before stay.
    public func run(onEvent: @escaping @Sendable (RunEvent) -> Void = { _ in }) async throws -> RunReport {
        try await Session.run(.backup, configuration, options, onEvent: onEvent) { session in
            try await ManifestSession.with(configuration, for: .backup, over: session.connection) { manifest in
                try await run(session, manifest)
            }
        }
    }

    private func run(_ session: Session, _ manifest: ManifestSession?) async throws {
        let snapshot = ExportSnapshot(
            connection: session.connection,
            idleInTransactionTimeout: configuration.backup.run.idleInTransactionTimeout
        )
        let tools = DefinitionDump(environment: options.environment)
        if configuration.backup.run.definitions.enabled { try await tools.check(for: session.connection.server) }
        let planning: (DatabaseCatalog) throws -> BackupPlan = { try makePlan($0, manifest) }
        try await snapshot.withPlan(planning) { plan, catalog in
            let transaction = try await manifest?.begin(isDryRun: options.isDryRun)
            let resumption = BackupResumption(plan: plan, recorded: transaction?.recorded)
            if let transaction, !options.isDryRun { session.recorder.recording(transaction.announcement) }
            announce(plan, resumption, session.recorder)
            if !options.isDryRun {
                try await session.storages.checkWritable(plan.jobs.compactMap(\.mainPath.parent))
            }
            let definitions = DefinitionExport(
                session: session,
                parameters: try configuration.connection(for: .backup),
                settings: configuration.backup.run.definitions,
                catalog: catalog,
                moment: RunTimestamp(options.now),
                tools: tools,
                isDryRun: options.isDryRun
            )
            try await definitions.run(plan.definitions)
            try await export(resumption.pending, session, transaction)
        }
    }

    private func makePlan(_ catalog: DatabaseCatalog, _ manifest: ManifestSession?) throws -> BackupPlan {
        var catalog = catalog
        catalog.manifest = manifest?.table.name
        let settings = configuration.backup
        let planner = BackupPlanner(
            catalog: catalog,
            moment: RunTimestamp(options.now),
            isStrict: settings.run.strict,
            hasDefinitions: settings.run.definitions.enabled
        )
        return try planner.plan(settings.tables)
    }

    private func announce(_ plan: BackupPlan, _ resumption: BackupResumption, _ recorder: RunRecorder) {
        recorder.planned(
            plan.jobs.map {
                PlannedTable(
                    label: $0.label,
                    estimatedRows: $0.includesData ? $0.estimatedRows : nil,
                    location: $0.mainPath.description,
                    sequences: $0.sequences.count
                )
            },
            reasons: plan.jobs.map { "\($0.label): \($0.reason)" } + plan.jobs.compactMap(\.sequencesNote),
            warnings: plan.warnings + resumption.warnings
        )
        resumption.done.forEach { recorder.skipped($0.label, reason: $0.reason) }
    }

    private func export(_ jobs: [BackupJob], _ session: Session, _ manifest: ManifestRun?) async throws {
        let recorder = session.recorder
        let existing = try await FileListing(jobs.filter(\.skipIfExists).map(\.pattern), in: session.storages)
        let positions = try await SequenceReader(connection: session.connection).read(jobs.flatMap(\.sequences))
        for (index, job) in jobs.enumerated() {
            do {
                let sequences = SequencesExport(
                    storage: session.storages.storage(for: job.sequencesPath),
                    job: job,
                    positions: positions,
                    isDryRun: options.isDryRun
                )
                try await exportOne(job, sequences, existing: existing, session, manifest)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                try Task.checkCancellation()
                recorder.failed(job.label, error)
                if error.isLostConnection { throw error }
                guard job.isStrict else { continue }
                for remaining in jobs[(index + 1)...] {
                    recorder.failed(
                        remaining.label,
                        reason: "not exported, as \(job.label) failed and the run is strict"
                    )
                }
                return
            }
        }
    }

    /// Runs one job within a savepoint, so that its failure leaves the snapshot usable for the others.
    ///
    /// The data file is published last: a restore that finds it finds the positions of its sequences as well.
    private func exportOne(
        _ job: BackupJob,
        _ sequences: SequencesExport,
        existing: FileListing,
        _ session: Session,
        _ manifest: ManifestRun?
    ) async throws {
        let (connection, recorder) = (session.connection, session.recorder)
        if job.skipIfExists, let existing = existing.newest(job.pattern) {
            recorder.skipped(job.label, reason: "\(existing.path) exists already and skip_if_exists is set")
            return
        }
        recorder.started(job.label)
        try await sequences.write()
        guard job.includesData else {
            let totals = TransferTotals(rows: 0, bytes: 0, fileBytes: 0)
            recorder.finished(job.label, totals: totals, path: options.isDryRun ? nil : job.sequencesPath)
            return
        }
        let export = TableExport(
            connection: connection,
            storage: session.storages.storage(for: job.path),
            job: job,
            isDryRun: options.isDryRun
        )
        let totals: TransferTotals
        do {
            totals = try await connection.withSavepoint("table_job") {
                try await export.run { recorder.progressed(job.label, $0) }
            }
        } catch {
            await sequences.remove()
            throw error
        }
        if !options.isDryRun { try await manifest?.record(published: job) }
        recorder.finished(job.label, totals: totals, path: options.isDryRun ? nil : job.path)
    }
}

extension BackupJob {
    /// What is done about the job's sequences, for `--verbose`.
    fileprivate var sequencesNote: String? {
        guard !sequences.isEmpty else { return nil }
        let names = sequences.map(\.name.description).joined(separator: ", ")
        return "\(label): the positions of its sequences (\(names)) go to \(sequencesPath)"
    }
}
