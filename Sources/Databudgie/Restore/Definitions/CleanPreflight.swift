import Postgres
import Storage

/// Makes the target database anew before a restore, once everything that can be checked is (`ddl.clean`).
struct CleanPreflight {
    let configuration: Configuration
    let options: RunEnvironment

    private var settings: RestoreConfiguration { configuration.restore }

    /// A dry run cannot look further than the files: the database that the restore would find does not exist yet.
    var isOnlyPlanned: Bool { settings.run.definitions.clean && options.isDryRun }

    /// Checks the files of the restore, then drops the database and creates it.
    ///
    /// - Parameters:
    ///   - storages: Where the files are.
    ///   - recorder: Hears what happens.
    /// - Throws: ``DatabudgieError`` when it is not confirmed or the restore could not go on afterwards, before anything is
    ///   touched; `StorageError`, `PostgresError`.
    func run(_ storages: StorageRouter, _ recorder: RunRecorder) async throws {
        guard settings.run.definitions.clean else { return }
        let parameters = try configuration.connection(for: .restore)
        let manifest = try configuration.manifest(for: .restore)
        try checkSettings(parameters)
        let files = try await checkFiles(storages)
        guard !options.isDryRun else {
            recorder.warning("The database at \(parameters) would be dropped and created anew.")
            recorder.planned(files, reasons: [], warnings: [])
            return
        }
        try await DatabaseReset(parameters: parameters, recorder: recorder).run()
        if let manifest { try await create(manifest, parameters) }
    }

    /// The manifest went with its database, and what it knew of that is void.
    private func create(_ manifest: ManifestTable, _ parameters: ConnectionParameters) async throws {
        try await Connection.withConnection(to: parameters) { connection in
            try await connection.execute("create schema if not exists \(quotedIdentifier(manifest.name.schema))")
        }
        _ = try await ManifestCreation(configuration, for: .restore).run()
    }

    private func checkSettings(_ parameters: ConnectionParameters) throws {
        guard settings.run.definitions.enabled else {
            throw DatabudgieError(
                .configuration,
                "'clean' without 'ddl' would leave an empty database and no tables to load; turn ddl on, or leave 'clean' out."
            )
        }
        guard settings.run.resumeID == nil else {
            throw DatabudgieError(
                .configuration,
                "'clean' makes the database anew, so that there is nothing to go on with; leave out --restore-id or 'clean'."
            )
        }
        for entry in settings.tables where !entry.options.ddl && entry.options.data {
            throw DatabudgieError(
                .configuration,
                "\(entry.options.place): 'clean' drops the tables of '\(entry.options.name ?? "")', and with 'ddl: false' none "
                    + "would be made for its rows; turn ddl on for it, or leave 'clean' out."
            )
        }
        guard settings.assumesYes || options.isDryRun else {
            throw DatabudgieError(
                .configuration,
                "'clean' drops the whole database at \(parameters) and has to be confirmed; pass --yes."
            )
        }
    }

    /// The data files of the listed tables; with a header each, so that they are neither empty nor damaged at their start.
    private func checkFiles(_ storages: StorageRouter) async throws -> [PlannedTable] {
        let reader = DefinitionReader(
            storages: storages,
            settings: settings.run.definitions,
            defaultSchema: "public",
            manifest: nil
        )
        let definitions = try await reader.read(settings.tables)
        let catalog = DatabaseCatalog(listed: definitions.listed.map(\.description), defaultSchema: "public")
        let planner = RestorePlanner(catalog: catalog, isStrict: settings.run.strict, needsRows: false)
        var warnings: [String] = []
        let candidates = try planner.candidates(settings.tables + definitions.followed, warnings: &warnings)
        // Views have no rows of their own, and those of a partition may be in the file of its root.
        let rowless = definitions.derived.union(definitions.partitions)
        let loads = candidates.filter { $0.entry.options.data && !rowless.contains($0.relation.name) }
        let files = try await FileListing(loads.flatMap(\.patterns), in: storages)
        let plan = try planner.plan(
            loads,
            files: loads.map { files.newest($0.patterns, by: $0.entry.strategy) },
            warnings: warnings
        )
        _ = try await plan.jobs.concurrentMap { job in
            try await DataFileHeader(storage: storages.storage(for: job.file.path)).read(job.file)
        }
        return plan.jobs.map {
            PlannedTable(label: $0.label, estimatedRows: nil, location: $0.file.path.description)
        }
    }
}
