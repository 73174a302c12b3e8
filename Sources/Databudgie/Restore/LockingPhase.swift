import Postgres

/// The part of a transaction that takes strong locks: it waits for them only for a short time, and tries again.
struct LockingPhase {
    let connection: Connection
    let catalog: DatabaseCatalog
    var attempts = LockAttempts()

    /// Runs the body within a savepoint, and again when it had to give way to another session.
    ///
    /// - Parameters:
    ///   - tables: What the body locks, for the message.
    ///   - harmless: Modes of other sessions that are not in the way, as `pg_locks` spells them.
    ///   - body: Uses the connection.
    /// - Throws: ``DatabudgieError`` that names the other sessions when the last attempt fails too; what the body throws.
    func run(_ tables: [Relation], harmless: [String] = [], _ body: () async throws -> Void) async throws {
        try await attempts.limit(over: connection)
        do {
            try await attempts.retrying { try await connection.withSavepoint("locking_phase", body) }
        } catch {
            guard let conflict = LockConflict(of: error) else { throw error }
            let oids = tables.flatMap { [$0.oid] + catalog.descendants(of: $0.oid) }
            // Best effort: they may just have finished.
            let holders = try? await LockHolders(connection: connection).ofTables(oids, excluding: harmless)
            throw attempts.failure(
                toLock: Set(tables.map(\.name)).sorted().map(\.description),
                conflict,
                run: "restore",
                holders: holders ?? [],
                underlying: error
            )
        }
        try await attempts.endLimit(over: connection)
    }
}

extension LockingPhase {
    /// Locks tables that are about to be dropped and re-created, before anything else is done in the transaction.
    ///
    /// - Parameters:
    ///   - names: Tables and views of the target.
    ///   - isDryRun: Nothing will be restored, so other restores are not in the way.
    /// - Throws: ``DatabudgieError`` when another session is in the way; `PostgresError`.
    func lockReplaced(_ names: Set<QualifiedName>, isDryRun: Bool) async throws {
        let tables = catalog.relations.filter {
            names.contains($0.name) && [.table, .partitionedTable].contains($0.kind)
        }
        guard !tables.isEmpty else { return }
        if !isDryRun { try await RestoreLocks(connection: connection, catalog: catalog).take(tables) }
        let list = tables.map { ($0.kind == .table ? "only " : "") + $0.name.quoted }.joined(separator: ", ")
        do {
            try await run(tables) { try await connection.execute("lock table \(list) in access exclusive mode") }
        } catch let error as PostgresError where error.sqlState == "42501" {
            // Dropping them says what is missing.
            try await attempts.endLimit(over: connection)
        }
    }
}
