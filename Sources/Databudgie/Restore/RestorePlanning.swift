import Postgres
import Storage

/// Plans a restore and checks everything that can be checked before the first row.
struct RestorePlanning {
    let entries: [RestoreEntry]
    let session: DatabaseSession
    /// Where finished tables are recorded, and what is already recorded.
    let recordedRun: ManifestRun?
    /// The set whose files are read; nil when all are chosen by their names.
    let set: RestoreSet?
    /// Takes the plan down, when nothing but the plan is asked for.
    var explanation: RestoreExplanation?

    private var connection: Connection { session.connection }
    private var settings: RunSettings { session.settings }

    /// Reads the definitions of the listed tables and compares them with the target.
    ///
    /// - Returns: What is to be created; tables that an earlier run has finished under the same id stay as they are.
    /// - Throws: ``DatabudgieError``, `StorageError`, `PostgresError`.
    func definitions() async throws -> DefinitionInstaller {
        let role = try await DefinitionRole(settings.definitions.role, over: connection)
        let reader = DefinitionReader(
            storages: session.storages,
            settings: settings.definitions,
            defaultSchema: try await session.defaultSchema(),
            manifest: settings.manifest?.name,
            set: set
        )
        let stored = try await reader.read(entries)
        let installer = try await DefinitionInstaller.compare(
            stored,
            session: session,
            ownSchema: settings.definitions.recreatesDatabase ? settings.manifest?.name.schema : nil,
            isDone: { recordedRun?.recorded.paths(of: $0.label).isEmpty == false }
        )
        session.recorder.runningDefinitions(stored.source(of: role))
        return installer
    }

    /// Looks at all files that the restore may need, before any table is locked.
    ///
    /// Which files these are follows from the names of tables: those that are there, and those that definitions create.
    /// - Parameter definitions: What is going to be created.
    /// - Returns: What is known of the files, and the tables whose rows are going to be replaced.
    /// - Throws: `StorageError` when the storage cannot be used at all; ``DatabudgieError``, `CancellationError`.
    func files(for definitions: DefinitionInstaller) async throws -> (RestoreFiles, replaced: Set<QualifiedName>) {
        var files = RestoreFiles(in: session.storages)
        let catalog = definitions.expectedCatalog(for: entries, without: settings.manifest)
        // What is wrong with it is found out again, and reported, with the tables that are created.
        let plan = try await makePlan(catalog, definitions, isStrict: false, &files)
        try await files.read(plan)
        return (files, plan.replaced.subtracting(definitions.names).union(definitions.replacedNames))
    }

    /// Computes the plan, checks it against the target, and reports it.
    ///
    /// A problem of one table fails that table and what must land with it, unless the run or the table is strict, or all of
    /// the run is one transaction.
    /// - Parameters:
    ///   - definitions: What has created tables.
    ///   - files: What is known of the files already; others are looked at.
    ///   - isNested: The caller has a transaction open that sees the created tables.
    /// - Returns: The loads that are ready to run, and those that have failed.
    /// - Throws: ``DatabudgieError`` with all problems found, when they leave nothing to do or stop everything;
    ///   `StorageError`, `PostgresError`.
    func check(
        _ definitions: DefinitionInstaller? = nil,
        _ files: RestoreFiles? = nil,
        isNested: Bool = false
    ) async throws -> CheckedRestore {
        let catalog = try await session.readCatalog(without: settings.manifest, isNested: isNested)
        var files = files ?? RestoreFiles(in: session.storages)
        var plan = try await makePlan(catalog, definitions, isStrict: settings.isStrict, &files)
        let checked = try await session.recorder.holding(plan.findings) {
            try await files.read(plan)
            let preflight = Preflight(
                session: session,
                catalog: catalog,
                files: files,
                record: set?.record,
                isNested: isNested
            )
            return try await preflight.check(plan)
        }
        let findings = plan.findings + checked.findings
        if settings.isStrict || settings.isAllOrNothing || definitions?.isReplacement == true {
            try findings.throwProblems(.preflight)
        }
        let isolated = try LoadIsolation(catalog: catalog, plan: plan).conclude(findings)
        plan.groups = isolated.groups
        plan.sequences = isolated.remaining(plan.sequences)
        let remaining = Set(plan.sequences.map(\.id))
        let sequences = checked.sequences.filter { remaining.contains($0.job.id) }
        let loader = GroupLoader(
            session: session,
            catalog: catalog,
            formats: checked.formats,
            sequences: Dictionary(
                sequences.map { ($0.job.id, $0.values) },
                uniquingKeysWith: { first, _ in first }
            ),
            defined: Set(definitions?.names ?? []),
            rejects: RejectFiles(in: settings.rejectFolder, at: settings.timestamp),
            recordedRun: recordedRun
        )
        announce(plan, findings.withoutNotes(of: isolated.failures) + plan.cascades, loader.sequences)
        let undefined = Self.failures(definitions, &plan)
        let restore = CheckedRestore(
            session: session,
            plan: plan,
            failures: undefined + isolated.failures,
            loader: loader,
            sequences: sequences
        )
        explanation?.explain(restore, entries: entries, definitions: definitions)
        return restore
    }

