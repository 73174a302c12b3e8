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

    private static let batchSize = 500

    /// Takes the locks of some tables until the transaction ends.
    ///
    /// A partition is locked with its roots, which are shared by other partitions, so a root and one of its partitions are
    /// not loaded at the same time either.
    /// - Parameter relations: What is about to be emptied or loaded.
    /// - Throws: ``DatabudgieError`` that names the session which loads one of them; `PostgresError`.
    func take(_ relations: [Relation]) async throws {
        let exclusive = Set(relations.map(\.oid))
        let shared = Set(relations.filter(\.isPartition).flatMap { catalog.lineage(of: $0.oid) }).subtracting(exclusive)
        for batch in exclusive.union(shared).sorted().batches(of: Self.batchSize) {
            let rows = try await connection.query(ownText: Self.statement(batch, shared)).rows
            guard let refused = rows.first?["refused"] else { continue }
            throw await refusal(Relation.OID(refused) ?? 0)
        }
    }

    /// Takes locks one after another up to the first that another session has, and selects whose it is.
    ///
    /// In one order everywhere, and none after a refusal: of two restores that meet, one succeeds. CASE evaluates no condition
    /// after one that holds (PostgreSQL documentation, "Conditional Expressions").
    private static func statement(_ oids: [Relation.OID], _ shared: Set<Relation.OID>) -> String {
        let cases = oids.map { oid in
            let function = shared.contains(oid) ? "pg_try_advisory_xact_lock_shared" : "pg_try_advisory_xact_lock"
            return "when not pg_catalog.\(function)(\(lockClass), \(Int32(bitPattern: oid))) then '\(oid)'"
        }
        return "select case \(cases.joined(separator: " ")) end as refused"
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
