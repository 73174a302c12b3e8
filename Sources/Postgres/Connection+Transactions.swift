import CLibpq

extension Connection {
    /// Runs a closure inside a transaction: committed when it returns, rolled back when it throws.
    ///
    /// A task that is cancelled before the commit rolls back, however the closure ended; the commit itself is not
    /// interrupted, so its outcome is known.
    ///
    /// - Parameters:
    ///   - options: How the transaction is begun.
    ///   - body: What to do in it, on this connection.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error; ``PostgresError/Code/transactionAborted`` if a statement had failed and the
    ///   closure returned all the same; ``PostgresError`` if it cannot be begun or committed.
    public nonisolated(nonsending) func withTransaction<R>(
        _ options: TransactionOptions = TransactionOptions(),
        body: (Connection) async throws -> R
    ) async throws -> R {
        try await begin(options)
        do {
            let result = try await body(self)
            if await !isUnsent(options) { try await commit(options) }
            return result
        } catch {
            await rollBack()
            throw error
        }
    }

    /// Pins the settings with which the same data gives the same bytes everywhere, until the transaction ends.
    ///
    /// Settings that the server does not know are skipped; `search_path` and `TimeZone` are not touched.
    ///
    /// - Parameters:
    ///   - purpose: What the transaction is for.
    ///   - overrides: Other values for some of them, or further settings, for example
    ///     `["idle_in_transaction_session_timeout": "60s"]`.
    /// - Throws: ``PostgresError`` if a value is refused, or if no transaction is open.
    public func pinSessionSettings(
        _ purpose: Purpose,
        overrides: [String: String] = [:]
    ) async throws(PostgresError) {
        let handle = try unsafe liveHandle()
        guard unsafe !deferred.isEmpty || PQtransactionStatus(handle) != PQTRANS_IDLE else {
            throw PostgresError(
                .connectionUnavailable,
                "settings can be pinned only inside a transaction",
                hint: "begin one"
            )
        }
        let settings = Self.pinnedSettings(purpose, overrides: overrides)
        _ = try await query(SessionSettings.statement(pinning: settings))
    }

    /// Pins the settings of a purpose as ``pinSessionSettings(_:overrides:)`` does, together with the next statement.
    ///
    /// - Parameters:
    ///   - purpose: What the transaction, which is open, is for.
    ///   - overrides: Other values for some of them, or further settings.
    public func pinSessionSettingsWithNext(_ purpose: Purpose, overrides: [String: String] = [:]) {
        sendWithNext(SessionSettings.statement(pinning: Self.pinnedSettings(purpose, overrides: overrides)))
    }

    /// The settings of a purpose, by name.
    ///
    /// - Parameters:
    ///   - purpose: What a transaction is for.
    ///   - overrides: Other values for some of them, or further settings.
    /// - Returns: Names and values as for `SET`.
    public static func pinnedSettings(
        _ purpose: Purpose,
        overrides: [String: String] = [:]
    ) -> [String: String] {
        SessionSettings.values(for: purpose).merging(overrides) { $1 }
    }

    private func begin(_ options: TransactionOptions) async throws(PostgresError) {
        try prepareForStatement()
        guard unsafe PQtransactionStatus(try liveHandle()) == PQTRANS_IDLE else {
            throw PostgresError(
                .connectionUnavailable,
                "a transaction is already open on the connection",
                hint: "end it before the next one"
            )
        }
        guard !options.beginsWithNext else { return sendWithNext(options.beginCommand) }
        do {
            try await execute(options.beginCommand)
        } catch {
            // A setting that is refused leaves the transaction open.
            rollBack()
            throw error
        }
    }

    /// Whether a transaction had no statement at all, so that it was not even begun; nothing is sent then.
    private func isUnsent(_ options: TransactionOptions) -> Bool {
        guard options.beginsWithNext, deferred.first == options.beginCommand else { return false }
        deferred = []
        return true
    }

    private func commit(_ options: TransactionOptions) throws(PostgresError) {
        guard !Task.isCancelled else { throw .cancelled }
        try prepareForStatement()
        guard unsafe PQtransactionStatus(try liveHandle()) != PQTRANS_IDLE else {
            throw PostgresError(
                .transactionAborted,
                "the transaction was ended by a statement inside it"
            )
        }
        // A failed transaction answers COMMIT with ROLLBACK, without an error.
        guard try sendCommit(options) == "COMMIT" else {
            throw PostgresError(
                .transactionAborted,
                "the transaction was rolled back, because a statement inside it had failed"
            )
        }
    }

    /// - Returns: The command tag.
    private func sendCommit(_ options: TransactionOptions) throws(PostgresError) -> String {
        do throws(PostgresError) {
            return try executeUninterrupted("COMMIT")
        } catch {
            var error = error
            error.isCommitUnknown = error.code == .connectionLost && options.readOnly != true
            throw error
        }
    }

    private func rollBack() {
        deferred = []
        abandonCopies()
        // The closure's error is the one to report. A connection that cannot roll back is useless, and closing it has the
        // server roll back.
        do throws(PostgresError) {
            try prepareForStatement()
            guard unsafe PQtransactionStatus(try liveHandle()) != PQTRANS_IDLE else { return }
            let statement = canceller.begin()
            defer { endStatement(statement) }
            // Nobody waits for long for a server that may be gone.
            canceller.limit(statement, to: Task.isCancelled ? Canceller.patience : Canceller.longPatience)
            try executeUninterrupted("ROLLBACK")
        } catch {
            closeBroken()
        }
    }
}
