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

extension Connection {
    /// Runs the body in a transaction of its own, or in the one that is open already.
    ///
    /// - Parameters:
    ///   - options: How a transaction of its own is begun.
    ///   - isNested: The caller has a transaction open, which decides what becomes of the body's work.
    ///   - body: Uses this connection.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or `PostgresError`.
    func withTransaction<Result: Sendable>(
        _ options: TransactionOptions,
        isNested: Bool,
        _ body: (Connection) async throws -> Result
    ) async throws -> Result {
        isNested ? try await body(self) : try await withTransaction(options, body: body)
    }

    /// Runs the body with an empty search path, so that nobody's operator or function of the same name is called
    /// (CVE-2018-1058), and puts it back afterwards for the user's queries.
    ///
    /// - Parameter body: Uses this connection, within an open transaction.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or `PostgresError`; the path comes back with the transaction's end then.
    func withEmptySearchPath<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        let path = try await query("select pg_catalog.current_setting('search_path') as path").rows.first?["path"] ?? ""
        try await setSearchPath("")
        let result = try await body()
        try await setSearchPath(path)
        return result
    }

    private func setSearchPath(_ path: String) async throws {
        _ = try await query("select pg_catalog.set_config('search_path', $1, true)", [path])
    }
}

extension Sequence where Element: LosslessStringConvertible {
    /// The elements as an array for a statement's parameter: numbers or truth values, which need no quotes.
    var arrayLiteral: String { "{" + map(\.description).joined(separator: ",") + "}" }
}

extension Error {
    /// The connection is gone, and with it everything that a run could still do.
    var isLostConnection: Bool { (self as? PostgresError)?.code == .connectionLost }
}

extension [String: String] {
    /// The session setting for a limit on idle transactions.
    ///
    /// - Parameter seconds: nil leaves them without limit, as the pinned settings do.
    /// - Returns: The setting by its name; empty for nil.
    static func idleInTransactionTimeout(_ seconds: Double?) -> [String: String] {
        guard let seconds else { return [:] }
        // Rounded up, as 0 would be no limit at all.
        let milliseconds = Swift.min((seconds * 1_000).rounded(.up), Double(Int32.max))
        return ["idle_in_transaction_session_timeout": "\(Int(milliseconds))ms"]
    }
}
