import Postgres

/// Reads the sizes of tables: one query, whatever their number.
struct TableSizeReader {
    let connection: Connection

    /// The sizes of tables without their indexes, in the caller's transaction.
    ///
    /// The server locks each table for the moment in which it looks at its files. Those that the transaction has locked in any
    /// case cost nothing; of one that another session keeps locked, the size stays unknown.
    /// - Parameter relations: Tables, materialized views, and what has no rows of its own, which is ignored.
    /// - Returns: Bytes by OID; nothing when the role is not allowed to ask.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func read(_ relations: [Relation]) async throws -> [Relation.OID: Int64] {
        let oids = relations.filter { $0.isReadable && [.table, .materializedView].contains($0.kind) }.map(\.oid)
        guard !oids.isEmpty else { return [:] }
        do {
            let rows = try await connection.withDiscardedSavepoint(
                "table_sizes",
                settings: ["search_path": "", "lock_timeout": "1s"]
            ) {
                try await connection.query(Self.query, [oids.arrayLiteral]).rows
            }
            return Dictionary(
                rows.compactMap { row in
                    row["oid"].flatMap(Relation.OID.init).flatMap { oid in
                        row["bytes"].flatMap(Int64.init).map { (oid, $0) }
                    }
                },
                uniquingKeysWith: { first, _ in first }
            )
        } catch {
            try rethrowUnlessJobFailed(error)
            return [:]
        }
    }

    /// Of the rows, and of the values that are kept apart from them: `pg_table_size` looks at more files, and takes twice as
    /// long.
    private static let query = """
        select c.oid, pg_catalog.pg_relation_size(c.oid)
            + case when c.reltoastrelid = 0 then 0 else pg_catalog.pg_relation_size(c.reltoastrelid) end as bytes
        from pg_catalog.pg_class c
        where c.oid = any ($1::pg_catalog.oid[])
        """
}
