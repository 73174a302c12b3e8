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

    private func copyIn<Bytes: AsyncSequence>(
        _ sql: String,
        isOwnText: Bool,
        from source: sending Bytes
    ) async throws -> Int where Bytes.Element == [UInt8] {
        try prepareForStatement()
        let statement = canceller.begin()
        activity = .copyingIn
        defer {
            activity = .nothing
            endStatement(statement)
        }
        return try await withTaskCancellationHandler {
            guard !Task.isCancelled else { throw PostgresError.cancelled }
            try beginCopy(sql, expecting: PGRES_COPY_IN, isOwnText: isOwnText)
            do {
                try await send(source)
            } catch {
                // For a server that is gone; one that is busy undoes its work meanwhile.
                canceller.limit(statement, to: Canceller.longPatience)
                let reason = Task.isCancelled ? "the client was cancelled" : "the client could not read its data"
                _ = try? endCopyIn(failure: reason)
                throw Task.isCancelled || error is CancellationError ? PostgresError.cancelled : error
            }
            return try endCopyIn(failure: nil)
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
