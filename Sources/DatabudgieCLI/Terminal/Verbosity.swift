import Databudgie

/// How much a run reports while it works; failures and the exit code are never held back.
enum Verbosity: Int, Comparable, Sendable {
    /// Errors alone (`logging: {enabled: false}`, `level: ERROR`).
    case errors
    /// Warnings too (`level: WARNING`).
    case warnings
    /// Progress and the summary too.
    case progress
    /// Details too (`-v`, `level: DEBUG`).
    case details
    /// What the libraries log at their debug level too (`-vv`).
    case debug

    /// The verbosity that the configuration asks for, raised by the number of `-v` on the command line.
    init(_ logging: LoggingConfiguration, verboseFlags: Int) {
        let configured: Verbosity =
            switch logging.level.uppercased() {
            case _ where !logging.isEnabled: .errors
            case "ERROR", "CRITICAL": .errors
            case "WARNING", "WARN": .warnings
            case "DEBUG": .details
            default: .progress
            }
        let asked: Verbosity = verboseFlags >= 2 ? .debug : verboseFlags == 1 ? .details : .errors
        self = max(configured, asked)
    }

    /// The least verbosity at which an event is shown, in whatever form.
    init(toShow event: RunEvent) {
        self =
            switch event {
            case .failed: .errors
            case .found(let finding): Verbosity(toShow: finding.kind)
            case .planned, .recording, .restoring, .runningDefinitions, .started, .progressed, .finished, .skipped:
                .progress
            }
    }

    private init(toShow kind: Finding.Kind) {
        self =
            switch kind {
            case .problem: .errors
            case .warning: .warnings
            case .note: .details
            }
    }

    static func < (left: Verbosity, right: Verbosity) -> Bool {
        left.rawValue < right.rawValue
    }
}
