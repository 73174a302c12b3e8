/// Something that a run found out before or while it worked: a problem, a warning, or a note.
public struct Finding: Sendable, CustomStringConvertible {
    /// How much a finding matters.
    @nonexhaustive
    public enum Kind: String, Sendable {
        /// It stops the run, or the table that it concerns.
        case problem
        /// It stops nothing, but the user may want something else.
        case warning
        /// A detail for `--verbose`.
        case note
    }

    /// How much it matters.
    public let kind: Kind
    /// The table that it concerns, `schema.name`; nil for what concerns no table alone.
    public let table: String?
    /// What was found, without the table and without a full stop.
    public let message: String
    /// What to do about it, in the imperative and without a full stop; nil when there is nothing to say.
    public let hint: String?
    /// It is about a role that does not exist in the target.
    var concernsMissingRole = false

    /// Describes a finding.
    ///
    /// - Parameters:
    ///   - kind: How much it matters.
    ///   - message: What was found, without a full stop.
    ///   - table: The table that it concerns, `schema.name`.
    ///   - hint: What to do about it, in the imperative and without a full stop.
    public init(_ kind: Kind, _ message: String, table: String? = nil, hint: String? = nil) {
        self.kind = kind
        self.message = message
        self.table = table
        self.hint = hint
    }

    /// The same as a problem, when nothing is left to go on with.
    var asProblem: Finding { Finding(.problem, message, table: table, hint: hint) }

    /// What was found, after the name of its table.
    public var sentence: String { (table.map { "\($0): " } ?? "") + message }

    /// The sentence and the hint in one line.
    public var description: String { sentence + (hint.map { "; \($0)" } ?? "") }

    static func problem(_ message: String, of table: (some CustomStringConvertible)?, hint: String? = nil) -> Finding {
        Finding(.problem, message, table: table?.description, hint: hint)
    }

    static func problem(_ message: String, hint: String? = nil) -> Finding {
        Finding(.problem, message, hint: hint)
    }

    static func warning(_ message: String, of table: (some CustomStringConvertible)?, hint: String? = nil) -> Finding {
        Finding(.warning, message, table: table?.description, hint: hint)
    }

    static func warning(_ message: String, hint: String? = nil) -> Finding {
        Finding(.warning, message, hint: hint)
    }

    static func note(_ message: String, of table: (some CustomStringConvertible)? = String?.none) -> Finding {
        Finding(.note, message, table: table?.description)
    }
}

extension Finding: Hashable {
    /// Whether two findings say the same, byte by byte, of the same table.
    public static func == (left: Finding, right: Finding) -> Bool {
        left.kind == right.kind && left.keys == right.keys
    }

    /// Feeds what the finding says to a hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(keys)
    }

    private var keys: [ByteKey?] { [table.map { ByteKey($0) }, ByteKey(message), hint.map { ByteKey($0) }] }
}

extension Sequence<Finding> {
    /// Those that stop the run, or the table that they concern.
    var problems: [Finding] { filter { $0.kind == .problem } }

    /// Throws all problems together, with the warnings beside them; without a problem nothing is thrown.
    ///
    /// - Parameter code: The kind of failure.
    /// - Throws: ``DatabudgieError`` when there is a problem.
    func throwProblems(_ code: DatabudgieError.Code) throws(DatabudgieError) {
        let problems = problems
        guard !problems.isEmpty else { return }
        var error = DatabudgieError(code, problems)
        error.warnings = filter { $0.kind == .warning }
        throw error
    }
}
