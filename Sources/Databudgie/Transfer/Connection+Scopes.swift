import Postgres

extension TransactionOptions {
    /// Sees one moment for its whole length, and refuses to write.
    static let snapshot = TransactionOptions(isolation: .repeatableRead, readOnly: true)
    /// For a look at the catalog.
    static let readOnly = TransactionOptions(readOnly: true)
    /// For a restore, also where sessions are read-only by default.
    static let writing = TransactionOptions(isolation: .readCommitted, readOnly: false)
}

extension Connection {
    /// Runs the body within a savepoint: when it throws, the transaction goes on as if it had not begun.
    ///
    /// - Parameters:
    ///   - name: The savepoint's name, an ordinary identifier.
    ///   - body: Uses this connection.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or `PostgresError`.
    func withSavepoint<Result: Sendable>(_ name: String, _ body: () async throws -> Result) async throws -> Result {
        try await execute("savepoint \(name)")
        do {
            let result = try await body()
            try await execute("release savepoint \(name)")
            return result
        } catch {
            // When this fails too, the connection is gone, which the next statement tells.
            try? await execute("rollback to savepoint \(name); release savepoint \(name)")
            throw error
        }
    }
}

extension [String: String] {
    /// The session setting for a limit on idle transactions.
    ///
    /// - Parameter seconds: nil leaves them without limit, as the pinned settings do.
    /// - Returns: The setting by its name; empty for nil.
    static func idleInTransactionTimeout(_ seconds: Double?) -> [String: String] {
        guard let seconds else { return [:] }
        return ["idle_in_transaction_session_timeout": "\(Int((seconds * 1_000).rounded()))ms"]
    }
}
