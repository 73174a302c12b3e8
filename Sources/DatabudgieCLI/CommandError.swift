import Databudgie

/// What the program itself, rather than a run, failed at.
struct CommandError: Error, CustomStringConvertible {
    /// The kind of failure.
    enum Code: Sendable {
        /// The command line, or standard input, cannot be used: exit code 2.
        case usage
        /// The user did not confirm a destructive run.
        case notConfirmed
        /// A result cannot be written.
        case output
    }

    /// The kind of failure.
    let code: Code
    /// What happened, without a full stop.
    let message: String
    /// What to do about it.
    let hint: String?
    /// What became of the target; nil when the command has none.
    let effect: RunEffect?

    /// Describes a failure.
    init(_ code: Code, _ message: String, hint: String? = nil, effect: RunEffect? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.effect = effect
    }

    /// The message and the hint in one line.
    var description: String { message + (hint.map { "; \($0)" } ?? "") }
}
