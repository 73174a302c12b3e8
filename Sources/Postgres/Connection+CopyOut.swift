import CLibpq
import Synchronization

extension Connection {
    /// Starts a COPY … TO STDOUT.
    ///
    /// - Parameters:
    ///   - sql: The whole COPY command; two statements are refused by the server.
    ///   - hasHeader: Whether the command asks for a header line, which the server does not count as a row.
    ///   - chunkSize: The bytes after which a chunk is full.
    /// - Returns: The rows in chunks; one chunk is read ahead while the previous one is processed.
    /// - Throws: ``PostgresError``.
    public func copyOut(
        _ sql: String,
        hasHeader: Bool = true,
        chunkSize: Int = 262_144
    ) async throws(PostgresError) -> CopyOut {
        try prepareForStatement()
        let statement = canceller.begin()
        let outcome = await withTaskCancellationHandler { () -> PostgresError? in
            guard !Task.isCancelled else { return .cancelled }
            do throws(PostgresError) {
                try beginCopy(sql, expecting: PGRES_COPY_OUT)
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
        activity = .copyingOut(CopyOutReader(statement: statement, chunkSize: chunkSize))
        let progress = CopyOut.Progress(headerRows: hasHeader ? 1 : 0)
        return CopyOut(lease: CopyOut.Lease(connection: self, statement: statement, progress: progress))
    }

    /// The next chunk of a COPY, or nil after the last.
    ///
    /// - Parameters:
    ///   - statement: The number of the COPY.
    ///   - progress: What remains known of it after its end.
    /// - Returns: The chunk, nil after the last, or why there is none.
    func nextChunk(
        of statement: Canceller.StatementID,
        _ progress: CopyOut.Progress
    ) -> Result<RowChunk?, PostgresError> {
        guard !Task.isCancelled else {
            abandonCopyOut(statement)
            return .failure(.cancelled)
        }
        guard case .copyingOut(let reader) = activity, reader.statement == statement else {
            guard progress.rows.withLock({ $0 == nil }) else { return .success(nil) }
            return .failure(canceller.isBroken ? .cancelled : Self.abandoned)
        }
        let outcome = reader.prepared ?? read(reader, progress)
        reader.prepared = nil
        guard case .success(.some) = outcome else {
            activity = .nothing
            return outcome
        }
        // While the caller works on this chunk, the next one is read from the socket, so the server can continue.
        Task { readAhead(statement, progress) }
        return outcome
    }

    /// Stops a COPY that will not be read to its end, and makes the connection usable again.
    ///
    /// - Parameter statement: The number of the COPY; nil for whichever is running.
    func abandonCopyOut(_ statement: Canceller.StatementID? = nil) {
        guard case .copyingOut(let reader) = activity, statement == nil || statement == reader.statement else { return }
        activity = .nothing
        guard !reader.hasEnded, let handle = unsafe handle else { return }
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
    /// - Throws: ``PostgresError``.
    func beginCopy(_ sql: String, expecting status: ExecStatusType) throws(PostgresError) {
        let handle = try unsafe liveHandle()
        try sendQuery(sql, [])
        guard let result = unsafe LibpqResult(PQgetResult(handle)) else {
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

    /// Reads and discards rows until the server sends no more.
    @unsafe
    func discardRows(_ handle: OpaquePointer) {
        var row: UnsafeMutablePointer<CChar>?
        while unsafe PQgetCopyData(handle, &row, 0) > 0 {
            unsafe PQfreemem(row)
        }
    }

    private func readAhead(_ statement: Canceller.StatementID, _ progress: CopyOut.Progress) {
        guard case .copyingOut(let reader) = activity, reader.statement == statement, reader.prepared == nil else {
            return
        }
        reader.prepared = read(reader, progress)
    }

    private func read(_ reader: CopyOutReader, _ progress: CopyOut.Progress) -> Result<RowChunk?, PostgresError> {
        do throws(PostgresError) {
            guard !reader.hasEnded else { return .success(nil) }
            let chunk = unsafe reader.read(try liveHandle())
            progress.messages.withLock { $0 = reader.messages }
            guard reader.hasEnded else { return .success(chunk) }
            defer { endStatement(reader.statement) }
            // PQgetCopyData says only that no more rows come; the result says whether that is the end or a failure.
            let counted = try collect().affectedRows
            let received = reader.messages - progress.headerRows
            guard counted == received else {
                throw PostgresError(
                    .protocolViolation,
                    "rows of the COPY by the server's count: \(counted.map(String.init) ?? "unknown"), and by ours: \(received)"
                )
            }
            progress.rows.withLock { $0 = received }
            return .success(chunk.rows == 0 ? nil : chunk)
        } catch {
            return .failure(error)
        }
    }

    private static var abandoned: PostgresError {
        PostgresError(
            .connectionUnavailable,
            "the COPY was abandoned: the connection was closed or used for something else before its end"
        )
    }
}
