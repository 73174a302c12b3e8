import Postgres
import Storage

/// Loads data files back into a database: each group of tables that belong together lands whole, or not at all.
///
///     let configuration = try Configuration.load(files: ["databudgie.yml"])
///     let report = try await RestoreRun(configuration).run { event in print(event) }
public struct RestoreRun: Sendable {
    private let configuration: Configuration
    private let options: RunOptions

    /// - Parameters:
    ///   - configuration: What to restore, and where from.
    ///   - options: Dry run, environment and clock.
    public init(_ configuration: Configuration, options: RunOptions = RunOptions()) {
        self.configuration = configuration
        self.options = options
    }

    /// Runs the restore to its end.
    ///
    /// Before anything is touched all files are found and their headers compared with the tables. Then each group of
    /// tables is truncated, where asked, and loaded in one transaction; a failure rolls back its group and does not stop
    /// the others, unless a table of it or the run is strict. Cancelling the task rolls back the running group and
    /// throws `CancellationError`.
    /// - Parameter onEvent: Receives what happens, in order, from the tasks of the run: it must return quickly.
    /// - Returns: What was loaded, skipped and failed.
    /// - Throws: ``DatabudgieError``, `PostgresError`, `StorageError` or `CancellationError` when nothing more could be
    ///   done; groups that were committed before stay.
    public func run(onEvent: @escaping @Sendable (RunEvent) -> Void = { _ in }) async throws -> RunReport {
        try await RunSession.run(.restore, configuration, options, onEvent: onEvent) { session in
            let connection = session.connection
            let catalog = try await connection.withTransaction(.snapshot) { connection in
                try await CatalogReader(connection: connection).read()
            }
            let plan = try await makePlan(catalog, session.storages)
            let preflight = Preflight(connection: connection, catalog: catalog, storages: session.storages)
            let findings = try await preflight.check(plan)
            announce(plan, findings, session.recorder)
            guard !options.isDryRun else { return }
            let restore = GroupRestore(
                session: session,
                catalog: catalog,
                imports: findings.imports,
                idleInTransactionTimeout: configuration.restore.run.idleInTransactionTimeout
            )
            let isStopped = try await !load(plan, restore, session.recorder)
            let sequences = SequenceRestore(
                session: session,
                idleInTransactionTimeout: configuration.restore.run.idleInTransactionTimeout
            )
            try await sequences.run(
                findings.sequences,
                loaded: Set(session.recorder.report().finished.map(\.label)),
                isStopped: isStopped
            )
        }
    }

    private func makePlan(_ catalog: Catalog, _ storages: Storages) async throws -> RestorePlan {
        let settings = configuration.restore
        let planner = RestorePlanner(catalog: catalog, isStrict: settings.run.strict)
        var warnings: [String] = []
        let candidates = try planner.candidates(settings.tables, warnings: &warnings)
        let loads = candidates.filter(\.entry.options.data)
        let files = try await DataFiles(loads.map(\.pattern), in: storages)
        var plan = try planner.plan(
            loads,
            files: loads.map { files.newest($0.pattern, by: $0.entry.strategy) },
            warnings: warnings
        )
        let sequences = SequencePlanner(catalog: catalog)
        let sources = try sequences.sources(of: plan, candidates)
        plan.sequences = sequences.plan(sources, files: try await DataFiles(sources.map(\.pattern), in: storages))
        return plan
    }

    private func announce(_ plan: RestorePlan, _ findings: Preflight.Findings, _ recorder: RunRecorder) {
        let files =
            plan.jobs.map { ($0.label, $0.file) }
            + plan.sequences.jobs.filter { !$0.followsData }.map { ($0.label, $0.file) }
        let sequences = Dictionary(
            findings.sequences.map { ($0.job.label, $0.positions.count) },
            uniquingKeysWith: { first, _ in first }
        )
        recorder.planned(
            files.map { label, file in
                PlannedTable(
                    label: label,
                    estimatedRows: nil,
                    location: file.path.description,
                    sequences: sequences[label] ?? 0
                )
            },
            reasons: plan.jobs.map(\.reason) + findings.notes,
            warnings: plan.warnings + findings.warnings
        )
        for table in plan.skipped {
            recorder.skipped(table.label, reason: table.reason)
        }
    }

    /// - Returns: False when a failure has stopped the run.
    private func load(_ plan: RestorePlan, _ restore: GroupRestore, _ recorder: RunRecorder) async throws -> Bool {
        for (index, group) in plan.groups.enumerated() {
            guard let failed = try await restore.run(group) else { continue }
            guard configuration.restore.run.strict || group.jobs.contains(where: \.isStrict) else { continue }
            for job in plan.groups[(index + 1)...].flatMap(\.jobs) {
                recorder.failed(job.label, reason: "not restored, as \(failed) failed and the run is strict")
            }
            for job in plan.sequences.jobs where !job.followsData {
                recorder.failed(job.label, reason: "not set, as \(failed) failed and the run is strict")
            }
            return false
        }
        return true
    }
}
