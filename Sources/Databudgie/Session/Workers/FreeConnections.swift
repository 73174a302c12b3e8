import Postgres

/// How many more connections the server would accept from this role.
struct FreeConnections {
    let connection: Connection

    /// Asks the server, in the run's transaction.
    ///
    /// - Returns: Nil when it does not say: a connection that is refused says it then.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func count() async throws -> Int? {
        do {
            let rows = try await connection.withDiscardedSavepoint("free_connections", settings: ["search_path": ""]) {
                try await connection.query(ownText: Self.query).rows
            }
            return rows.first?["free"].flatMap(Int.init).map { max(0, $0) }
        } catch {
            try rethrowUnlessJobFailed(error)
            return nil
        }
    }

    /// The lowest of the limits of the server, of the database and of the role; no limit of the latter two concerns superusers.
    ///
    /// What is reserved for superusers is left to them even if the role is one.
    private static let query = """
        select least(
            current_setting('max_connections')::int8 - coalesce((
                select sum(setting::int8) from pg_settings
                where name in ('superuser_reserved_connections', 'reserved_connections')
            ), 0) - (select sum(numbackends) from pg_stat_database),
            case when r.rolsuper or d.datconnlimit < 0 then null else d.datconnlimit - (
                select numbackends from pg_stat_database s where s.datid = d.oid
            ) end,
            case when r.rolsuper or r.rolconnlimit < 0 then null else r.rolconnlimit - (
                select count(*) from pg_stat_activity a where a.usesysid = r.oid
            ) end
        ) as free
        from pg_database d, pg_roles r
        where d.datname = current_database() and r.rolname = session_user
        """
}
