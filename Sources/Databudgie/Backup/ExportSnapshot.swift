import Postgres

/// The one moment from which all tables of a backup are read.
struct ExportSnapshot {
    let session: DatabaseSession

    /// Lock timeout of each attempt: short, because other sessions queue behind our pending lock.
    var lockTimeout = Duration.seconds(10)

    private static let attempts = 3

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
        for attempt in 1...Self.attempts {
            let expected = try await session.readCatalog(without: manifest)
            let expectedPlan = try makePlan(expected)
            let lockable = Self.lockable(expectedPlan)
            let locking = {
                try await lock(lockable, attempt: attempt)
                try await lockViews(Self.lockable(expectedPlan, [.view]))
            }
            do {
                return try await session.withTransaction(.snapshot, beforeSnapshot: locking) {
                    let catalog = try await session.readCatalog(without: manifest, isNested: true)
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
            "the schema kept changing while the backup was locking its tables (\(Self.attempts) attempts)",
            hint: "run it again when no migration is running"
        )
    }

    /// Tables that a job reads as such.
    ///
    /// Those that the role cannot read fail on their own, later, with the server's message.
    private static func lockable(
        _ plan: BackupPlan,
        _ kinds: Set<Relation.Kind> = [.table, .partitionedTable]
    ) -> Set<QualifiedName> {
        let relations = plan.jobs.compactMap(\.relation) + plan.definitions.flatMap(\.relations)
        return Set(relations.filter { $0.isReadable && kinds.contains($0.kind) }.map(\.name))
    }

    /// Locks what views read, as far as their owners' privileges go: a view cannot be locked when its owner lacks one.
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
        let names = tables.sorted().map(\.quoted)
        do {
            // Neither statement takes a snapshot.
            try await connection.execute("set local lock_timeout = \(lockTimeout / .milliseconds(1))")
            try await connection.execute("lock table \(names.joined(separator: ", ")) in access share mode")
        } catch {
            switch error.sqlState {
            case "42P01", "3F000":
                // Dropped since the catalog was read.
                throw PlanIsOutdated()
            case "55P03" where attempt < Self.attempts:
                throw PlanIsOutdated()
            case "55P03":
                let listed = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? " …" : "")
                throw DatabudgieError(
                    .database,
                    "could not lock \(names.count == 1 ? "the table" : "one of the tables") \(listed) "
                        + "(\(Self.attempts) attempts of \(lockTimeout / .seconds(1)) s): another session holds a "
                        + "conflicting lock",
                    hint: "run the backup again when that session has finished",
                    underlying: error
                )
            default:
                throw error
            }
        }
    }
}
