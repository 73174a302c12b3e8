/// An error of the server, of the connection to it, or of what it was asked to do.
///
/// It never contains a password, and of the server's words none that quote a value of a row.
public struct PostgresError: Error, Sendable, Equatable {
    /// The kind of a failure; more kinds may be added, so a `switch` over it needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The kind's name.
        public let description: String

        init(_ name: String) {
            description = name
        }

        /// No server could be reached, or it refused the connection for another reason than the credentials.
        public static let connectionFailed = Code("connectionFailed")
        /// The server refused the user or the password.
        public static let authenticationFailed = Code("authenticationFailed")
        /// The connection ended while it was in use.
        public static let connectionLost = Code("connectionLost")
        /// The server refused a statement; ``PostgresError/sqlState`` says why.
        public static let serverError = Code("serverError")
        /// The task was cancelled, or ``Connection/cancel()`` was called.
        public static let cancelled = Code("cancelled")
        /// The transaction could not be committed, because one of its statements had failed.
        public static let transactionAborted = Code("transactionAborted")
        /// The connection is busy with something else, or has been closed.
        public static let connectionUnavailable = Code("connectionUnavailable")
        /// The server's answer does not fit what it was asked.
        public static let protocolViolation = Code("protocolViolation")
        /// The connection's parameters, a statement or a value cannot be sent as they are.
        public static let invalidParameters = Code("invalidParameters")
    }

    /// The kind of the failure.
    public var code: Code
    /// What happened; the server's primary message if it reported the error, with `…` in place of a row's value.
    public var message: String
    /// What to do about it: the server's suggestion, or ours; nil if there is none.
    public var hint: String?
    /// The five characters of the SQLSTATE (Postgres documentation, appendix A), if the server reported the error.
    public var sqlState: String?
    /// The server's further explanation, unless it is about the values of a row.
    public var detail: String?
    /// Where it happened, for example `COPY products, line 3, column price`.
    public var context: String?
    /// The schema that the error is about.
    public var schemaName: String?
    /// The table that the error is about.
    public var tableName: String?
    /// The column that the error is about.
    public var columnName: String?
    /// The data type that the error is about.
    public var dataTypeName: String?
    /// The constraint that the error is about.
    public var constraintName: String?
    /// The place in the statement, in characters from 1.
    public var position: Int?
    /// The function in the server's source that reported the error, for example `check_enable_rls`: unlike the message it is
    /// the same in every language.
    public var sourceFunction: String?
    /// The connection was lost during the commit of a transaction that may have written something: nobody knows whether the
    /// server has committed it.
    public var isCommitUnknown = false

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - code: The kind of the failure.
    ///   - message: What happened, without capital and full stop.
    ///   - hint: What to do about it, without capital and full stop.
    ///   - sqlState: The five characters of the SQLSTATE.
    public init(_ code: Code, _ message: String, hint: String? = nil, sqlState: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.sqlState = sqlState
    }

    /// The error of everything that was interrupted by a cancelled task or by ``Connection/cancel()``.
    static let cancelled = PostgresError(.cancelled, "the query was cancelled")
}

extension PostgresError: CustomStringConvertible {
    /// The message with the SQLSTATE, the detail and the context, as one line without the hint.
    ///
    /// It is what to embed in another error's message, next to passing ``hint`` on.
    public var fullMessage: String {
        var text = message.asPhrase
        if let sqlState {
            text += " (SQLSTATE \(sqlState))"
        }
        for (name, value) in [("detail", detail), ("context", context)] {
            if let value { text += "; \(name): \(value.asPhrase)" }
        }
        return text
    }

    /// The full message and the hint, as one line.
    public var description: String {
        hint.map { "\(fullMessage); \($0.asPhrase)" } ?? fullMessage
    }
}

extension String {
    /// The text as one line without a full stop at its end.
    fileprivate var asPhrase: String {
        let line = split(whereSeparator: \.isNewline).joined(separator: "; ")
        return line.utf8.last == UInt8(ascii: ".") ? String(line.unicodeScalars.dropLast()) : line
    }
}
