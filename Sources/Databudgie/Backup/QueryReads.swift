import Postgres

/// Finds out what queries read before they run.
struct QueryReads {
    let connection: Connection

    /// The relations that the queries of jobs read: joined tables, views, and the tables below those views.
    ///
    /// The server locks what it meets when it parses and rewrites a query, so its own locks are the exact list. What functions
    /// read shows only when they run, and is left to ``RewriteCheck``.
    ///
    /// To be called in a transaction that is discarded.
    /// - Parameters:
    ///   - jobs: All jobs of a backup. A table that is read as such needs no look.
    ///   - catalog: The catalog of the same moment.
    /// - Returns: The relations that are not the server's own.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func relations(of jobs: [BackupJob], _ catalog: DatabaseCatalog) async throws -> [Relation] {
        let queries = jobs.filter { $0.includesRows && $0.problem == nil && !$0.isWholeTable }.map(\.query.sql)
        guard !queries.isEmpty else { return [] }
        try await connection.restrictViews(false)
        for query in queries {
            do {
                _ = try await connection.withSavepoint("query_reads") { try await connection.describe(query) }
            } catch {
                // The job reports what is wrong with its query.
                try rethrowUnlessJobFailed(error)
            }
        }
        try await connection.restrictViews(true)
        let locked = try await connection.query(Self.lockedQuery).rows
        return locked.compactMap { row in row["oid"].flatMap(Relation.OID.init).flatMap { catalog[$0] } }
    }

    private static let lockedQuery = """
        select distinct relation as oid from pg_catalog.pg_locks
        where locktype operator(pg_catalog.=) 'relation' and granted
            and pid operator(pg_catalog.=) pg_catalog.pg_backend_pid()
        """
}
