import Databudgie
import Foundation

/// Writes the error that ended a command to standard error.
struct ErrorWriter: Sendable {
    let format: LogFormat
    let style: TextStyle

    /// Writes every problem of an error, and after them, once, what became of the target.
    ///
    /// Warnings that were found before a configuration was refused come first: they often are the cause.
    ///
    /// - Parameters:
    ///   - error: Why the command ended.
    ///   - remains: What the run had done before; nil when none had begun.
    func write(_ error: any Error, leaving remains: RunRemains? = nil) {
        // There is nowhere else to say that standard error cannot be written to.
        try? StandardStream.standardError.write(lines(error, leaving: remains, at: Date()).map { $0 + "\n" }.joined())
    }

    /// Writes a warning of the program itself.
    func warn(_ message: Message) {
        let line =
            switch format {
            case .json: EventJSON.line(.found(Finding(.warning, message.text, hint: message.hint)), at: Date())
            case .text: PlainLine.warning(message, style: style)
            }
        try? StandardStream.standardError.write(line + "\n")
    }

    /// The lines of an error.
    func lines(_ error: any Error, leaving remains: RunRemains? = nil, at time: Date) -> [String] {
        let warnings = (error as? ConfigurationError)?.warnings ?? []
        let messages = Message.all(of: error)
        let effect = (error as? DatabudgieError)?.effect ?? (error as? CommandError)?.effect
        switch format {
        case .json:
            return warnings.map { EventJSON.line(.found($0), at: time) }
                + messages.enumerated().map { index, message in
                    let isLast = index == messages.count - 1
                    return EventJSON.error(message, effect: isLast ? effect : nil, at: time)
                }
        case .text:
            // What is complete is a fact; that nothing was changed could only be meant of the rest then.
            let sentence = remains?.sentence ?? effect?.description
            return warnings.map { PlainLine.warning(Message($0), style: style) }
                + messages.map { PlainLine.error($0, style: style) }
                + (sentence.map { [PlainLine.note($0)] } ?? [])
        }
    }
}
