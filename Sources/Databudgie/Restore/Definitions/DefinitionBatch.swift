import Postgres

/// Runs definitions in one text, each in a savepoint of its own.
///
/// The savepoint is released and set again before each of them, so that the one that fails is undone alone, and the server's
/// answers say which one it was.
struct DefinitionBatch {
    let connection: Connection
    /// The role that runs every definition (`ddl.run_as`); nil: the session's own.
    let role: String?

    /// The most definitions, and the most bytes of SQL, in one text.
    static let (limit, sizeLimit) = (50, 1 << 20)

    /// Why a text ended.
    struct Refusal {
        let cause: PostgresError
        /// The server has refused the text before it has run anything of it: it could not parse all of it.
        let isOfText: Bool
    }

    /// Whether a definition may have others beside it.
    ///
    /// What is not finished would swallow them, a setting is for the text after it, and a role has to be known before policies.
    static func mayHold(_ definition: Definition) -> Bool {
        guard !["SET", "ROLE", "USER", "GROUP"].contains(definition.type),
            let word = SQLStatements.keywords(definition.sql, limit: 1).first
        else {
            return false
        }
        return words.contains(word) && SQLStatements.isFinished(definition.sql)
    }

    /// How the statements of pg_dump's definitions begin.
    private static let words: Set = [
        "ALTER", "COMMENT", "CREATE", "GRANT", "REFRESH", "REVOKE", "SECURITY", "SET",
    ]

    /// Has to come before the first text.
    ///
    /// Apart from the definitions: the server parses a whole text, so a syntax error would undo a savepoint in it too.
    func begin() async throws {
        try await connection.execute("savepoint definition")
    }

    /// Keeps what was done since the last text, whatever becomes of the next one.
    func keep() async {
        await connection.sendWithNext(Self.renewal)
    }

    private static let renewal = "release savepoint definition;savepoint definition;"

    /// Has to come after the last text.
    func end() async throws {
        try await connection.execute("release savepoint definition")
    }

    /// Runs definitions, or pieces of some, up to the first one that fails.
    ///
    /// - Parameter texts: Each has one or more statements.
    /// - Returns: How many were run, and why the next one was not; what it did is undone.
    /// - Throws: `PostgresError` when the connection was lost; ``DatabudgieError`` when the server has no room for locks.
    func run(_ texts: [String]) async throws -> (count: Int, refusal: Refusal?) {
        let start = Self.renewal + (role.map { "set local role \(quotedIdentifier($0));" } ?? "") + "\n"
        // The last one is kept, too, when the next text is undone before anything of it is run.
        let script = texts.map { "\(start)\($0)\n;" }.joined() + Self.renewal
        let outcome = try await connection.run(script: script)
        guard let error = outcome.failure else { return (texts.count, nil) }
        guard let state = error.sqlState else { throw error }
        guard state != "53200" else {
            throw DatabudgieError(
                .database,
                "the server has no room for the locks of all these tables in one transaction: \(error.message)",
                hint: "raise max_locks_per_transaction, or restore fewer tables at once",
                underlying: error
            )
        }
        try await connection.execute("rollback to savepoint definition")
        let begun = outcome.tags.count { $0.hasBytes(of: "SAVEPOINT") }
        return (max(begun - 1, 0), Refusal(cause: error, isOfText: begun == 0))
    }
}