    /// The tables that are not created.
    private static func failures(_ definitions: DefinitionInstaller?, _ plan: inout RestorePlan) -> [JobFailure] {
        (definitions?.failures ?? []).map { failure in
            failure.jobFailure(plan.newID(.definition, of: failure.unit.label))
        }
    }

    private func makePlan(
        _ catalog: DatabaseCatalog,
        _ definitions: DefinitionInstaller?,
        isStrict: Bool,
        _ files: inout RestoreFiles
    ) async throws -> RestorePlan {
        let created = Set(definitions?.names ?? [])
        let planner = RestorePlanner(
            catalog: catalog,
            isStrict: isStrict,
            needsRows: definitions == nil,
            // What cannot be created is reported already.
            created: created.union((definitions?.failures ?? []).map(\.unit.tableName)),
            replaced: definitions?.replacedNames ?? []
        )
        let (candidates, findings) = try planner.candidates(entries + (definitions?.included ?? []))
        return try await session.recorder.holding(findings) {
            // A view that was created from its definition has no rows of its own.
            let isCreatedView = { (candidate: RestoreCandidate) in
                created.contains(candidate.relation.name) && candidate.relation.kind.isDerived
            }
            let chosen = set?.choosing(for: candidates) ?? candidates
            let tables = chosen.filter { $0.entry.options.includesRows && !isCreatedView($0) }
            try await files.listData(of: tables)
            var plan = planner.plan(
                tables,
                files: files.data(of: tables),
                recorded: recordedRun?.recorded,
                findings: findings
            )
            for view in candidates.filter(isCreatedView).map(\.relation) {
                plan.skip(
                    view,
                    reason: "it is a \(view.kind.noun), whose definition is restored and has no rows of its own"
                )
            }
            try await planSequences(of: chosen, SequencePlanner(catalog: catalog, created: created), &files, &plan)
            return plan
        }
    }

    private func planSequences(
        of candidates: [RestoreCandidate],
        _ planner: SequencePlanner,
        _ files: inout RestoreFiles,
        _ plan: inout RestorePlan
    ) async throws {
        let sources = try planner.sources(of: &plan, candidates)
        try await files.list(sources)
        let (jobs, findings) = planner.plan(sources, files: files.listing)
        plan.sequences = jobs
        plan.findings += findings
    }

    private func announce(_ plan: RestorePlan, _ findings: [Finding], _ values: [JobID: [SequenceValue]]) {
        if let announcement = recordedRun?.announcement { session.recorder.recording(announcement) }
        func planned(_ id: JobID, _ file: FileInfo, _ storedName: String? = nil) -> PlannedJob {
            let sequences = values[JobID(.sequences, of: id.name, number: id.number)] ?? []
            return PlannedJob(id, location: file.path.description, sequences: sequences.count, storedName: storedName)
        }
        let jobs =
            plan.jobs.map { planned($0.id, $0.file, $0.storedName) }
            + plan.sequences.filter(\.isAlone).map { planned($0.id, $0.file) }
        session.recorder.planned(.restore, jobs, findings)
    }
}

extension [Finding] {
    /// Without the details of tables that are not loaded.
    fileprivate func withoutNotes(of failures: [JobFailure]) -> [Finding] {
        let failed = Set(failures.map { ByteKey($0.job.name) })
        return filter { finding in finding.kind != .note || finding.table.map { failed.contains(ByteKey($0)) } != true }
    }
}
