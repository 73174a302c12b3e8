import CLibpq
import Glibc

extension Connection {
    /// Runs one statement and collects its rows.
    ///
    /// - Parameters:
    ///   - sql: One statement, with `$1`, `$2`, … for the parameters; two statements are refused by the server.
    ///   - parameters: The parameters in text form; nil is NULL.
    /// - Returns: All rows, in memory.
    /// - Throws: ``PostgresError``.
    public func query(_ sql: String, _ parameters: [String?] = []) async throws(PostgresError) -> QueryResult {
        try await statement { () throws(PostgresError) in
            try sendQuery(sql, parameters)
            return try collect().rows()
        }
    }

    /// Runs statements together with those that were deferred, in one text, and collects the rows of the last one.
    ///
    /// - Parameter text: The statements, separated by semicolons; nothing in it may come from a user but quoted names and
    ///   literals.
    /// - Returns: All rows of the last statement, in memory.
    /// - Throws: ``PostgresError``, also that of a deferred statement.
    public func query(ownText text: String) async throws(PostgresError) -> QueryResult {
        try await statement { () throws(PostgresError) in
            try sendText(text)
            return try collect().rows()
        }
    }

    /// Runs queries together with the statements that were deferred, in one text.
    ///
    /// - Parameter texts: Queries, each of which returns rows; nothing in them may come from a user but quoted names and
    ///   literals.
    /// - Returns: All rows of each, in memory.
    /// - Throws: ``PostgresError`` of the first statement that fails.
    public func queries(ownTexts texts: [String]) async throws(PostgresError) -> [QueryResult] {
        try await statement { () throws(PostgresError) in
            try sendText(texts.joined(separator: "; "))
            var answers = Answers(keepsRows: true)
            _ = try collect(&answers)
            // Those of deferred statements come before.
            return answers.rows.suffix(texts.count)
        }
    }

    /// Runs one or more statements, separated by semicolons, and ignores what they return.
    ///
    /// Several statements are one transaction, unless they say otherwise (Postgres documentation, 55.2.2.1).
    ///
    /// - Parameter sql: The statements.
    /// - Throws: ``PostgresError`` of the first statement that fails.
    public func execute(_ sql: String) async throws(PostgresError) {
        _ = try await statement { () throws(PostgresError) in
            try executeUninterrupted(sql)
        }
    }

    /// Runs several statements in one message, and finds out how far they came.
    ///
    /// The server parses all of them first: of a text that cannot be parsed it runs none.
    ///
    /// - Parameter sql: The statements, separated by semicolons.
    /// - Returns: What was run, and why it ended.
    /// - Throws: ``PostgresError`` when the connection was lost, or the task was cancelled; an error of the server is part
    ///   of the result.
    public func run(script sql: String) async throws(PostgresError) -> ScriptOutcome {
        try await statement { () throws(PostgresError) in
            try sendDeferred()
            let handle = try unsafe liveHandle()
            try check(sql)
            try requireSent(unsafe PQsendQuery(handle, sql))
            var answers = Answers()
            do throws(PostgresError) {
                _ = try collect(&answers)
            } catch {
                guard error.code == .serverError else { throw error }
                return ScriptOutcome(tags: answers.tags, failure: error)
            }
            return ScriptOutcome(tags: answers.tags)
        }
    }

    /// Has statements run before the next one, without a wait of their own for the server's answer.
    ///
    /// For what cannot fail by itself, such as a savepoint: an error is that of the next statement, which does not run then.
    /// ``execute(_:)``, ``query(ownText:)``, ``copyIn(ownText:from:)`` and ``copyOut(ownText:hasHeader:chunkSize:)`` send them
    /// along, in one text; everything else sends them first. They are dropped when the transaction is rolled back.
    ///
    /// - Parameter sql: One or more statements, separated by semicolons.
    public func sendWithNext(_ sql: String) {
        deferred.append(sql)
    }

