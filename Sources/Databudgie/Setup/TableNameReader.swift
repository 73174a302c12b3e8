package import Postgres

/// Reads the names of a database's tables for the completion of a command line: nobody waits for it for long, and nothing of it
/// is said.
package struct TableNameReader: Sendable {
    private let connection: ConnectionParameters

    /// The most names that are read.
    private static let most = 2_000

    /// Prepares a look.
    ///
    /// - Parameter connection: The database. A key of TLS that needs a passphrase is not asked for.
    package init(_ connection: ConnectionParameters) {
        var connection = connection
        // libpq leaves the passphrase of a key to OpenSSL, which asks on the terminal; with a wrong one it fails.
        if connection.keywords["sslpassword"] == nil { connection.keywords["sslpassword"] = "-" }
        // Two seconds are libpq's least.
        connection.keywords["connect_timeout"] = "2"
        self.connection = connection
    }

    /// Reads the names of all tables and views that have rows to export, as `schema.table`.
    ///
    /// - Parameter prefix: How the names begin.
    /// - Returns: At most two thousand of them, sorted.
    /// - Throws: `PostgresError`; `CancellationError`.
    package func names(startingWith prefix: String) async throws -> [String] {
        try await Connection.withConnection(to: connection) { connection in
            try await connection.query(Self.query, [prefix]).rows.compactMap { $0["name"] }
        }
    }

    private static let query = """
        select names.name from (
            select n.nspname::pg_catalog.text operator(pg_catalog.||) '.' operator(pg_catalog.||) c.relname::pg_catalog.text as name
            from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
            where c.relkind operator(pg_catalog.=) any ('{r,p,v,m,f}'::pg_catalog."char"[])
                and n.nspname operator(pg_catalog.<>) 'information_schema'
                and not pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')
        ) names
        where pg_catalog.starts_with(names.name, $1::pg_catalog.text)
        order by names.name collate pg_catalog."C" limit \(most)
        """
}
