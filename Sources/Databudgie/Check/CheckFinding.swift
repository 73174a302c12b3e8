/// What a check has found out about one thing, and what to do about it.
public struct CheckFinding: Sendable, Hashable {
    /// What it means for a run.
    @nonexhaustive
    public enum Outcome: String, Sendable, CaseIterable {
        /// It is as a run needs it.
        case ok
        /// A run may succeed all the same, but the user may want something else.
        case warning
        /// A run, or a part of one, would fail.
        case problem
        /// It could not be looked at, because of a problem that is another finding.
        case skipped
    }

    /// What was looked at.
    @nonexhaustive
    public enum Subject: String, Sendable, CaseIterable {
        /// The connection to the database.
        case connection
        /// The server: primary or standby, directly or through a pooler.
        case server
        /// This machine's clock beside those of the server and of S3.
        case clock
        /// The programs that read definitions.
        case definitions
        /// The manifest table.
        case manifest
        /// Whether the target of a restore has to be confirmed, or may be re-created.
        case target
        /// Where the credentials of S3 come from, and when they end.
        case credentials
        /// A folder or bucket of the configuration.
        case location
        /// The records of sets.
        case catalog
        /// The rules by which old sets are removed.
        case retention
        /// The tables of the plan, with their privileges, keys and files.
        case tables
        /// The space that is left for a backup.
        case space
        /// The file for monitoring.
        case metrics
    }

    /// The command whose needs were looked at.
    public let command: RunKind
    /// What was looked at.
    public let subject: Subject
    /// What that means for a run.
    public let outcome: Outcome
    /// The table, folder or server that it concerns; nil when the subject says it all.
    public let name: String?
    /// What was found, without a full stop; that of an error may have the name in it.
    public let message: String
    /// What to do about it, in the imperative and without a full stop; nil when there is nothing to do.
    public let hint: String?
    /// The message has the name in it, so that the sentence need not repeat it.
    var hasNameInMessage = false

    /// What was found, after the name unless the message has it, and what to do about it, in one line.
    public var sentence: String {
        let name = hasNameInMessage ? nil : name.map { "\($0): " }
        return (name ?? "") + message + (hint.map { "; \($0)" } ?? "")
    }

    /// Whether two findings say the same, byte by byte, of the same command and subject.
    public static func == (left: CheckFinding, right: CheckFinding) -> Bool {
        left.command == right.command && left.subject == right.subject && left.outcome == right.outcome
            && left.keys == right.keys
    }

    /// Feeds what the finding says to a hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(command)
        hasher.combine(subject)
        hasher.combine(outcome)
        hasher.combine(keys)
    }

    private var keys: [ByteKey?] { [name.map { ByteKey($0) }, ByteKey(message), hint.map { ByteKey($0) }] }
}

extension Collection<CheckFinding> {
    /// Nothing is known that would fail.
    public var isWithoutProblems: Bool { !contains { $0.outcome == .problem } }
}
