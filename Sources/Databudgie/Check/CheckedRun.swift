import Postgres
import Storage

/// One command of a configuration, as it is checked.
struct CheckedRun: Sendable {
    let kind: RunKind
    /// Without the places to which runs report their failures: a check is none.
    let configuration: Configuration
    let settings: RunSettings
    let environment: RunEnvironment

    /// - Throws: ``DatabudgieError`` with the code `configuration` for settings that no run can have.
    init(_ configuration: Configuration, _ kind: RunKind, _ environment: RunEnvironment) throws {
        var configuration = configuration
        configuration.sentry = nil
        self.kind = kind
        self.configuration = configuration
        self.environment = environment
        settings = try RunSettings(configuration, for: kind, in: environment)
    }

    /// Something that was found.
    func finding(
        _ outcome: CheckFinding.Outcome,
        _ subject: CheckFinding.Subject,
        _ message: String,
        of name: String? = nil,
        hint: String? = nil
    ) -> CheckFinding {
        CheckFinding(
            command: kind,
            subject: subject,
            outcome: outcome,
            name: name,
            message: message,
            hint: hint ?? (outcome == .problem && subject == .tables ? plan : nil)
        )
    }

    /// What to do about a problem of a table that says nothing of it.
    private var plan: String { "see 'databudgie plan \(kind.rawValue)' for all that would happen" }

    /// What an error says, one finding for each of its problems.
    func findings(
        _ subject: CheckFinding.Subject,
        _ error: any Error,
        of name: String? = nil,
        as outcome: CheckFinding.Outcome = .problem
    ) -> [CheckFinding] {
        switch error {
        case let error as DatabudgieError:
            return error.problems.map { problem in
                // Messages about a table are without it.
                guard let table = problem.table else {
                    return finding(outcome, subject, words: problem.message, of: name, hint: problem.hint)
                }
                return finding(outcome, subject, problem.message, of: table, hint: problem.hint)
            }
        case let error as ConfigurationError:
            return error.problems.map { finding(outcome, subject, words: $0.messageWithPlace, of: name, hint: $0.hint) }
        default:
            let text = ErrorText(error)
            return [finding(outcome, subject, words: text.message, of: name, hint: text.hint)]
        }
    }

    /// What an error says in words of its own, which may name what the finding is about.
    private func finding(
        _ outcome: CheckFinding.Outcome,
        _ subject: CheckFinding.Subject,
        words message: String,
        of name: String?,
        hint: String?
    ) -> CheckFinding {
        var found = finding(outcome, subject, message, of: name, hint: hint)
        found.hasNameInMessage = name.map { message.mentions(path: $0) } ?? false
        return found
    }

    /// Compares a clock with that of this machine.
    ///
    /// - Parameters:
    ///   - difference: How far the other clock is ahead, in seconds.
    ///   - name: Whose clock it is.
    /// - Returns: Whether it matters.
    func clock(_ difference: Double, of name: String) -> CheckFinding {
        // HTTP has whole seconds, and replies take a moment.
        guard abs(difference) >= 2 else {
            return finding(.ok, .clock, "no different from this machine's", of: name)
        }
        let message =
            "\(HumanNumber.age(abs(difference))) \(difference > 0 ? "ahead of" : "behind") this machine's clock"
        guard abs(difference) >= Self.longestDifference else { return finding(.ok, .clock, message, of: name) }
        return finding(
            .warning,
            .clock,
            message + ", which the ids of sets and the requests to S3 are made with",
            of: name,
            hint: "let NTP set both clocks, for instance with 'timedatectl set-ntp true'"
        )
    }

    /// From how many seconds on a clock is reported: retention and `--as-of` go by the minute, and S3 refuses a quarter of an
    /// hour.
    private static let longestDifference: Double = 60
}

extension String {
    /// Whether the text has a path as a word of its own, byte by byte.
    ///
    /// - Parameter path: Without a slash it could be any word, and is never found.
    /// - Returns: False also for a longer path that begins or ends with this one.
    func mentions(path: String) -> Bool {
        let (text, name) = (Array(utf8), Array(path.utf8))
        guard name.contains(UInt8(ascii: "/")), name.count <= text.count else { return false }
        let (before, after) = (Set(" '\"(".utf8), Set(" '\"),:;".utf8))
        return (0...(text.count - name.count)).contains { start in
            let end = start + name.count
            return text[start..<end].elementsEqual(name)
                && (start == 0 || before.contains(text[start - 1]))
                && (end == text.count || after.contains(text[end]))
        }
    }
}
