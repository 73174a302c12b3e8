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
            try await OpenManifest.with(configuration, for: .restore, over: connection) { manifest in
                try await run(session, manifest)
            }
        }
    }

    private func run(_ session: RunSession, _ manifest: OpenManifest?) async throws {
        let connection = session.connection
        let transaction = try await manifest?.begin(isDryRun: options.isDryRun)
        var catalog = try await connection.withTransaction(.snapshot) { connection in
            try await CatalogReader(connection: connection).read()
        }
        catalog.manifest = manifest?.table.name
        let plan = try await makePlan(catalog, recorded: transaction?.recorded, session.storages)
        let preflight = Preflight(connection: connection, catalog: catalog, storages: session.storages)
        let findings = try await preflight.check(plan)
        if let transaction, !options.isDryRun { session.recorder.recording(transaction) }
        announce(plan, notes: findings.notes, session.recorder)
        guard !options.isDryRun else { return }
        let restore = GroupRestore(
            session: session,
            catalog: catalog,
            imports: findings.imports,
            manifest: transaction,
            idleInTransactionTimeout: configuration.restore.run.idleInTransactionTimeout
        )
        try await load(plan, restore, session.recorder)
    }

    private func makePlan(
        _ catalog: Catalog,
        recorded: RecordedTables?,
        _ storages: Storages
    ) async throws -> RestorePlan {
        let settings = configuration.restore
        let planner = RestorePlanner(catalog: catalog, isStrict: settings.run.strict)
        var warnings: [String] = []
        let candidates = try planner.candidates(settings.tables, warnings: &warnings)
        let files = try await DataFiles(candidates.map(\.pattern), in: storages)
        return try planner.plan(
            candidates,
            files: candidates.map { files.newest($0.pattern, by: $0.entry.strategy) },
            recorded: recorded,
            warnings: warnings
        )
    }

    private func announce(_ plan: RestorePlan, notes: [String], _ recorder: RunRecorder) {
        recorder.planned(
            plan.jobs.map {
                PlannedTable(label: $0.label, estimatedRows: nil, location: $0.file.path.description)
            },
            reasons: plan.jobs.map(\.reason) + notes,
            warnings: plan.warnings
        )
        for table in plan.skipped {
            recorder.skipped(table.label, reason: table.reason)
        }
    }

    private func load(_ plan: RestorePlan, _ restore: GroupRestore, _ recorder: RunRecorder) async throws {
        for (index, group) in plan.groups.enumerated() {
            guard let failed = try await restore.run(group) else { continue }
            guard configuration.restore.run.strict || group.jobs.contains(where: \.isStrict) else { continue }
            for job in plan.groups[(index + 1)...].flatMap(\.jobs) {
                recorder.failed(job.label, reason: "not restored, as \(failed) failed and the run is strict")
            }
            return
        }
    }
}
