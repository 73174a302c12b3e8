import Postgres
import Storage

/// Plans a restore and checks everything that can be checked before the first row.
struct RestorePlanning {
    let configuration: RestoreConfiguration
    let session: Session
    /// Where finished tables are recorded, and what is recorded already.
    let manifest: ManifestRun?
    let manifestTable: QualifiedName?
    let isDryRun: Bool

    private var connection: Connection { session.connection }

    /// Reads the definitions of the listed tables and compares them with the target.
    ///
    /// - Returns: What is to be made; tables that an earlier run has finished under the same id stay as they are.
    /// - Throws: ``DatabudgieError``, `StorageError`, `PostgresError`.
    func definitions() async throws -> DefinitionInstaller {
        let schema = try await connection.query("select pg_catalog.current_schema() as schema").rows.first?["schema"]
        let reader = DefinitionReader(
            storages: session.storages,
            settings: configuration.run.definitions,
            defaultSchema: schema ?? "public",
            manifest: manifestTable
        )
        return try await DefinitionInstaller(
            try await reader.read(configuration.tables),
            session: session,
            ownSchema: configuration.run.definitions.clean ? manifestTable?.schema : nil,
            isDone: { manifest?.recorded.paths(of: $0.description).isEmpty == false }
        )
    }

    /// Makes the plan, checks it against the target, and announces it.
    ///
    /// - Parameters:
    ///   - made: Tables and views that this run has made from their definitions.
    ///   - replaced: Those of them that were there before.
    ///   - followed: Entries for those of them that come along with others.
    ///   - isNested: The caller has a transaction open that sees them.
    /// - Returns: The loads, ready to run.
    /// - Throws: ``DatabudgieError`` with all problems found; `StorageError`, `PostgresError`.
    func prepare(
        made: [QualifiedName] = [],
        replaced: Set<QualifiedName> = [],
        followed: [RestoreEntry] = [],
        isNested: Bool = false
    ) async throws -> CheckedRestore {
        var catalog = try await connection.withTransaction(.snapshot, isNested: isNested) { connection in
            try await DatabaseCatalogReader(connection: connection).read()
        }
        catalog.manifest = manifestTable
        let plan = try await makePlan(catalog, made: Set(made), replaced: replaced, followed)
        var preflight = Preflight(connection: connection, catalog: catalog, storages: session.storages)
        preflight.isNested = isNested
        let findings = try await preflight.check(plan)
        if let manifest, !isDryRun { session.recorder.recording(manifest.announcement) }
        announce(plan, findings)
        let groups = GroupLoader(
            session: session,
            catalog: catalog,
            imports: findings.imports,
            manifest: manifest,
            idleInTransactionTimeout: configuration.run.idleInTransactionTimeout
        )
        return CheckedRestore(
            plan: plan,
            groups: groups,
            sequences: SequenceSetter(
                session: session,
                idleInTransactionTimeout: configuration.run.idleInTransactionTimeout
            ),
            positions: findings.sequences,
            recorder: session.recorder,
            isStrict: configuration.run.strict
        )
    }

    private func makePlan(
        _ catalog: DatabaseCatalog,
        made: Set<QualifiedName>,
        replaced: Set<QualifiedName>,
        _ followed: [RestoreEntry]
    ) async throws -> RestorePlan {
        var planner = RestorePlanner(catalog: catalog, isStrict: configuration.run.strict)
        planner.needsRows = made.isEmpty
        planner.made = made
        planner.replaced = replaced
        var warnings: [String] = []
        let candidates = try planner.candidates(configuration.tables + followed, warnings: &warnings)
        // A view that was made from its definition has its rows from elsewhere.
        let isMadeView = { (candidate: RestoreCandidate) in
            made.contains(candidate.relation.name) && candidate.relation.kind.isDerived
        }
        let views = candidates.filter(isMadeView)
        let tables = candidates.filter { $0.entry.options.data && !isMadeView($0) }
        let files = try await FileListing(tables.flatMap(\.patterns), in: session.storages)
        var plan = try planner.plan(
            tables,
            files: tables.map { files.newest($0.patterns, by: $0.entry.strategy) },
            recorded: manifest?.recorded,
            warnings: warnings
        )
        let count = plan.jobs.count + plan.skipped.count
        plan.skipped += views.enumerated().map { number, view in
            (
                label: TableLabel(number: count + number, description: view.relation.name.description),
                reason: "it is a \(view.relation.kind.noun), whose definition is restored and has no rows of its own"
            )
        }
        let sequences = SequencePlanner(catalog: catalog)
        let sources = try sequences.sources(of: plan, candidates)
        let positions = try await FileListing(sources.map(\.pattern), in: session.storages)
        plan.sequences = sequences.plan(sources, files: positions)
        return plan
    }

    private func announce(_ plan: RestorePlan, _ findings: Preflight.Findings) {
        let files =
            plan.jobs.map { ($0.label, $0.file) }
            + plan.sequences.jobs.filter(\.isAlone).map { ($0.label, $0.file) }
        let sequences = Dictionary(
            findings.sequences.map { ($0.job.label, $0.positions.count) },
            uniquingKeysWith: { first, _ in first }
        )
        session.recorder.planned(
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
            session.recorder.skipped(table.label, reason: table.reason)
        }
    }
}
