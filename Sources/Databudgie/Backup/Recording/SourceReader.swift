import Postgres

/// Reads what a set record says about the database.
struct SourceReader {
    let connection: Connection

    /// What is asked, each as an expression of text.
    private static let questions = [
        "(select system_identifier::pg_catalog.text from pg_catalog.pg_control_system())",
        "pg_catalog.pg_current_snapshot()::pg_catalog.text",
        """
        (case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()
            else pg_catalog.pg_current_wal_lsn() end)::pg_catalog.text
        """,
    ]

    /// Describes the database, in the run's snapshot.
    ///
    /// - Throws: `PostgresError`; a question that the role may not ask stays without an answer.
    func source() async throws -> SetRecord.Source {
        let server = connection.server
        let answers = try await answers()
        return SetRecord.Source(
            database: server.database,
            serverVersion: server.version.split(atByte: " ", maxSplits: 1).first ?? server.version,
            systemIdentifier: answers[0],
            encoding: server.encoding,
            snapshot: answers[1],
            walPosition: answers[2]
        )
    }

    /// Asks everything at once, and if that is refused, one after another.
    private func answers() async throws -> [String?] {
        if let all = try await row(Self.questions) { return Self.questions.indices.map { all[$0] } }
        var answers: [String?] = []
        for question in Self.questions { answers.append(try await row([question])?[0]) }
        return answers
    }

    /// The answers; nil when one of them is refused.
    private func row(_ questions: [String]) async throws -> QueryResult.Row? {
        do {
            return try await connection.withSavepoint("source") {
                try await connection.query(ownText: "select " + questions.joined(separator: ", ")).rows.first
            }
        } catch {
            try rethrowUnlessJobFailed(error)
            return nil
        }
    }
}
