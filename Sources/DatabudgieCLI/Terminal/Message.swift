import Databudgie

/// What is said to the user: what happened, and what to do about it.
struct Message: Equatable, Sendable {
    /// What happened, without a full stop.
    let text: String
    /// What to do about it, without a full stop; nil when there is nothing useful to say.
    let hint: String?

    /// Says something.
    init(_ text: String, hint: String? = nil) {
        self.text = text
        self.hint = hint
    }

    /// Says what was found, and about which table.
    init(_ finding: Finding) {
        self.init(finding.sentence, hint: finding.hint)
    }

    /// Says why a table failed, and which.
    init(_ failure: JobFailure) {
        self.init(failure.sentence, hint: failure.hint)
    }

    /// Says what is wrong with a configuration, and where.
    init(_ problem: ConfigurationError.Problem) {
        self.init(problem.messageWithPlace, hint: problem.hint)
    }

    /// All problems of an error.
    static func all(of error: any Error) -> [Message] {
        switch error {
        case let error as ConfigurationError: return error.problems.map { Message($0) }
        case let error as DatabudgieError: return error.problems.map { Message($0) }
        case let error as CommandError: return [Message(error.message, hint: error.hint)]
        default:
            let text = ErrorText(error)
            return [Message(text.message, hint: text.hint)]
        }
    }
}
