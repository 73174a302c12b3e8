import Postgres
import Storage

/// Plans a restore and checks everything that can be checked before the first row.
struct RestorePlanning {
    let entries: [RestoreEntry]
    let session: DatabaseSession
    /// Where finished tables are recorded, and what is already recorded.
    let recordedRun: ManifestRun?

    private var connection: Connection { session.connection }
    private var settings: RunSettings { session.settings }

    /// Reads the definitions of the listed tables and compares them with the target.
    ///
    /// - Returns: What is to be created; tables that an earlier run has finished under the same id stay as they are.
    /// - Throws: ``DatabudgieError``, `StorageError`, `PostgresError`.
    func definitions() async throws -> DefinitionInstaller {
        let role = try await DefinitionRole(settings.definitions.role, over: connection)
        let schema = try await connection.query("select pg_catalog.current_schema() as schema").rows.first?["schema"]
        let reader = DefinitionReader(
            storages: session.storages,
            settings: settings.definitions,
            defaultSchema: schema ?? "public",
            manifest: settings.manifest?.name
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

    /// Computes the plan, checks it against the target, and reports it.
    ///
    /// A problem of one table fails that table and what must land with it, unless the run or the table is strict, or the
    /// tables replace others, all in one transaction.
    /// - Parameters:
    ///   - created: Tables and views that this run has created from their definitions.
    ///   - replaced: Those of them that were there before.
    ///   - included: Entries for those of them that are included by foreign keys.
    ///   - isNested: The caller has a transaction open that sees them.
    /// - Returns: The loads that are ready to run, and those that have failed.
    /// - Throws: ``DatabudgieError`` with all problems found, when they leave nothing to do or stop everything;
    ///   `StorageError`, `PostgresError`.
    func check(
        created: [QualifiedName] = [],
        replaced: Set<QualifiedName> = [],
        included: [RestoreEntry] = [],
        isNested: Bool = false
    ) async throws -> CheckedRestore {
        let catalog = try await session.readCatalog(without: settings.manifest, isNested: isNested)
        var plan = try await makePlan(catalog, created: Set(created), replaced: replaced, included)
        let preflight = Preflight(session: session, catalog: catalog, isNested: isNested)
        let checked = try await session.recorder.holding(plan.findings) { try await preflight.check(plan) }
        let findings = plan.findings + checked.findings
        if settings.isStrict || !replaced.isEmpty { try findings.throwProblems(.preflight) }
        let isolated = try LoadIsolation(catalog: catalog, plan: plan).conclude(findings)
        plan.groups = isolated.groups
        plan.sequences = isolated.remaining(plan.sequences)
        let remaining = Set(plan.sequences.map(\.id))
        let sequences = checked.sequences.filter { remaining.contains($0.job.id) }
        if let announcement = recordedRun?.announcement { session.recorder.recording(announcement) }
        let values = Dictionary(
            sequences.map { ($0.job.id, $0.values) },
            uniquingKeysWith: { first, _ in first }
        )
        announce(plan, findings.withoutNotes(of: isolated.failures) + plan.cascades, values)
        return CheckedRestore(
            session: session,
            plan: plan,
            failures: isolated.failures,
            loader: GroupLoader(
                session: session,
                catalog: catalog,
                formats: checked.formats,
                sequences: values,
                defined: Set(created),
                recordedRun: recordedRun
            ),
            sequences: sequences
        )
    }

    private func makePlan(
        _ catalog: DatabaseCatalog,
        created: Set<QualifiedName>,
        replaced: Set<QualifiedName>,
        _ included: [RestoreEntry]
    ) async throws -> RestorePlan {
        let planner = RestorePlanner(
            catalog: catalog,
            isStrict: settings.isStrict,
            needsRows: !settings.definitions.isEnabled,
            created: created,
            replaced: replaced
        )
        let (candidates, findings) = try planner.candidates(entries + included)
        return try await session.recorder.holding(findings) {
            try await makePlan(of: candidates, with: planner, findings, catalog, created)
        }
    }

    private func makePlan(
        of candidates: [RestoreCandidate],
        with planner: RestorePlanner,
        _ findings: [Finding],
        _ catalog: DatabaseCatalog,
        _ created: Set<QualifiedName>
    ) async throws -> RestorePlan {
        // A view that was created from its definition has no rows of its own.
        let isCreatedView = { (candidate: RestoreCandidate) in
            created.contains(candidate.relation.name) && candidate.relation.kind.isDerived
        }
        let tables = candidates.filter { $0.entry.options.includesRows && !isCreatedView($0) }
        let files = try await FileListing(tables.flatMap(\.patterns), in: session.storages, isolating: true)
        var plan = planner.plan(
            tables,
            files: tables.map { files.newest(of: $0) },
            unlisted: tables.map { files.failure(of: $0.patterns) },
            recorded: recordedRun?.recorded,
            findings: findings
        )
        for view in candidates.filter(isCreatedView).map(\.relation) {
            plan.skip(
                view,
                reason: "it is a \(view.kind.noun), whose definition is restored and has no rows of its own"
            )
        }
        try await planSequences(of: candidates, SequencePlanner(catalog: catalog, created: created), in: &plan)
        return plan
    }

    private func planSequences(
        of candidates: [RestoreCandidate],
        _ planner: SequencePlanner,
        in plan: inout RestorePlan
    ) async throws {
        let sources = try planner.sources(of: &plan, candidates)
        let files = try await FileListing(sources.map(\.pattern), in: session.storages, isolating: true)
        let (jobs, findings) = planner.plan(sources, files: files)
        plan.sequences = jobs
        plan.findings += findings
    }

    private func announce(_ plan: RestorePlan, _ findings: [Finding], _ values: [JobID: [SequenceValue]]) {
        func planned(_ id: JobID, _ file: FileInfo) -> PlannedJob {
            let sequences = values[JobID(.sequences, of: id.name, number: id.number)] ?? []
            return PlannedJob(id, location: file.path.description, sequences: sequences.count)
        }
        let jobs =
            plan.jobs.map { planned($0.id, $0.file) } + plan.sequences.filter(\.isAlone).map { planned($0.id, $0.file) }
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
