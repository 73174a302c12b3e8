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
            return error.problems.map {
                finding(outcome, subject, $0.message, of: $0.table ?? name, hint: $0.hint)
            }
        case let error as ConfigurationError:
            return error.problems.map { finding(outcome, subject, $0.messageWithPlace, of: name, hint: $0.hint) }
        default:
            let text = ErrorText(error)
            return [finding(outcome, subject, text.message, of: name, hint: text.hint)]
        }
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
