import CLibpq
import Synchronization

extension Connection {
    /// Starts a COPY … TO STDOUT.
    ///
    /// - Parameters:
    ///   - sql: The whole COPY command; two statements are refused by the server.
    ///   - hasHeader: Whether the command asks for a header line, which the server does not count as a row.
    ///   - chunkSize: The bytes after which a chunk is full.
    /// - Returns: The rows in chunks; up to eight of them are read ahead while the previous ones are processed.
    /// - Throws: ``PostgresError``.
    public func copyOut(
        _ sql: String,
        hasHeader: Bool = true,
        chunkSize: Int = 262_144
    ) async throws(PostgresError) -> CopyOut {
        try await copyOut(sql, isOwnText: false, hasHeader: hasHeader, chunkSize: chunkSize)
    }

    /// Starts a COPY … TO STDOUT together with the statements that were deferred, in one text.
    ///
    /// The server would run further statements in it: nothing in the text may come from a user but quoted names.
    ///
    /// - Parameters:
    ///   - text: The whole COPY command.
    ///   - query: What is asked when the rows are read, in the same text; see ``CopyOut/answer``.
    ///   - hasHeader: Whether the command asks for a header line, which the server does not count as a row.
    ///   - chunkSize: The bytes after which a chunk is full.
    /// - Returns: The rows in chunks, as those of ``copyOut(_:hasHeader:chunkSize:)``.
    /// - Throws: ``PostgresError``, also that of a deferred statement.
    public func copyOut(
        ownText text: String,
        asking query: String? = nil,
        hasHeader: Bool = true,
        chunkSize: Int = 262_144
    ) async throws(PostgresError) -> CopyOut {
        let whole = [text, query].compactMap { $0 }.joined(separator: "; ")
        return try await copyOut(whole, isOwnText: true, hasHeader: hasHeader, chunkSize: chunkSize)
    }

    private func copyOut(
        _ sql: String,
        isOwnText: Bool,
        hasHeader: Bool,
        chunkSize: Int
    ) async throws(PostgresError) -> CopyOut {
        try prepareForStatement()
        let statement = canceller.begin()
        let outcome = await withTaskCancellationHandler { () -> PostgresError? in
            guard !Task.isCancelled else { return .cancelled }
            do throws(PostgresError) {
                try beginCopy(sql, expecting: PGRES_COPY_OUT, isOwnText: isOwnText)
                return nil
            } catch {
                return error
            }
        } onCancel: {
            canceller.cancel(statement)
        }
        if let outcome {
            endStatement(statement)
            throw outcome
        }
        let feed = CopyOutFeed(chunkSize: chunkSize)
        activity = .copyingOut(CopyOutReader(statement: statement, chunkSize: chunkSize, feed: feed))
        let progress = CopyOut.Progress(headerRows: hasHeader ? 1 : 0)
        return CopyOut(
            lease: CopyOut.Lease(connection: self, statement: statement, progress: progress, feed: feed)
        )
    }

    /// Reads chunks of a COPY until enough are read ahead, or there are no more.
    ///
    /// Each chunk is a job of its own, so that others of this connection, such as its end, come between them.
    ///
    /// - Parameters:
    ///   - statement: The number of the COPY.
    ///   - feed: Where the chunks go.
    ///   - progress: What remains known of the COPY after its end.
    func readAhead(_ statement: Canceller.StatementID, into feed: CopyOutFeed, _ progress: CopyOut.Progress) {
        guard case .copyingOut(let reader) = activity, reader.statement == statement else {
            return feed.abandon(abandonment)
        }
        do throws(PostgresError) {
            let chunk = try read(reader, progress)
            let mayContinue = chunk.rows == 0 || feed.add(chunk)
            if reader.hasEnded {
                activity = .nothing
                feed.end(nil)
            } else if mayContinue {
                Task { readAhead(statement, into: feed, progress) }
            }
        } catch {
            activity = .nothing
            feed.end(error)
        }
    }