    /// Finds out what a statement would return, without running it.
    ///
    /// - Parameter sql: One statement; two are refused by the server.
    /// - Returns: Its columns in order; none for a statement that returns no rows.
    /// - Throws: ``PostgresError``, for example for a syntax error or a table that does not exist.
    public func describe(_ sql: String) async throws(PostgresError) -> [ColumnDescription] {
        try await statement { () throws(PostgresError) in
            try sendDeferred()
            let handle = try unsafe liveHandle()
            try check(sql)
            try requireSent(unsafe PQsendPrepare(handle, "", sql, 0, nil))
            _ = try collect()
            try requireSent(unsafe PQsendDescribePrepared(handle, ""))
            return try collect().columns()
        }
    }

    /// Runs a statement that a cancelled task interrupts.
    ///
    /// - Parameter body: Sends it and collects its results; blocks.
    /// - Returns: What the body returns.
    /// - Throws: The body's error; ``PostgresError/Code/cancelled`` when it was interrupted.
    func statement<R>(_ body: () throws(PostgresError) -> R) async throws(PostgresError) -> R {
        try prepareForStatement()
        let statement = canceller.begin()
        defer { endStatement(statement) }
        // Only a closure that captures the actor runs on its thread; any other would block the shared pool.
        let outcome = await withTaskCancellationHandler { [self] () -> Result<R, PostgresError> in
            assertIsolated()
            guard !Task.isCancelled else { return .failure(.cancelled) }
            do throws(PostgresError) {
                return .success(try body())
            } catch {
                return .failure(error)
            }
        } onCancel: {
            canceller.cancel(statement)
        }
        return try outcome.get()
    }

    /// Runs statements that a cancelled task does not interrupt.
    @discardableResult
    func executeUninterrupted(_ sql: String) throws(PostgresError) -> String {
        try sendText(sql)
        return try collect().commandTag
    }

    /// Sends statements as one text, after those that were deferred.
    func sendText(_ sql: String) throws(PostgresError) {
        let handle = try unsafe liveHandle()
        let text = (deferred + [sql]).joined(separator: "; ")
        deferred = []
        try check(text)
        try requireSent(unsafe PQsendQuery(handle, text))
    }

    /// Runs what was deferred, before a statement that cannot be sent with others.
    private func sendDeferred() throws(PostgresError) {
        guard !deferred.isEmpty else { return }
        let text = deferred.joined(separator: "; ")
        deferred = []
        try executeUninterrupted(text)
    }

    /// Makes sure that a statement can be sent now.
    func prepareForStatement() throws(PostgresError) {
        _ = try unsafe liveHandle()
        switch activity {
        case .nothing: break
        // A caller that begins something else does not want the rest of the rows.
        case .copyingOut: abandonCopyOut()
        case .copyingIn, .betweenCopies:
            throw PostgresError(
                .connectionUnavailable,
                "the connection is busy with COPY FROM",
                hint: "wait for it to end"
            )
        }
    }

    /// Sends one statement by the extended protocol, which refuses a second one after it.
    func sendQuery(_ sql: String, _ parameters: [String?]) throws(PostgresError) {
        try sendDeferred()
        let handle = try unsafe liveHandle()
        try check(sql)
        for parameter in parameters {
            try check(parameter ?? "")
        }
        let values = unsafe parameters.map { parameter in unsafe parameter.map { unsafe strdup($0) } ?? nil }
        defer { unsafe values.forEach { unsafe free($0) } }
        let pointers = unsafe values.map { unsafe UnsafePointer<CChar>($0) }
        try requireSent(unsafe PQsendQueryParams(handle, sql, Int32(parameters.count), nil, pointers, nil, nil, 0))
    }

    /// Reads all results of what was sent.
    ///
    /// - Returns: The last one.
    /// - Throws: The first error among them.
    func collect() throws(PostgresError) -> LibpqResult {
        var answers = Answers()
        return try collect(&answers)
    }

