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
        var options = mode.options(on: server)
        options.beginsWithNext = true
        if mode == .writing { options.pinned = Self.pinnedSettings(.restore, overrides: Self.limit(idleTimeout)) }
        return try await withTransaction(options) { connection in
            try await beforeSnapshot()
            if mode != .writing { await connection.pinWithNext(mode, idleTimeout) }
            return try await body()
        }
    }

    /// Pins the settings of a transaction that sees one moment, together with the next statement.
    private nonisolated(nonsending) func pinWithNext(_ mode: TransactionMode, _ idleTimeout: Double?) async {
        if let purpose = mode.pinnedSettings {
            await pinSessionSettingsWithNext(purpose, overrides: Self.limit(idleTimeout))
        }
        await restrictViewsWithNext(true)
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

    /// A pooler is in between, which makes up the process id.
    ///
    /// - Throws: `PostgresError`.
    var isPooled: Bool {
        get async throws {
            let row = try await query("select pg_catalog.pg_backend_pid() as pid").rows.first
            return row?["pid"] != String(server.processID)
        }
    }

    /// Lifts the limits on time of the role or the database, which are meant for other sessions, as pg_dump does: a run
    /// idles while it waits for the storage or for its other connection.
    ///
    /// Only for a session that is ours alone: a pooler, which makes up the process id, hands its sessions to others too, so
    /// there only transactions are without limits.
    /// - Throws: `PostgresError`.
    nonisolated(nonsending) func liftSessionLimits() async throws {
        let limits = TransactionMode.limits + ["idle_session_timeout"]
        _ = try await query(
            """
            select pg_catalog.set_config(name, '0', false) from pg_catalog.pg_settings
            where name operator(pg_catalog.=) any ($1::pg_catalog.text[]) and setting operator(pg_catalog.<>) '0'
                and pg_catalog.pg_backend_pid() operator(pg_catalog.=) $2::pg_catalog.int4
            """,
            [limits.arrayLiteral, String(server.processID)]
        )
    }

    /// Refuses to read views of users, or allows it again, until the transaction or its savepoint ends.
    ///
    /// A view that takes the name of a table or sequence between our look at the catalog and our query would run its owner's
    /// functions with our privileges (CVE-2024-7348, which brought the setting). A server that is too old for it does not
    /// know it.
    /// - Parameter isRestricted: Views are refused.
    /// - Throws: `PostgresError`.
    nonisolated(nonsending) func restrictViews(_ isRestricted: Bool) async throws {
        _ = try await query(Self.restriction(of: isRestricted))
    }

    /// Refuses to read views of users as ``restrictViews(_:)`` does, or allows it again, together with the next statement.
    ///
    /// - Parameter isRestricted: Views are refused.
    nonisolated(nonsending) func restrictViewsWithNext(_ isRestricted: Bool) async {
        await sendWithNext(Self.restriction(of: isRestricted))
    }

    private static func restriction(of isRestricted: Bool) -> String {
        """
        select pg_catalog.set_config(name, \(isRestricted ? "'view'" : "''"), true)
        from (values ('restrict_nonsystem_relation_kind')) as setting (name)
        where pg_catalog.current_setting(name, true) is not null
        """
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
        await sendWithNext("savepoint \(name)")
        do {
            let result = try await body()
            await sendWithNext("release savepoint \(name)")
            return result
        } catch {
            // When this fails too, the connection is gone, and the next statement reports it.
            try? await execute("rollback to savepoint \(name); release savepoint \(name)")
            throw error
        }
    }

    /// Runs the body within a savepoint, and returns to it afterwards: settings and locks of the body end with it.
    ///
    /// Neither takes a round trip where the next statement can be sent along. So the locks end with the next statement, or the
    /// transaction.
    ///
    /// - Parameters:
    ///   - name: The savepoint's name, an ordinary identifier.
    ///   - settings: What is set for the body, by name.
    ///   - body: Uses this connection, and only reads.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or `PostgresError`.
    nonisolated(nonsending) func withDiscardedSavepoint<Result: Sendable>(
        _ name: String,
        settings: [String: String] = [:],
        _ body: () async throws -> Result
    ) async throws -> Result {
        let changes = settings.sorted { $0.key < $1.key }
            .map { "set local \(quotedIdentifier($0.key)) = \(quotedLiteral($0.value))" }
        let end = "rollback to savepoint \(name); release savepoint \(name)"
        await sendWithNext((["savepoint \(name)"] + changes).joined(separator: "; "))
        do {
            let result = try await body()
            await sendWithNext(end)
            return result
        } catch {
            // When this fails too, the connection is gone, and the next statement reports it.
            try? await execute(end)
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
        let query = """
            with before as materialized (select pg_catalog.current_setting('search_path') as path)
            select path, pg_catalog.set_config('search_path', '', true) from before
            """
        let path = try await self.query(ownText: query).rows.first?["path"] ?? ""
        let result = try await body()
        await sendWithNext("select pg_catalog.set_config('search_path', \(quotedLiteral(path)), true)")
        return result
    }

    /// Runs the body as another role, and becomes the one before again, whoever the body has become meanwhile.
    ///
    /// - Parameters:
    ///   - role: The role; nil changes nothing.
    ///   - body: Uses this connection, within an open transaction.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or `PostgresError`; the role is then restored by the transaction's end.
    nonisolated(nonsending) func withRole<Result: Sendable>(
        _ role: String?,
        _ body: () async throws -> Result
    ) async throws -> Result {
        guard let role else { return try await body() }
        let before = try await query("select pg_catalog.current_setting('role') as role").rows.first?["role"]
        try await execute("set local role \(quotedIdentifier(role))")
        let result = try await body()
        _ = try await query("select pg_catalog.set_config('role', $1, true)", [before])
        return result
    }
}
