import Postgres
import Storage

/// Checks everything that can be checked before the target database is dropped and re-created (`ddl.clean`).
struct CleanPreflight {
    let session: Session
    let configuration: RestoreConfiguration
    /// Takes the plan down, when nothing but the plan is asked for.
    var explanation: RestoreExplanation?
    private var settings: RunSettings { session.settings }

    /// Checks the settings and the files of the restore; a dry run reports the files as its plan.
    ///
    /// - Returns: The set whose files are read; nil when all are chosen by their names.
    /// - Throws: ``DatabudgieError`` when it is not confirmed, or when the restore could not continue afterwards;
    ///   `StorageError`.
    func check() async throws -> RestoreSet? {
        try await DatabudgieError.withEffect(.nothingChanged) {
            try checkSettings()
            let set = try await SetSearch(session: session, configuration: configuration) { (nil, "public") }.run()
            let (jobs, findings) = try await checkFiles(set)
            guard settings.isDryRun else { return set }
            session.recorder.found(
                .warning("the database at \(settings.database) would be dropped and re-created")
            )
            session.recorder.planned(.restore, jobs, findings)
            return set
        }
    }

    private func checkSettings() throws {
        guard settings.definitions.isEnabled else {
            throw DatabudgieError(
                .configuration,
                "'clean' without 'ddl' would leave an empty database and no tables to load",
                hint: "turn ddl on, or drop 'clean'"
            )
        }
        guard settings.resumeID == nil else {
            throw DatabudgieError(
                .configuration,
                "'clean' re-creates the database, so there is no run to resume",
                hint: "use either --clean or --restore-id"
            )
        }
        for entry in configuration.tables where !entry.options.includesDefinition && entry.options.includesRows {
            throw DatabudgieError(
                .configuration,
                "\(entry.options.place): 'clean' drops the tables of '\(entry.options.name ?? "")', and with 'ddl: false' none "
                    + "would be created for its rows",
                hint: "turn ddl on for it, or drop 'clean'"
            )
        }
        guard configuration.assumesYes || settings.isDryRun else {
            throw DatabudgieError(
                .configuration,
                "'clean' drops the whole database at \(settings.database) and has to be confirmed",
                hint: "pass --yes"
            )
        }
    }

    /// The data files of the listed tables; with a header each, so they are neither empty nor damaged at their start.
    private func checkFiles(_ set: RestoreSet?) async throws -> ([PlannedJob], [Finding]) {
        let storages = session.storages
        let reader = DefinitionReader(
            storages: storages,
            settings: settings.definitions,
            defaultSchema: "public",
            manifest: nil,
            set: set
        )
        let definitions = try await reader.read(configuration.tables)
        try (definitions.failures.flatMap(\.problems) + definitions.findings(isStrict: settings.isStrict))
            .throwProblems(.preflight)
        let catalog = DatabaseCatalog(
            listed: definitions.listed,
            defaultSchema: "public",
            schemas: definitions.definitions.map(\.definition.schema),
            partitions: definitions.families
        )
        let entries = configuration.tables + definitions.included.map(\.entry)
        let extensionTables = try await tablesOfExtensions(entries, catalog, set)
        let planner = RestorePlanner(
            catalog: catalog,
            isStrict: settings.isStrict,
            needsRows: false,
            created: extensionTables,
            // Whatever the database has of them is dropped with it.
            replaced: Set(definitions.listed)
        )
        let (candidates, findings) = try planner.candidates(entries)
        // Views have no rows of their own.
        let derived = definitions.derived
        let loads = (set?.choosing(for: candidates) ?? candidates).filter {
            $0.entry.options.includesRows && !derived.contains($0.relation.name)
        }
        var files = RestoreFiles(in: storages)
        try await files.listData(of: loads)
        let plan = planner.plan(
            loads,
            files: files.data(of: loads),
            findings: findings
        )
        try await files.read(plan)
        let damaged = plan.jobs.flatMap { job -> [Finding] in
            guard case .failure(let error) = files.header(of: job.file) else { return [] }
            return error.problems.map { .problem($0.message, of: job.id, hint: $0.hint) }
        }
        // Nothing of it can be restored from where it is, so one table's problem stops all.
        try (plan.findings + damaged).throwProblems(plan.findings.problems.isEmpty ? .dataFile : .preflight)
        explanation?.choose(set)
        explanation?.explain(plan, in: catalog, entries: entries, created: definitions.listed)
        return (
            plan.jobs.map { PlannedJob($0.id, location: $0.file.path.description) },
            definitions.findings + plan.findings
        )
    }

    /// Tables that are named, have a data file, and are in no list: an extension has to create them.
    private func tablesOfExtensions(
        _ entries: [RestoreEntry],
        _ catalog: DatabaseCatalog,
        _ set: RestoreSet?
    ) async throws -> Set<QualifiedName> {
        let selection = TableSelection(catalog: catalog)
        let wanted = try entries.compactMap { entry -> (name: QualifiedName, pattern: FilePattern)? in
            guard let text = entry.options.name, entry.options.includesRows, !Glob(text).hasWildcards,
                !selection.match(text, excluding: []).isKnown,
                let name = PathComponent.name(selection.pattern(for: text))
            else { return nil }
            return (name, try FileLayout(entry.options).pattern(.anyData, of: PathComponent(name)))
        }
        if let set { return Set(wanted.map(\.name).filter(set.hasRows)) }
        let files = try await FileListing(wanted.map(\.pattern), in: session.storages)
        return Set(wanted.filter { files.newest($0.pattern) != nil }.map(\.name))
    }
}
