import Postgres

/// Reads what a set record says about the database.
struct SourceReader {
    let connection: Connection

    /// Describes the database, in the run's snapshot.
    ///
    /// - Throws: `PostgresError`; a question that the role may not ask stays without an answer.
    func source() async throws -> SetRecord.Source {
        let server = connection.server
        return SetRecord.Source(
            database: server.database,
            serverVersion: server.version.split(atByte: " ", maxSplits: 1).first ?? server.version,
            systemIdentifier: try await answer(
                "select system_identifier::pg_catalog.text from pg_catalog.pg_control_system()"
            ),
            encoding: server.encoding,
            snapshot: try await answer("select pg_catalog.pg_current_snapshot()::pg_catalog.text"),
            walPosition: try await answer(
                """
                select (case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()
                    else pg_catalog.pg_current_wal_lsn() end)::pg_catalog.text
                """
            )
        )
    }

    private func answer(_ query: String) async throws -> String? {
        do {
            return try await connection.withSavepoint("source") { try await connection.query(query).rows }.first?[0]
        } catch {
            try rethrowUnlessJobFailed(error)
            return nil
        }
    }
}
