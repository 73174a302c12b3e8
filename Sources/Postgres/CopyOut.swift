import Synchronization

/// The rows that a COPY … TO STDOUT sends, in chunks, pulled from the server as they are asked for.
///
/// The sequence can be read once. It ends without an error only if the server has reported the command as complete and
/// has counted as many rows as have arrived. Stopping half-way cancels the query; the connection remains usable. If the
/// task is cancelled, so is the query, and the sequence throws ``PostgresError/Code/cancelled``.
public struct CopyOut: AsyncSequence, Sendable {
    /// Whole rows.
    public typealias Element = RowChunk
    /// Why the rows are incomplete.
    public typealias Failure = PostgresError

    /// Reads the chunks.
    public struct Iterator: AsyncIteratorProtocol {
        let lease: Lease

        /// The next rows, or nil after the last.
        ///
        /// - Returns: A chunk of about the size that ``Connection/copyOut(_:hasHeader:chunkSize:)`` was given; longer if
        ///   a single row is.
        /// - Throws: ``PostgresError``.
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(PostgresError) -> RowChunk? {
            let lease = lease
            // Installed here, not on the connection's thread, which may be blocked by the reading.
            let outcome = await withTaskCancellationHandler {
                await lease.next()
            } onCancel: {
                lease.connection.canceller.cancel(lease.statement)
            }
            return try outcome.get()
        }

        /// The next rows, or nil after the last.
        public mutating func next() async throws(PostgresError) -> RowChunk? {
            try await next(isolation: #isolation)
        }
    }

    let lease: Lease

    /// The number of rows in the command's tag, without the header, once the sequence has ended.
    public var rows: Int? {
        lease.progress.rows.withLock { $0 }
    }

    /// The rows that have arrived, without the header, also those before an error that are in no chunk.
    public var receivedRows: Int {
        Swift.max(0, lease.progress.messages.withLock { $0 } - lease.progress.headerRows)
    }

    /// What the server has answered to the query that it was asked along with the rows, once the sequence has ended; nil when
    /// it was asked none.
    public var answer: QueryResult? {
        lease.progress.answer.withLock { $0 }
    }

    /// Begins to read; a second iterator continues where the first one is.
    public func makeAsyncIterator() -> Iterator {
        Iterator(lease: lease)
    }

    /// What remains known after the end of the sequence.
    final class Progress: Sendable {
        /// The rows in the command's tag, once it has arrived.
        let rows = Mutex<Int?>(nil)
        /// The answer to what was asked along with the rows.
        let answer = Mutex<QueryResult?>(nil)
        /// How many messages have arrived; the header is one.
        let messages = Mutex(0)
        /// How many of the messages are not rows.
        let headerRows: Int

        init(headerRows: Int) {
            self.headerRows = headerRows
        }
    }

    /// The right to read a COPY, which ends with the last reference to it.
    final class Lease: Sendable {
        let connection: Connection
        let statement: Canceller.StatementID
        let progress: Progress
        private let feed: CopyOutFeed

        init(
            connection: Connection,
            statement: Canceller.StatementID,
            progress: Progress,
            feed: CopyOutFeed
        ) {
            self.connection = connection
            self.statement = statement
            self.progress = progress
            self.feed = feed
        }

        /// The next chunk, nil after the last, or why there is none.
        func next() async -> Result<RowChunk?, PostgresError> {
            guard !Task.isCancelled else {
                await connection.abandonCopyOut(statement)
                return .failure(.cancelled)
            }
            let (connection, statement, feed, progress) = (connection, statement, feed, progress)
            return await feed.next {
                Task { await connection.readAhead(statement, into: feed, progress) }
            }
        }

        deinit {
            guard progress.rows.withLock({ $0 == nil }) else { return }
            // At once, because the connection's thread may be waiting for the next row.
            connection.canceller.cancel(
                statement,
                within: Task.isCancelled ? Canceller.patience : Canceller.longPatience
            )
            let (connection, statement) = (connection, statement)
            Task { await connection.abandonCopyOut(statement) }
        }
    }
}
