import Postgres

/// The drill of one set after another.
struct DrillRun: Sendable {
    let configuration: Configuration
    let kind: RunKind
    /// The server on which databases are created.
    let server: ConnectionParameters
    /// The server is that of the restore, to which only masked sets may go if the restore says so.
    let isRestoreServer: Bool
    /// The database that the restored rows are compared with; nil: none.
    let source: ConnectionParameters?
    let environment: RunEnvironment
    let onEvent: @Sendable (VerificationEvent) -> Void

    /// Refuses what makes a drill impossible.
    ///
    /// - Parameter record: The set.
    /// - Throws: ``DatabudgieError`` when the role cannot create databases, when the source is not that of the set, or when
    ///   the set would have to be masked;
    ///   `PostgresError`.
    @Sendable
    func check(_ record: SetRecord) async throws {
        if isRestoreServer { try RequiredMasks(configuration.restore).check(all: record) }
        try await ScratchDatabase.check(server)
        if let source { try await SourceIdentity(source).check(record) }
    }

    /// Restores a set whose files are as its record says, compares it and removes it.
    ///
    /// - Parameters:
    ///   - record: The set.
    ///   - catalog: The catalog that it is in.
    ///   - collector: Gets what is found.
    /// - Returns: How the source differs.
    /// - Throws: What says nothing about the set: `PostgresError`, `StorageError`, ``DatabudgieError``; `CancellationError`.
    @Sendable
    func run(
        _ record: SetRecord,
        _ catalog: SetCatalog,
        _ collector: DamageCollector
    ) async throws -> [SetVerification.Damage] {
        let plan = try await DrillPlanner(record: record, catalog: catalog, configuration: configuration, kind: kind)
            .plan()
        plan.findings.forEach { onEvent(.progress(.found($0))) }
        let scratch = ScratchDatabase(for: record, on: server) { onEvent(.progress(.found($0))) }
        return try await scratch.with { database in
            var restore = DrillRestore(
                plan: plan,
                record: record,
                catalog: catalog,
                configuration: configuration,
                kind: kind,
                database: database,
                environment: environment,
                collector: collector,
                onEvent: onEvent
            )
            guard try await restore.run() else { return [] }
            try await compare(restore, catalog, database, collector)
            guard let source, collector.damages.isEmpty else { return [] }
            return try await differences(of: source, restore, database)
        }
    }

    // MARK: - Comparing

    private func compare(
        _ restore: DrillRestore,
        _ catalog: SetCatalog,
        _ database: ConnectionParameters,
        _ collector: DamageCollector
    ) async throws {
        let tables = restore.restoredTables
        let names = Set(tables.map(\.key))
        let record = restore.record
        try await StagedSet.with(record, catalog, in: database) { catalog in
            catalog.relations.filter { names.contains($0.name) }
        } _: { staged in
            var staged = staged
            staged.sides = ComparedSides(source: "set", target: "restored database")
            for (name, table) in tables where !staged.isDerived(name) {
                for difference in try await staged.compare(table).differences {
                    collector.add("restored, but \(difference)", ofTable: table.label)
                }
            }
        }
    }

    /// Compares the rows of whole tables with those of the source as it is now.
    private func differences(
        of source: ConnectionParameters,
        _ restore: DrillRestore,
        _ database: ConnectionParameters
    ) async throws -> [SetVerification.Damage] {
        let tables = restore.restoredTables.filter(\.value.isWholeTable)
        let names = Set(tables.map(\.key))
        func select(_ catalog: DatabaseCatalog) -> [Relation] {
            catalog.relations.filter { names.contains($0.name) && !$0.kind.isDerived }
        }
        return try await ComparedDatabase.with(source, without: nil, select: select) { source in
            try await ComparedDatabase.with(database, without: nil, select: select) { restored in
                var differences: [SetVerification.Damage] = []
                for (name, table) in tables where restored.relations[name] != nil {
                    let comparison = TableComparison(
                        source: source,
                        target: restored,
                        sides: ComparedSides(source: "source", target: "restored set"),
                        comparesTypes: !restore.plan.undefinedNames.contains(name)
                    )
                    differences += try await comparison.compare(name).differences.map {
                        SetVerification.Damage(table: table.label, message: "compared with the source: \($0)")
                    }
                }
                return differences
            }
        }
    }
}

extension StagedSet {
    /// A view, say, has no rows of its own to compare.
    fileprivate func isDerived(_ name: QualifiedName) -> Bool {
        target.relations[name]?.kind.isDerived == true
    }
}
