import Postgres

/// The one moment from which all tables of a backup are read.
struct ExportSnapshot {
    let connection: Connection
    /// Seconds after which the server ends our transaction when it idles; nil is never.
    let idleInTransactionTimeout: Double?

    /// How long the tables' locks are waited for, each time: behind us, while we wait for an ALTER TABLE, everybody waits.
    var lockTimeout = Duration.seconds(10)

    private static let attempts = 3

    private struct PlanIsOutdated: Error {}

    /// Plans, locks the planned tables, and runs the body in one repeatable-read, read-only transaction.
    ///
    /// TRUNCATE and rewriting forms of ALTER TABLE are not safe under MVCC (PostgreSQL documentation, "Caveats" of
    /// "Concurrency Control"): a table that one of them changes after the snapshot looks empty. So the planned tables are
    /// locked *before* the snapshot is taken, and the catalog is read again within it: when something changed in
    /// between, the plan is made anew.
    /// - Parameters:
    ///   - makePlan: Makes the plan for a catalog.
    ///   - body: Receives the plan whose tables are locked, and the catalog that it was made for.
    /// - Returns: What the body returns.
    /// - Throws: ``DatabudgieError`` when the tables cannot be locked or keep changing; what the body throws.
    func withPlan<Result: Sendable>(
        _ makePlan: (DatabaseCatalog) throws -> BackupPlan,
        body: (BackupPlan, DatabaseCatalog) async throws -> Result
    ) async throws -> Result {
        for attempt in 1...Self.attempts {
            let expected = try await connection.withTransaction(.readOnly) { connection in
                try await DatabaseCatalogReader(connection: connection).read()
            }
            let expectedPlan = try makePlan(expected)
            let lockable = Self.lockable(expectedPlan)
            do {
                return try await connection.withTransaction(.snapshot) { connection in
                    try await lock(lockable, attempt: attempt)
                    try await lockViews(Self.lockable(expectedPlan, [.view]))
                    try await connection.pinSessionSettings(
                        .backup,
                        overrides: .idleInTransactionTimeout(idleInTransactionTimeout)
                    )
                    let catalog = try await DatabaseCatalogReader(connection: connection).read()
                    let plan = try makePlan(catalog)
                    guard catalog == expected || Self.lockable(plan).isSubset(of: lockable) else {
                        throw PlanIsOutdated()
                    }
                    return try await body(plan, catalog)
                }
            } catch is PlanIsOutdated {
                continue
            }
        }
        throw DatabudgieError(
            .database,
            "Tables were created, altered or locked faster than they could be planned and locked for the backup, "
                + "\(Self.attempts) times in a row; run it again when no migration is under way."
        )
    }

    /// Tables that a job reads as such.
    ///
    /// Those that the role may not read fail on their own, later, with the server's words.
    private static func lockable(
        _ plan: BackupPlan,
        _ kinds: Set<Relation.Kind> = [.table, .partitionedTable]
    ) -> Set<QualifiedName> {
        let relations = plan.jobs.compactMap(\.relation) + plan.definitions.flatMap(\.relations)
        return Set(relations.filter { $0.isReadable && kinds.contains($0.kind) }.map(\.name))
    }

    /// Locks what views read, as far as their owners may: a view cannot be locked when its owner has lost a right.
    private func lockViews(_ views: Set<QualifiedName>) async throws {
        for view in views.sorted() {
            do {
                try await connection.withSavepoint("view_lock") {
                    try await connection.execute("lock table \(view.quoted) in access share mode")
                }
            } catch let error as PostgresError {
                guard error.sqlState == "42501" else { throw error }
            }
        }
    }

    private func lock(_ tables: Set<QualifiedName>, attempt: Int) async throws {
        guard !tables.isEmpty else { return }
        let names = tables.sorted().map(\.quoted).joined(separator: ", ")
        do {
            // Neither statement takes a snapshot.
            try await connection.execute("set local lock_timeout = \(lockTimeout / .milliseconds(1))")
            try await connection.execute("lock table \(names) in access share mode")
        } catch {
            switch error.sqlState {
            case "42P01", "3F000":
                // Dropped since the catalog was read.
                throw PlanIsOutdated()
            case "55P03" where attempt < Self.attempts:
                throw PlanIsOutdated()
            case "55P03":
                throw DatabudgieError(
                    .database,
                    "One of the tables \(names.prefix(300)) is locked by another session and did not come free in "
                        + "\(Self.attempts) times \(lockTimeout / .seconds(1)) seconds; "
                        + "run the backup when that session has finished.",
                    underlying: error
                )
            default:
                throw error
            }
        }
    }
}