    /// Stops a COPY that will not be read to its end, and makes the connection usable again.
    ///
    /// - Parameter statement: The number of the COPY; nil for whichever is running.
    func abandonCopyOut(_ statement: Canceller.StatementID? = nil) {
        guard case .copyingOut(let reader) = activity, statement == nil || statement == reader.statement else { return }
        activity = .nothing
        // Last: whether the server has obeyed decides what a task that waits for rows is told.
        defer { reader.feed.abandon(abandonment) }
        guard let handle = unsafe handle else { return }
        canceller.cancel(
            reader.statement,
            within: Task.isCancelled ? Canceller.patience : Canceller.longPatience
        )
        unsafe discardRows(handle)
        // The error is that of the cancelled query, or of a lost connection, which the next statement meets anyway.
        _ = try? collect()
        endStatement(reader.statement)
    }

    /// Sends a COPY and waits until the server accepts it.
    ///
    /// - Parameters:
    ///   - sql: The whole COPY command.
    ///   - status: The direction.
    ///   - isOwnText: The command is sent with the statements that were deferred.
    /// - Throws: ``PostgresError``.
    func beginCopy(
        _ sql: String,
        expecting status: ExecStatusType,
        isOwnText: Bool = false
    ) throws(PostgresError) {
        let handle = try unsafe liveHandle()
        if isOwnText { try sendText(sql) } else { try sendQuery(sql, []) }
        guard let result = unsafe copyResult(handle, isLast: isOwnText) else {
            // Throws, as there is no result.
            _ = try collect()
            return
        }
        guard result.status != status else { return }
        var failure = PostgresError(
            .protocolViolation,
            "the statement is not a COPY \(status == PGRES_COPY_OUT ? "TO STDOUT" : "FROM STDIN")",
            hint: "correct it"
        )
        switch result.status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: break
        case PGRES_COPY_OUT: unsafe discardRows(handle)
        case PGRES_COPY_IN: unsafe PQputCopyEnd(handle, failure.message)
        default: failure = result.error()
        }
        _ = try? collect()
        throw explain(failure)
    }

    /// The result of a COPY; when it is the last of several statements in a text, or the first error.
    @unsafe
    private func copyResult(_ handle: OpaquePointer, isLast: Bool) -> LibpqResult? {
        while let result = unsafe LibpqResult(PQgetResult(handle)) {
            guard isLast, [PGRES_COMMAND_OK, PGRES_TUPLES_OK].contains(result.status) else { return result }
        }
        return nil
    }

    /// Reads and discards rows until the server sends no more.
    @unsafe
    func discardRows(_ handle: OpaquePointer) {
        var row: UnsafeMutablePointer<CChar>?
        while unsafe PQgetCopyData(handle, &row, 0) > 0 {
            unsafe PQfreemem(row)
        }
    }

    /// Reads the next rows and, behind the last of them, what became of the COPY.
    private func read(_ reader: CopyOutReader, _ progress: CopyOut.Progress) throws(PostgresError) -> RowChunk {
        let chunk = unsafe reader.read(try liveHandle())
        progress.messages.withLock { $0 = reader.messages }
        guard reader.hasEnded else { return chunk }
        defer { endStatement(reader.statement) }
        // PQgetCopyData says only that no more rows come; the result says whether that is the end or a failure.
        var answers = Answers(keepsRows: true)
        _ = try collect(&answers)
        let counted = answers.firstCount
        let received = reader.messages - progress.headerRows
        guard counted == received else {
            throw PostgresError(
                .protocolViolation,
                "rows of the COPY by the server's count: \(counted.map(String.init) ?? "unknown"), and by ours: \(received)"
            )
        }
        progress.answer.withLock { $0 = answers.rows.last }
        progress.rows.withLock { $0 = received }
        return chunk
    }

    /// Why a COPY has no more rows although the server has.
    private var abandonment: PostgresError {
        guard !canceller.isBroken else { return .cancelled }
        return PostgresError(
            .connectionUnavailable,
            "the COPY was abandoned: the connection was closed or used for something else before its end"
        )
    }
}
