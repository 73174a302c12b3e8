import Databudgie
import UnixSignals

/// What the program's exit code tells a script.
enum ExitStatus: Equatable {
    /// Everything was done.
    case success
    /// The run failed, or finished with failed tables.
    case failure
    /// The command line or the configuration is wrong; nothing was begun.
    case usage
    /// A signal ended the run, and what it had begun was undone.
    case interrupted(by: UnixSignal)

    /// The number that the shell sees: 0, 1, 2, or 128 and the signal's number.
    var code: Int32 {
        switch self {
        case .success: 0
        case .failure: 1
        case .usage: 2
        case .interrupted(let signal): 128 + signal.rawValue
        }
    }

    /// The status for an error that ended a command.
    init(_ error: any Error) {
        switch error {
        case is ConfigurationError: self = .usage
        case let error as CommandError where error.code == .usage: self = .usage
        case let error as DatabudgieError where error.code == .configuration: self = .usage
        default: self = .failure
        }
    }
}
