import Databudgie
import Foundation

/// Writes errors to standard error, each on a line of its own.
struct MessageWriter: Sendable {
    let format: LogFormat
    let style: TextStyle

    /// Writes one line for every problem of an error.
    func write(_ error: any Error) {
        for message in Self.messages(of: error) {
            let line =
                switch format {
                case .text: PlainLine.error(message, style: style)
                case .json: EventJSON.error(message, at: Date())
                }
            // There is nowhere else to say that standard error cannot be written to.
            try? StandardStream.standardError.write(line + "\n")
        }
    }

    /// An error's problems, a sentence each.
    static func messages(of error: any Error) -> [String] {
        switch error {
        case let error as ConfigurationError: error.lines
        case let error as DatabudgieError: error.messages
        default: [String(describing: error)]
        }
    }
}
