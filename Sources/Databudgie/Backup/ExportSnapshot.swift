import Postgres

/// The one moment from which all tables of a backup are read.
struct ExportSnapshot {
    let session: DatabaseSession

    /// How long and how often it waits for locks; a plan that is outdated takes an attempt as well.
    var attempts = LockAttempts()

    private struct PlanIsOutdated: Error {}

    private var connection: Connection { session.connection }

    /// Plans, locks the planned tables, and runs the body in one repeatable-read, read-only transaction.
    ///
    /// TRUNCATE and rewriting forms of ALTER TABLE are not safe under MVCC (PostgreSQL documentation, "Caveats" of
    /// "Concurrency Control"): a table that one of them changes after the snapshot looks empty. So the planned tables are
    /// locked *before* the snapshot is taken, and the catalog is read again within it: when something changed in
    /// between, the plan is computed again.
    /// - Parameters:
    ///   - makePlan: Computes the plan for a catalog.
    ///   - body: Receives the plan whose tables are locked, and the catalog that it is for.
    /// - Returns: What the body returns.
    /// - Throws: ``DatabudgieError`` when the tables cannot be locked or keep changing; what the body throws.
    func withPlan<Result: Sendable>(
        _ makePlan: (DatabaseCatalog) throws -> BackupPlan,
        body: (BackupPlan, DatabaseCatalog) async throws -> Result
    ) async throws -> Result {
        let manifest = session.settings.manifest
        for attempt in 1...attempts.count {
            let (expected, expectedPlan, relations) = try await relations(makePlan)
            let (tables, views) = (Self.names(relations, Self.tableKinds), Self.names(relations, [.view]))
            do {
                return try await session.withTransaction(
                    .snapshot,
                    beforeSnapshot: { try await lock(tables, views, isLastAttempt: attempt == attempts.count) },
                    {
                        let catalog = try await session.readCatalog(
                            without: manifest,
                            isNested: true,
                            includesKeys: session.settings.subset != nil
                        )
                        // The same catalog gives the same plan, which takes long for thousands of tables.
                        guard catalog != expected else { return try await body(expectedPlan, catalog) }
                        let plan = try makePlan(catalog)
                        guard Self.names(plan.relations, Self.tableKinds).isSubset(of: tables) else {
                            throw PlanIsOutdated()
                        }
                        return try await body(plan, catalog)
                    }
                )
            } catch is PlanIsOutdated {
                continue
            }
        }
        throw DatabudgieError(
            .database,
            "the schema kept changing while the backup was locking its tables (\(attempts.count) attempts)",
            hint: "run it again when no migration is running"
        )
    }

    /// What the planned jobs and definitions read, found out in a transaction of its own that leaves no lock.
    private func relations(
        _ makePlan: (DatabaseCatalog) throws -> BackupPlan
    ) async throws -> (catalog: DatabaseCatalog, plan: BackupPlan, relations: [Relation]) {
        try await session.withTransaction(.catalog) {
            let catalog = try await session.readCatalog(
                without: session.settings.manifest,
                isNested: true,
                includesKeys: session.settings.subset != nil
            )
            let plan = try makePlan(catalog)
            let reads = try await QueryReads(connection: connection).relations(of: plan.jobs, catalog)
            return (catalog, plan, plan.relations + reads)
        }
    }

    private static let tableKinds: Set<Relation.Kind> = [.table, .partitionedTable]

    /// Those that the role has no privilege for cannot be locked: they fail on their own, later, with the server's message,
    /// or are read through a view, which is locked instead.
    private static func names(_ relations: [Relation], _ kinds: Set<Relation.Kind>) -> Set<QualifiedName> {
        Set(relations.filter { $0.isReadable && kinds.contains($0.kind) }.map(\.name))
    }

    private func lock(_ tables: Set<QualifiedName>, _ views: Set<QualifiedName>, isLastAttempt: Bool) async throws {
        // Neither statement takes a snapshot.
        try await attempts.limit(over: connection)
        try await lock(tables, isLastAttempt: isLastAttempt)
        for view in views.sorted() {
            do {
                try await connection.withSavepoint("view_lock") { try await lock([view], isLastAttempt: isLastAttempt) }
            } catch let error as PostgresError {
                // It cannot be locked when its owner lacks a privilege for one of its tables.
                guard error.sqlState == "42501" else { throw error }
            }
        }
    }

    /// Locks tables, or a view with what it reads.
    private func lock(_ relations: Set<QualifiedName>, isLastAttempt: Bool) async throws {
        guard !relations.isEmpty else { return }
        let names = relations.sorted().map(\.quoted)
        do {
            try await connection.execute("lock table \(names.joined(separator: ", ")) in access share mode")
        } catch {
            // undefined_table, invalid_schema_name: dropped since the catalog was read.
            guard !["42P01", "3F000"].contains(error.sqlState) else { throw PlanIsOutdated() }
            guard let conflict = LockConflict(of: error) else { throw error }
            guard isLastAttempt else { throw PlanIsOutdated() }
            throw attempts.failure(toLock: names, conflict, run: "backup", underlying: error)
        }
    }
}

extension BackupPlan {
    /// The relations that jobs and definitions name.
    fileprivate var relations: [Relation] {
        // Of views that only globs find nothing but the definition is read.
        jobs.compactMap(\.relation)
            + definitions.flatMap { group in group.relations.filter { !group.derived.contains($0.oid) } }
    }
}
