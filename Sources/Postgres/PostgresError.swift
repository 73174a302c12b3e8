/// An error of the server, of the connection to it, or of what it was asked to do.
///
/// Its description never holds a password.
public struct PostgresError: Error, Sendable, Equatable {
    /// The kind of a failure; new kinds may be added, so that a `switch` over it needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The kind's name, as it stands in this type.
        public let description: String

        /// No server could be reached, or it refused the connection for another reason than the credentials.
        public static let connectionFailed = Code(description: "connectionFailed")
        /// The server refused the user or the password.
        public static let authenticationFailed = Code(description: "authenticationFailed")
        /// The connection ended while it was in use.
        public static let connectionLost = Code(description: "connectionLost")
        /// The server refused a statement; ``PostgresError/sqlState`` says why.
        public static let serverError = Code(description: "serverError")
        /// The task was cancelled, or ``Connection/cancel()`` was called.
        public static let cancelled = Code(description: "cancelled")
        /// The transaction could not be committed, because one of its statements had failed.
        public static let transactionAborted = Code(description: "transactionAborted")
        /// The connection does something else, or has been closed.
        public static let connectionUnavailable = Code(description: "connectionUnavailable")
        /// The server answered something that does not fit what it was asked.
        public static let protocolViolation = Code(description: "protocolViolation")
        /// The connection's parameters, a statement or a value cannot be sent as they are.
        public static let invalidParameters = Code(description: "invalidParameters")
    }

    /// The kind of the failure.
    public var code: Code
    /// What went wrong; the server's primary message where it reported the error.
    public var message: String
    /// The five characters of the SQLSTATE (Postgres documentation, appendix A), where the server reported the error.
    public var sqlState: String?
    /// The server's further explanation.
    public var detail: String?
    /// The server's suggestion.
    public var hint: String?
    /// Where it happened, for example `COPY products, line 3, column price: "abc"`.
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

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - code: The kind of the failure.
    ///   - message: What went wrong.
    ///   - sqlState: The five characters of the SQLSTATE.
    public init(_ code: Code, _ message: String, sqlState: String? = nil) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
    }

    /// The error of everything that was interrupted by a cancelled task or by ``Connection/cancel()``.
    static let cancelled = PostgresError(.cancelled, "The query was cancelled")
}

extension PostgresError: CustomStringConvertible {
    /// The message, the SQLSTATE and whatever else the server had to say, as one line.
    public var description: String {
        var text = message
        if let sqlState {
            text += " (SQLSTATE \(sqlState))"
        }
        text = text.asSentence
        for (name, value) in [("Detail", detail), ("Hint", hint), ("Where", context)] {
            if let value {
                text += " \(name): \(value.split(whereSeparator: \.isNewline).joined(separator: "; "))".asSentence
            }
        }
        return text
    }
}

extension String {
    /// The text with a full stop at its end, unless it ends a sentence already.
    fileprivate var asSentence: String {
        if let last, ".!?".contains(last) { self } else { self + "." }
    }
}