    /// What statements of one text have answered.
    struct Answers {
        /// The command tag of each statement that was run.
        var tags: [String] = []
        /// The rows of those that return some.
        var rows: [QueryResult] = []
        var keepsRows = false
        /// How many rows the first one has counted, if it counts any.
        var firstCount: Int?
    }

    /// Reads all results of what was sent.
    ///
    /// - Parameter answers: Gets what each statement that was run has answered.
    /// - Returns: The last result.
    /// - Throws: The first error among them.
    func collect(_ answers: inout Answers) throws(PostgresError) -> LibpqResult {
        let handle = try unsafe liveHandle()
        var failure: PostgresError?
        var last: LibpqResult?
        while let result = unsafe LibpqResult(PQgetResult(handle)) {
            switch result.status {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                if answers.tags.isEmpty { answers.firstCount = result.affectedRows }
                answers.tags.append(result.commandTag)
                if answers.keepsRows, result.status == PGRES_TUPLES_OK { answers.rows.append(result.rows()) }
                last = consume result
            case PGRES_COPY_IN:
                failure = failure ?? Self.unexpectedCopy
                unsafe PQputCopyEnd(handle, "the statement was not sent as a COPY")
            case PGRES_COPY_OUT:
                failure = failure ?? Self.unexpectedCopy
                unsafe discardRows(handle)
            case PGRES_COPY_BOTH:
                // Only replication gets here, and there is no way back.
                closeBroken()
                throw Self.unexpectedCopy
            default:
                failure = failure ?? result.error()
            }
        }
        if let failure {
            // Only now does libpq know whether the connection survived.
            throw explain(failure)
        }
        guard let last else {
            throw unsafe explain(
                PostgresError(.connectionLost, LibpqMessage.tidied(String(cString: PQerrorMessage(handle))))
            )
        }
        return last
    }

    /// Distinguishes a cancelled statement and a lost connection from other errors of the server.
    func explain(_ error: PostgresError) -> PostgresError {
        var error = error
        if canceller.isBroken { return .cancelled }
        if unsafe PQstatus(handle) == CONNECTION_BAD { canceller.release() }
        if error.sqlState == "57014", canceller.isRequested {
            error.code = .cancelled
            error.message = PostgresError.cancelled.message
        } else if unsafe PQstatus(handle) == CONNECTION_BAD {
            error.code = .connectionLost
            error.message =
                "the connection to the server was lost: \(error.message.isEmpty ? "no reason given" : error.message)"
        } else if error.code == .connectionLost {
            error.code = .protocolViolation
            error.message = "the server's answer is incomplete: \(error.message)"
        }
        return error
    }

    /// The handle, if the connection is still usable.
    func liveHandle() throws(PostgresError) -> OpaquePointer {
        guard let handle = unsafe handle else {
            let reason =
                canceller.isBroken
                ? "the connection was closed, because the server did not stop a cancelled query"
                : "the connection has been closed"
            throw PostgresError(.connectionUnavailable, reason, hint: "open a new one")
        }
        return unsafe handle
    }

    /// Turns libpq's return value for something sent into an error.
    func requireSent(_ isSent: Int32) throws(PostgresError) {
        guard isSent == 0 else { return }
        let handle = try unsafe liveHandle()
        throw unsafe explain(
            PostgresError(.connectionLost, LibpqMessage.tidied(String(cString: PQerrorMessage(handle))))
        )
    }

    private func check(_ text: String) throws(PostgresError) {
        // C ends a string there: a part of the statement would be sent.
        guard !text.utf8.contains(0) else {
            throw PostgresError(
                .invalidParameters,
                "a statement or a value contains a NUL character, which Postgres cannot store",
                hint: "remove it"
            )
        }
    }

    private static var unexpectedCopy: PostgresError {
        PostgresError(
            .protocolViolation,
            "the statement is a COPY from or to the client",
            hint: "run it with copyIn or copyOut"
        )
    }
}
