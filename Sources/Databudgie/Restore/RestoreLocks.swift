import Postgres

/// Says which tables a restore is loading, so that another one does not load them at the same time.
///
/// Without it two restores that add rows would both succeed, and each row would be there twice. Advisory locks end with
/// the transaction, whatever becomes of the run, and a pooler hands them on with it.
struct RestoreLocks {
    let connection: Connection
    let catalog: DatabaseCatalog

    /// The first key of the locks, "dbud"; the second one is the table's OID.
    private static let lockClass: Int32 = 0x6462_7564

    /// Takes the locks of some tables until the transaction ends.
    ///
    /// A partition is locked with its roots, which are shared by other partitions, so a root and one of its partitions are
    /// not loaded at the same time either.
    /// - Parameter relations: What is about to be emptied or loaded.
    /// - Throws: ``DatabudgieError`` that names the session which loads one of them; `PostgresError`.
    func take(_ relations: [Relation]) async throws {
        let exclusive = Set(relations.map(\.oid))
        let shared = Set(relations.filter(\.isPartition).flatMap { catalog.lineage(of: $0.oid) }).subtracting(exclusive)
        // In one order everywhere: of two restores that meet, one succeeds.
        for oid in exclusive.union(shared).sorted() {
            let function = shared.contains(oid) ? "pg_try_advisory_xact_lock_shared" : "pg_try_advisory_xact_lock"
            let statement = "select pg_catalog.\(function)($1::pg_catalog.int4, $2::pg_catalog.int4) as is_locked"
            let rows = try await connection.query(statement, [String(Self.lockClass), String(Int32(bitPattern: oid))])
                .rows
            guard rows.first?["is_locked"] == "t" else { throw await refusal(oid) }
        }
    }

    private func refusal(_ oid: Relation.OID) async -> DatabudgieError {
        let name = catalog[oid]?.name.description ?? "the table"
        // Best effort: it may just have finished.
        let holders = try? await LockHolders(connection: connection).ofAdvisoryLock(Self.lockClass, oid)
        let session = holders.flatMap { $0.isEmpty ? nil : $0.joined(separator: ", ") } ?? "another session"
        return DatabudgieError(
            .database,
            "\(name) is being restored by \(session)",
            hint: "wait until that restore has finished"
        )
    }
}
