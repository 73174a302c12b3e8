import Postgres

/// A standby has ended a query or the connection, because it cannot replay changes of the primary while the snapshot of the
/// backup needs the old rows (PostgreSQL documentation, "Handling Query Conflicts").
struct RecoveryConflict: Error {
    let underlying: any Error

    /// - Parameter error: What ended a job or the run; the result is nil for any other error.
    init?(_ error: any Error) {
        let server = (error as? DatabudgieError)?.underlying as? PostgresError ?? error as? PostgresError
        // Of pg_dump there is nothing but words.
        let isConflict = server.map(Self.isConflict) ?? ErrorText(error).message.containsBytes(of: Self.words)
        guard isConflict else { return nil }
        underlying = error
    }

    /// What the server says, if it speaks English.
    private static let words = "conflict with recovery"

    /// A transaction that only reads one snapshot has no serialization failures of its own.
    static func isConflict(_ error: PostgresError) -> Bool {
        switch error.sqlState {
        case "40001": true
        case "40P01", "57P01", "57014": error.message.containsBytes(of: words)
        default: false
        }
    }

    /// What to do when it happens again.
    static let hint =
        "set hot_standby_feedback on the standby, raise max_standby_streaming_delay, or back up from the primary"

    /// Runs the body, and adds to the error of a conflict what to do.
    ///
    /// - Parameter body: The last attempt.
    /// - Returns: What the body returns.
    /// - Throws: ``DatabudgieError`` for a conflict; what the body throws.
    static func explained<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as PostgresError where isConflict(error) {
            throw DatabudgieError(.database, error.fullMessage, hint: hint, underlying: error)
        }
    }
}
