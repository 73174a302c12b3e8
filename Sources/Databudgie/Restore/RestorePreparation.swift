import Postgres
import Storage

/// Plans a restore and checks everything that can be checked before the first row.
struct RestorePreparation {
    let configuration: RestoreConfiguration
    let session: RunSession
    /// Where finished tables are recorded, and what is recorded already.
    let manifest: ManifestTransaction?
    let manifestTable: QualifiedName?
    let isDryRun: Bool

    private var connection: Connection { session.connection }

    /// Reads the definitions of the listed tables and compares them with the target.
    ///
    /// - Returns: What is to be made; tables that an earlier run has finished under the same id stay as they are.
    /// - Throws: ``DatabudgieError``, `StorageError`, `PostgresError`.
    func definitions() async throws -> DefinitionRestore {
        let schema = try await connection.query("select pg_catalog.current_schema() as schema").rows.first?["schema"]
        let reader = DefinitionReader(
            storages: session.storages,
            settings: configuration.run.ddl,
            defaultSchema: schema ?? "public",
            manifest: manifestTable
        )
        return try await DefinitionRestore(
            try await reader.read(configuration.tables),
            session: session,
            isDone: { manifest?.recorded.paths(of: $0.description).isEmpty == false }
        )
    }

    /// Makes the plan, checks it against the target, and announces it.
    ///
    /// - Parameters:
    ///   - made: Tables and views that this run has made from their definitions.
    ///   - isNested: The caller has a transaction open that sees them.
    /// - Returns: The loads, ready to run.
    /// - Throws: ``DatabudgieError`` with all problems found; `StorageError`, `PostgresError`.
    func prepare(made: [QualifiedName] = [], isNested: Bool = false) async throws -> PreparedRestore {
        var catalog = try await connection.withTransaction(.snapshot, isNested: isNested) { connection in
            try await CatalogReader(connection: connection).read()
        }
        catalog.manifest = manifestTable
        let plan = try await makePlan(catalog, made: Set(made))
        var preflight = Preflight(connection: connection, catalog: catalog, storages: session.storages)
        preflight.isNested = isNested
        let findings = try await preflight.check(plan)
        if let manifest, !isDryRun { session.recorder.recording(manifest) }
        announce(plan, notes: findings.notes)
        let groups = GroupRestore(
            session: session,
            catalog: catalog,
            imports: findings.imports,
            manifest: manifest,
            idleInTransactionTimeout: configuration.run.idleInTransactionTimeout
        )
        return PreparedRestore(
            plan: plan,
            groups: groups,
            recorder: session.recorder,
            isStrict: configuration.run.strict
        )
    }

    private func makePlan(_ catalog: Catalog, made: Set<QualifiedName>) async throws -> RestorePlan {
        var planner = RestorePlanner(catalog: catalog, isStrict: configuration.run.strict)
        planner.needsRows = made.isEmpty
        var warnings: [String] = []
        let candidates = try planner.candidates(configuration.tables, warnings: &warnings)
        // A view that was made from its definition has its rows from elsewhere.
        let views = candidates.filter { made.contains($0.relation.name) && $0.relation.kind.isDerived }
        let tables = candidates.filter { !made.contains($0.relation.name) || !$0.relation.kind.isDerived }
        let files = try await DataFiles(tables.map(\.pattern), in: session.storages)
        var plan = try planner.plan(
            tables,
            files: tables.map { files.newest($0.pattern, by: $0.entry.strategy) },
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
        return plan
    }

    private func announce(_ plan: RestorePlan, notes: [String]) {
        session.recorder.planned(
            plan.jobs.map {
                PlannedTable(label: $0.label, estimatedRows: nil, location: $0.file.path.description)
            },
            reasons: plan.jobs.map(\.reason) + notes,
            warnings: plan.warnings
        )
        for table in plan.skipped {
            session.recorder.skipped(table.label, reason: table.reason)
        }
    }
}
