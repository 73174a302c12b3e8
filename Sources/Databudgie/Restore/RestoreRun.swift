import Postgres
import Storage

/// Loads data files back into a database: each group of tables that belong together lands whole, or not at all.
///
///     let configuration = try Configuration.load(files: ["databudgie.yml"])
///     let report = try await RestoreRun(configuration).run { event in print(event) }
public struct RestoreRun: Sendable {
    private let configuration: Configuration
    private let options: RunEnvironment

    /// - Parameters:
    ///   - configuration: What to restore, and where from.
    ///   - options: Dry run, environment and clock.
    public init(_ configuration: Configuration, options: RunEnvironment = RunEnvironment()) {
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
        let clean = CleanPreflight(configuration: configuration, options: options)
        return try await Session.run(
            .restore,
            configuration,
            options,
            onEvent: onEvent,
            beforeConnecting: { storages, recorder in try await clean.run(storages, recorder) },
            { session in
                guard !clean.isOnlyPlanned else { return }
                try await ManifestSession.with(configuration, for: .restore, over: session.connection) { manifest in
                    try await run(session, manifest)
                }
            }
        )
    }

    private func run(_ session: Session, _ manifest: ManifestSession?) async throws {
        let transaction = try await manifest?.begin(isDryRun: options.isDryRun)
        let preparation = RestorePlanning(
            configuration: configuration.restore,
            session: session,
            manifest: transaction,
            manifestTable: manifest?.table.name,
            isDryRun: options.isDryRun
        )
        if configuration.restore.run.definitions.enabled {
            try await restoreWithDefinitions(preparation)
        } else {
            let restore = try await preparation.prepare()
            guard !options.isDryRun else { return }
            try await restore.setSequences(isComplete: try await restore.load())
        }
    }
}

// MARK: - With definitions

extension RestoreRun {
    /// Nothing is kept of what a transaction did, and nobody needs to hear of it as an error.
    private struct RolledBack: Error {}

    private func restoreWithDefinitions(_ preparation: RestorePlanning) async throws {
        let definitions = try await preparation.definitions()
        if definitions.isReplacement {
            try await replace(preparation, definitions)
        } else {
            try await create(preparation, definitions)
        }
    }

    /// Old tables make room for new ones: all in one transaction, so that the old ones are there until all is well.
    private func replace(_ preparation: RestorePlanning, _ definitions: DefinitionInstaller) async throws {
        let connection = preparation.session.connection
        var restore: CheckedRestore?
        var totals: [[TransferTotals]] = []
        do {
            try await connection.withTransaction(.writing) { _ in
                try await definitions.makeTables(isDryRun: options.isDryRun)
                let prepared = try await preparation.prepare(
                    made: definitions.names,
                    replaced: definitions.replacedNames,
                    followed: definitions.followed,
                    isNested: true
                )
                restore = prepared
                guard !options.isDryRun else { throw RolledBack() }
                totals = try await prepared.loadNested()
                try await definitions.finish()
            }
        } catch is RolledBack {
            return
        } catch let failure as GroupFailure {
            restore?.recordRollback(after: failure.culprit)
            return
        } catch let error as DatabudgieError {
            guard error.code == .database else { throw error }
            throw DatabudgieError(
                error.code,
                error.messages + ["All was rolled back; the tables are as they were."],
                underlying: error.underlying
            )
        }
        definitions.recordTables()
        restore?.report(totals)
        // At once: the sequences are new as well, and somebody may insert rows.
        try await restore?.setSequences(isComplete: true)
        await restore?.analyze()
    }

    /// Nothing is lost when something fails: new tables are made first, then each group of tables lands on its own.
    private func create(_ preparation: RestorePlanning, _ definitions: DefinitionInstaller) async throws {
        let connection = preparation.session.connection
        var prepared: CheckedRestore?
        if definitions.fitsOneTransaction || options.isDryRun {
            do {
                try await connection.withTransaction(.writing) { _ in
                    try await definitions.makeTables(isDryRun: options.isDryRun)
                    prepared = try await preparation.prepare(
                        made: definitions.names,
                        followed: definitions.followed,
                        isNested: true
                    )
                    if options.isDryRun { throw RolledBack() }
                }
            } catch is RolledBack {
                return
            }
        } else {
            preparation.session.recorder.warning(
                "The new tables are made in several transactions, as one has not enough locks for all of them: they stay, "
                    + "empty, when the restore does not go on."
            )
            try await definitions.makeTablesInBatches()
            prepared = try await preparation.prepare(
                made: definitions.names,
                followed: definitions.followed
            )
        }
        guard let prepared else { return }
        definitions.recordTables()
        let isComplete: Bool
        do {
            isComplete = try await load(prepared, preparation, definitions)
        } catch {
            preparation.session.recorder.warning(Self.unfinished)
            throw error
        }
        try await prepared.setSequences(isComplete: isComplete)
    }

    private static let unfinished =
        "The run stopped before the indexes, keys, rights and policies of the new tables were made; restore again when the "
        + "failure is mended."

    private func load(
        _ prepared: CheckedRestore,
        _ preparation: RestorePlanning,
        _ definitions: DefinitionInstaller
    ) async throws -> Bool {
        let isComplete = try await prepared.load()
        if isComplete {
            for failure in try await definitions.finishInBatches() {
                prepared.recordFailure(of: failure.table, failure.error)
            }
        } else {
            preparation.session.recorder.warning(Self.unfinished)
        }
        return isComplete
    }
}
