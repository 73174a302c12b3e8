import Postgres

extension Connection {
    /// Runs the body in a transaction that pins its own settings.
    ///
    /// - Parameters:
    ///   - mode: What the transaction is for.
    ///   - idleTimeout: Seconds after which the server ends the transaction when it idles; nil leaves it without limit.
    ///   - beforeSnapshot: What has to be done before the transaction sees anything, such as locking.
    ///   - body: Uses this connection.
    /// - Returns: What the body returns.
    /// - Throws: What the closures throw, or `PostgresError`.
    nonisolated(nonsending) func withTransaction<Result: Sendable>(
        _ mode: TransactionMode,
        idleTimeout: Double?,
        beforeSnapshot: () async throws -> Void = {},
        _ body: () async throws -> Result
    ) async throws -> Result {
        try await withTransaction(mode.options) { connection in
            try await beforeSnapshot()
            try await connection.pinSettings(of: mode, idleTimeout: idleTimeout)
            return try await body()
        }
    }

    /// Pins the settings of a mode until the transaction ends.
    ///
    /// - Parameters:
    ///   - mode: What the transaction is for.
    ///   - idleTimeout: Seconds after which the server ends the transaction when it idles; nil leaves it without limit.
    /// - Throws: `PostgresError`.
    nonisolated(nonsending) func pinSettings(of mode: TransactionMode, idleTimeout: Double?) async throws {
        if let purpose = mode.pinnedSettings {
            try await pinSessionSettings(purpose, overrides: Self.limit(idleTimeout))
        }
        if mode != .writing { try await restrictViews(true) }
    }

    /// Refuses to read views of users, or allows it again, until the transaction or its savepoint ends.
    ///
    /// A view that takes the name of a table or sequence between our look at the catalog and our query would run its owner's
    /// functions with our privileges (CVE-2024-7348, which brought the setting). A server that is too old for it has no such
    /// row.
    /// - Parameter isRestricted: Views are refused.
    /// - Throws: `PostgresError`.
    nonisolated(nonsending) func restrictViews(_ isRestricted: Bool) async throws {
        _ = try await query(
            """
            select pg_catalog.set_config(name, $1, true) from pg_catalog.pg_settings
            where name operator(pg_catalog.=) 'restrict_nonsystem_relation_kind'
            """,
            [isRestricted ? "view" : ""]
        )
    }

    /// The session setting for a limit on idle transactions; without one the pinned settings have none.
    private static func limit(_ seconds: Double?) -> [String: String] {
        guard let seconds else { return [:] }
        // Rounded up, because 0 would be no limit at all.
        let milliseconds = min((seconds * 1_000).rounded(.up), Double(Int32.max))
        return ["idle_in_transaction_session_timeout": "\(Int(milliseconds))ms"]
    }
}

extension Connection {
    /// Runs the body within a savepoint: when it throws, the transaction continues as if it had not begun.
    ///
    /// It is nonisolated, so the body runs where its caller does: on the connection's own executor it would queue behind a
    /// read that blocks, and could not even be cancelled.
    /// - Parameters:
    ///   - name: The savepoint's name, an ordinary identifier.
    ///   - body: Uses this connection.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or `PostgresError`.
    nonisolated(nonsending) func withSavepoint<Result: Sendable>(
        _ name: String,
        _ body: () async throws -> Result
    ) async throws -> Result {
        try await execute("savepoint \(name)")
        do {
            let result = try await body()
            try await execute("release savepoint \(name)")
            return result
        } catch {
            // When this fails too, the connection is gone, and the next statement reports it.
            try? await execute("rollback to savepoint \(name); release savepoint \(name)")
            throw error
        }
    }

    /// Runs the body with an empty search path, so a user-defined operator or function of the same name cannot be picked
    /// up (CVE-2018-1058), and restores it afterwards for the user's queries.
    ///
    /// - Parameter body: Uses this connection, within an open transaction.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or `PostgresError`; the path is then restored by the transaction's end.
    nonisolated(nonsending) func withEmptySearchPath<Result: Sendable>(
        _ body: () async throws -> Result
    ) async throws -> Result {
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
