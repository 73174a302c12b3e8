import Postgres

/// How many locks one transaction may take at the server.
///
/// A session that creates or drops a table holds locks on it, its indexes and its TOAST table to the end of the transaction, and the
/// server has room for `max_locks_per_transaction` × (`max_connections` + `max_prepared_transactions`) of them.
struct LockBudget {
    /// Locks that can be taken with some room for other sessions.
    let available: Int

    /// Reads the server's settings.
    init(connection: Connection) async throws {
        let row = try await connection.query(
            """
            select pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.int8
                operator(pg_catalog.*) (pg_catalog.current_setting('max_connections')::pg_catalog.int8
                    operator(pg_catalog.+) pg_catalog.current_setting('max_prepared_transactions')::pg_catalog.int8) as locks
            """
        ).rows.first
        available = (row?["locks"].flatMap(Int.init) ?? 6_400) * 7 / 10
    }
}
