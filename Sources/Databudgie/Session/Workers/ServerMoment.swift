import Postgres

/// Which database of which server a connection has reached; poolers and balanced hosts can lead to another one.
struct ServerMoment: Sendable, Equatable {
    /// When the server was started, in seconds since 1970.
    private let start: String
    /// The database's OID.
    private let database: String

    /// Asks the server.
    ///
    /// - Parameter connection: Any.
    /// - Throws: `PostgresError`.
    init(of connection: Connection) async throws {
        let row = try await connection.query(ownText: Self.query).rows.first
        guard let row, let start = row["start"], let database = row["database"] else {
            throw DatabudgieError(.internalInconsistency, "the server does not say which database it is")
        }
        (self.start, self.database) = (start, database)
    }

    private static let query = """
        select pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time())::pg_catalog.text as start,
            oid::pg_catalog.text as database
        from pg_catalog.pg_database where datname operator(pg_catalog.=) pg_catalog.current_database()
        """
}
