import CLibpq

/// A connection to a Postgres server.
///
/// It does one thing at a time, on a thread of its own, where libpq can block. When the task that waits for a statement is
/// cancelled, the server is asked to stop it, and the wait ends with ``PostgresError/Code/cancelled`` once it has; the
/// connection remains usable. If the server has not stopped five seconds later, because the request was lost, say, or the
/// network is gone, the connection is closed. That is the only error of cancellation in this module.
@safe
public actor Connection {
    /// What a transaction's settings are pinned for.
    public enum Purpose: Sendable {
        /// Rows are read.
        case backup
        /// Rows are written.
        case restore
    }

    /// What the connection is doing between two calls.
    enum Activity {
        case nothing
        case copyingOut(CopyOutReader)
        case copyingIn
        /// The server waits for the rows of the next COPY of a series.
        case betweenCopies
    }

    /// What is known about the server.
    public nonisolated let server: ServerInfo

    /// Where the actor's code runs.
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    private let executor: SerialQueueExecutor
    // Read by libpq through an unretained pointer for as long as `handle` lives.
    private let notices: NoticeReceiver
    nonisolated let canceller: Canceller

    /// libpq's connection; nil once it is closed.
    private(set) var handle: OpaquePointer?
    var activity = Activity.nothing
    /// Statements that go to the server with the next one: see ``sendWithNext(_:)``.
    var deferred: [String] = []
    /// Commands that go to the server in one text: see ``announceCopies(_:)``.
    var copies = CopySeries()

    private init(_ connection: EstablishedConnection, executor: SerialQueueExecutor) {
        self.executor = executor
        notices = connection.notices
        unsafe handle = unsafe connection.handle
        canceller = unsafe Canceller(handle: PQgetCancel(connection.handle), socket: PQsocket(connection.handle))
        server = unsafe ServerInfo(connection.handle)
    }

    // Nothing refers to the connection any more, so no code of it runs and PQfinish has the handle to itself.
    isolated deinit {
        unsafe PQfinish(handle)
        canceller.release()
    }

    /// Connects to a server.
    ///
    /// An attempt ends after 10 seconds for each address, unless `connect_timeout` says otherwise. The encoding is UTF-8, or
    /// none if the database is `SQL_ASCII`, and the application's name is `databudgie` unless another one is given.
    ///
    /// - Parameters:
    ///   - parameters: Where it is and how to log in.
    ///   - onNotice: Called with each notice of the server, on the connection's thread; it must not block.
    /// - Returns: A connection, to be closed with ``close()``.
    /// - Throws: ``PostgresError``: ``PostgresError/Code/connectionFailed``,
    ///   ``PostgresError/Code/authenticationFailed``, ``PostgresError/Code/invalidParameters``, or
    ///   ``PostgresError/Code/cancelled`` as soon as the task is cancelled.
    public static func connect(
        to parameters: ConnectionParameters,
        onNotice: (@Sendable (Notice) -> Void)? = nil
    ) async throws(PostgresError) -> Connection {
        try parameters.validate()
        let executor = SerialQueueExecutor(label: "databudgie.postgres")
        let notices = NoticeReceiver(onNotice)
        let connection = try await ConnectAttempt().run(on: executor) { attempt in
            Result { () throws(PostgresError) in
                try Handshake(parameters: parameters, notices: notices, attempt: attempt).run()
            }
        }
        return Connection(connection, executor: executor)
    }

    /// Connects to a server for the length of a closure.
    ///
    /// - Parameters:
    ///   - parameters: Where it is and how to log in.
    ///   - onNotice: Called with each notice of the server, on the connection's thread; it must not block.
    ///   - body: What to do with the connection, which is closed afterwards.
    /// - Returns: What the closure returns.
    /// - Throws: ``PostgresError`` as ``connect(to:onNotice:)`` does, or the closure's error.
    public static func withConnection<R>(
        to parameters: ConnectionParameters,
        onNotice: (@Sendable (Notice) -> Void)? = nil,
        body: (Connection) async throws -> R
    ) async throws -> R {
        let connection = try await connect(to: parameters, onNotice: onNotice)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Cancels the statement that runs now, from any thread; without one, nothing happens.
    ///
    /// The caller that waits for the statement gets a ``PostgresError/Code/cancelled``, after five seconds at most: by then
    /// the connection is closed if the server does not answer.
    public nonisolated func cancel() {
        canceller.cancel()
    }

    /// Closes the connection; an open transaction is rolled back by the server.
    ///
    /// A COPY that is being read ends with an error. Closing twice is not an error.
    public func close() {
        abandonCopyOut()
        closeBroken()
    }

    /// Ends a connection whose state is unknown.
    func closeBroken() {
        activity = .nothing
        unsafe PQfinish(handle)
        unsafe handle = nil
        canceller.release()
    }

    /// Records that a statement has ended, and closes a connection that its cancellation had to end.
    func endStatement(_ statement: Canceller.StatementID) {
        canceller.end(statement)
        if canceller.isBroken { closeBroken() }
    }
}

extension ServerInfo {
    /// Reads what libpq knows about a new connection.
    @unsafe
    fileprivate init(_ handle: OpaquePointer) {
        unsafe self.init(
            versionNumber: Int(PQserverVersion(handle)),
            version: Self.text(PQparameterStatus(handle, "server_version")),
            host: Self.text(PQhost(handle)),
            address: Self.text(PQhostaddr(handle)),
            hasGivenAddress: ConnectionParameters.effectiveValue("hostaddr", handle)?.isEmpty == false,
            port: Self.text(PQport(handle)),
            database: Self.text(PQdb(handle)),
            user: Self.text(PQuser(handle)),
            encoding: Self.text(PQparameterStatus(handle, "server_encoding")),
            processID: Int(PQbackendPID(handle)),
            usesTLS: PQsslInUse(handle) != 0
        )
    }

    @unsafe
    private static func text(_ pointer: UnsafePointer<CChar>?) -> String {
        unsafe pointer.map { unsafe String(cString: $0) } ?? ""
    }

    @unsafe
    private static func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
        unsafe pointer.map { unsafe String(cString: $0) } ?? ""
    }
}
