import CLibpq

extension Connection {
    /// Runs a COPY … FROM STDIN with bytes from a sequence.
    ///
    /// If the sequence throws, or the task is cancelled, the server aborts the command and keeps no row. If the server
    /// refuses a row, that is noticed at once on a connection without TLS, and at the end of the sequence with TLS.
    ///
    /// - Parameters:
    ///   - sql: The whole COPY command; two statements are refused by the server.
    ///   - source: The bytes, in pieces of any size.
    /// - Returns: How many rows the server stored.
    /// - Throws: The sequence's error; ``PostgresError``, whose context names the line and column of a value that the server
    ///   refuses; ``PostgresError/Code/cancelled`` when the task is cancelled, whatever the sequence throws then.
    public func copyIn<Bytes: AsyncSequence>(
        _ sql: String,
        from source: sending Bytes
    ) async throws -> Int where Bytes.Element == [UInt8] {
        try await copyIn(sql, isOwnText: false, from: source)
    }

    /// Runs a COPY … FROM STDIN together with the statements that were deferred, in one text.
    ///
    /// The server would run further statements in it: nothing in the text may come from a user but quoted names.
    ///
    /// - Parameters:
    ///   - text: The whole COPY command.
    ///   - source: The bytes, in pieces of any size.
    /// - Returns: How many rows the server stored.
    /// - Throws: As ``copyIn(_:from:)`` does; also the error of a deferred statement.
    public func copyIn<Bytes: AsyncSequence>(
        ownText text: String,
        from source: sending Bytes
    ) async throws -> Int where Bytes.Element == [UInt8] {
        try await copyIn(text, isOwnText: true, from: source)
    }

    /// Says which COPY … FROM STDIN commands come next, so that they go to the server in one text: while it ends one, it begins
    /// the next.
    ///
    /// Each has to be run by ``copyIn(ownText:from:)``, in this order, and no other statement in between; what is left of them
    /// ends with the transaction. An error of one keeps the others from being run.
    ///
    /// - Parameter texts: The whole commands; nothing in them may come from a user but quoted names.
    public func announceCopies(_ texts: [String]) {
        copies = CopySeries(texts)
    }

    private func copyIn<Bytes: AsyncSequence>(
        _ sql: String,
        isOwnText: Bool,
        from source: sending Bytes
    ) async throws -> Int where Bytes.Element == [UInt8] {
        let isInSeries = isOwnText && copies.continues(with: sql)
        let isBegun = if case .betweenCopies = activity { isInSeries } else { false }
        if !isBegun { try prepareForStatement() }
        let statement = canceller.begin()
        activity = .copyingIn
        defer {
            if case .copyingIn = activity { activity = .nothing }
            endStatement(statement)
        }
        return try await withTaskCancellationHandler {
            guard !Task.isCancelled else {
                if isBegun { _ = try? endCopyIn(failure: "the client was cancelled") }
                throw PostgresError.cancelled
            }
            if !isBegun {
                let text = isInSeries ? copies.texts.joined(separator: "; ") : sql
                try beginCopy(text, expecting: PGRES_COPY_IN, isOwnText: isOwnText)
            } else if let failure = copies.failure {
                copies = CopySeries()
                throw failure
            }
            do {
                try await send(source)
            } catch {
                // For a server that is gone; one that is busy undoes its work meanwhile.
                canceller.limit(statement, to: Canceller.longPatience)
                let reason = Task.isCancelled ? "the client was cancelled" : "the client could not read its data"
                _ = try? endCopyIn(failure: reason)
                throw Task.isCancelled || error is CancellationError ? PostgresError.cancelled : error
            }
            guard isInSeries, copies.takeNext() else { return try endCopyIn(failure: nil) }
            return try endCopyInSeries()
        } onCancel: {
            canceller.cancel(statement)
        }
    }

    /// Sends a sequence, until it ends or the server has reported an error.
    private func send<Bytes: AsyncSequence>(_ source: sending Bytes) async throws where Bytes.Element == [UInt8] {
        let watch = try unsafe PeerWatch(liveHandle())
        watch.suspendLimit()
        defer { watch.resumeLimit() }
        var sender = try unsafe CopyInSender(liveHandle(), watch)
        for try await chunk in source {
            guard !Task.isCancelled else { throw PostgresError.cancelled }
            // Throws if the connection was closed during the wait for the sequence.
            guard try unsafe sender.send(chunk, to: liveHandle()) else { return }
        }
        guard !Task.isCancelled else { throw PostgresError.cancelled }
    }

    /// Ends a COPY of a series, reads its result, and begins the next one.
    ///
    /// - Returns: How many rows the server stored.
    /// - Throws: ``PostgresError`` of the server; what keeps it from beginning the next one is the error of that one.
    private func endCopyInSeries() throws(PostgresError) -> Int {
        let handle = try unsafe liveHandle()
        _ = unsafe PQputCopyEnd(handle, nil)
        let rows = try requireCopyResult(PGRES_COMMAND_OK)
        do throws(PostgresError) {
            _ = try requireCopyResult(PGRES_COPY_IN)
        } catch {
            copies.failure = error
        }
        activity = .betweenCopies
        return rows ?? 0
    }

    /// Reads one result within a series.
    ///
    /// - Parameter status: What it has to be.
    /// - Returns: How many rows it says that the server stored.
    /// - Throws: ``PostgresError`` when it is another one; the others are then read too.
    private func requireCopyResult(_ status: ExecStatusType) throws(PostgresError) -> Int? {
        let handle = try unsafe liveHandle()
        var failure = PostgresError(
            .connectionLost,
            unsafe LibpqMessage.tidied(String(cString: PQerrorMessage(handle)))
        )
        if let result = unsafe LibpqResult(PQgetResult(handle)) {
            guard result.status != status else { return result.affectedRows }
            failure = result.error()
            if result.status == PGRES_COPY_IN { unsafe PQputCopyEnd(handle, failure.message) }
            _ = try? collect()
        }
        throw explain(failure)
    }

    /// Ends what is left of a COPY that is over or lost in front of its row.
    func abandonCopies() {
        guard case .betweenCopies = activity else { return copies = CopySeries() }
        activity = .nothing
        defer { copies = CopySeries() }
        guard copies.failure == nil else { return }
        _ = try? endCopyIn(failure: "the client has ended the transaction")
    }

    /// Ends the COPY and reads its result.
    ///
    /// - Parameter failure: Why the rows must not be kept; nil when they are complete.
    /// - Returns: How many rows the server stored.
    /// - Throws: ``PostgresError`` of the server, always if there is a failure.
    private func endCopyIn(failure: String?) throws(PostgresError) -> Int {
        let handle = try unsafe liveHandle()
        // Its return value does not matter: if nothing can be sent, the result says why.
        _ = unsafe PQputCopyEnd(handle, failure)
        guard let rows = try collect().affectedRows else {
            throw PostgresError(.protocolViolation, "the server did not report how many rows it stored")
        }
        return rows
    }
}
