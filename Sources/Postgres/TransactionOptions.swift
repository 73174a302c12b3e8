/// How a transaction begins.
public struct TransactionOptions: Sendable, Hashable {
    /// What a transaction sees of others (Postgres documentation, 13.2).
    public enum Isolation: String, Sendable {
        /// Each statement sees what was committed before it.
        case readCommitted = "READ COMMITTED"
        /// All statements see one snapshot.
        case repeatableRead = "REPEATABLE READ"
        /// As if transactions ran one after another.
        case serializable = "SERIALIZABLE"
    }

    /// What it sees of others; nil leaves it to the server's default.
    public var isolation: Isolation?
    /// Whether it must not write; nil leaves it to the server's default.
    public var readOnly: Bool?
    /// Whether a serializable read-only transaction waits for a snapshot that cannot fail.
    public var deferrable: Bool
    /// Settings that hold in the transaction from its first moment on, by name; the server has to know them.
    ///
    /// They need no snapshot, so they also hold for what has to be done before there is one.
    public var settings: [String: String]
    /// What else is pinned from its first moment on, as by ``Connection/pinSessionSettings(_:overrides:)``.
    ///
    /// Finding out which settings the server knows takes a snapshot, so this is for transactions that have none of their own.
    public var pinned: [String: String] = [:]
    /// Whether it is begun together with its first statement, without a wait of its own for the server's answer.
    ///
    /// The error of a setting that is refused is then that of the first statement.
    public var beginsWithNext = false

    /// Creates options.
    ///
    /// - Parameters:
    ///   - isolation: What it sees of others; nil leaves it to the server's default.
    ///   - readOnly: Whether it must not write; nil leaves it to the server's default.
    ///   - deferrable: Whether a serializable read-only transaction waits for a snapshot that cannot fail.
    ///   - settings: Settings that hold in the transaction from its first moment on, by name.
    public init(
        isolation: Isolation? = nil,
        readOnly: Bool? = nil,
        deferrable: Bool = false,
        settings: [String: String] = [:]
    ) {
        self.isolation = isolation
        self.readOnly = readOnly
        self.deferrable = deferrable
        self.settings = settings
    }

    /// The commands that begin such a transaction.
    var beginCommand: String {
        var modes: [String] = []
        if let isolation {
            modes.append("ISOLATION LEVEL \(isolation.rawValue)")
        }
        if let readOnly {
            modes.append(readOnly ? "READ ONLY" : "READ WRITE")
        }
        if deferrable {
            modes.append("DEFERRABLE")
        }
        let begin = (["BEGIN"] + [modes.joined(separator: ", ")].filter { !$0.isEmpty }).joined(separator: " ")
        let changes = settings.sorted { $0.key < $1.key }
            .map { "SET LOCAL \(quotedIdentifier($0.key)) = \(quotedLiteral($0.value))" }
        let pin = pinned.isEmpty ? [] : [SessionSettings.statement(pinning: pinned)]
        return ([begin] + changes + pin).joined(separator: "; ")
    }
}
