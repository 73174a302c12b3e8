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
        return try await numbers(Self.query, of: oids)
    }

    /// How many blocks tables have now, with what was added since the snapshot.
    ///
    /// Tables of other access methods than heap are missing: their addresses may be no places.
    /// - Parameter tables: Tables.
    /// - Returns: Blocks by OID; as ``read(_:)``, nothing when the role is not allowed to ask.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func blocks(of tables: [Relation.OID]) async throws -> [Relation.OID: UInt32] {
        try await numbers(Self.blocksQuery, of: tables)
    }

    /// One number for each table.
    private func numbers<Number: FixedWidthInteger & Sendable>(
        _ query: (_ oids: String) -> String,
        of tables: [Relation.OID]
    ) async throws -> [Relation.OID: Number] {
        guard !tables.isEmpty else { return [:] }
        do {
            let rows = try await connection.withDiscardedSavepoint(
                "table_sizes",
                settings: ["search_path": "", "lock_timeout": "1s"]
            ) {
                try await connection.query(ownText: query(quotedLiteral(tables.arrayLiteral))).rows
            }
            return Dictionary(
                rows.compactMap { row in
                    row["oid"].flatMap { Relation.OID($0) }.flatMap { oid in
                        row["number"].flatMap { Number($0) }.map { (oid, $0) }
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
    private static func query(_ oids: String) -> String {
        """
        select c.oid, pg_catalog.pg_relation_size(c.oid)
            + case when c.reltoastrelid = 0 then 0 else pg_catalog.pg_relation_size(c.reltoastrelid) end as number
        from pg_catalog.pg_class c
        where c.oid = any (\(oids)::pg_catalog.oid[])
        """
    }

    private static func blocksQuery(_ oids: String) -> String {
        """
        select c.oid, pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int8 as number
        from pg_catalog.pg_class c join pg_catalog.pg_am a on a.oid = c.relam
        where c.oid = any (\(oids)::pg_catalog.oid[]) and c.relkind = 'r'
            and a.amhandler = 'pg_catalog.heap_tableam_handler'::pg_catalog.regproc
        """
    }
}
