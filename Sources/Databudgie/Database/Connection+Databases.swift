import Postgres

extension Connection {
    /// Drops a database and ends the sessions that are connected to it.
    ///
    /// - Parameters:
    ///   - name: The database's name; not the connected one.
    ///   - mayBeMissing: It is no error when there is no such database.
    /// - Throws: `PostgresError`.
    nonisolated(nonsending) func dropDatabase(_ name: String, mayBeMissing: Bool = false) async throws {
        let target = (mayBeMissing ? "if exists " : "") + quotedIdentifier(name)
        if server.majorVersion >= 13 {
            try await execute("drop database \(target) with (force)")
        } else {
            _ = try await query(
                """
                select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
                where datname operator(pg_catalog.=) $1
                """,
                [name]
            )
            try await execute("drop database \(target)")
        }
    }
}
