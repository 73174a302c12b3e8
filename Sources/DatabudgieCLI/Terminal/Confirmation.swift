import Databudgie
import Foundation

/// Asks the user at a terminal before something is destroyed.
enum Confirmation {
    /// Asks, and returns when the answer is yes.
    ///
    /// - Parameters:
    ///   - warning: What is about to happen: a sentence without a full stop.
    ///   - alternative: What to do where there is no terminal to ask at, as a hint.
    /// - Throws: ``CommandError`` when the answer is anything else, or when there is no terminal.
    static func ask(_ warning: String, alternative: String) throws {
        guard isatty(STDIN_FILENO) == 1, StandardStream.standardError.isTerminal else {
            throw CommandError(
                .usage,
                "cannot ask for the confirmation: standard input is not a terminal",
                hint: alternative,
                effect: .nothingChanged
            )
        }
        try StandardStream.standardError.write("\(warning.escapedForTerminal). Continue? [y/N] ")
        let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased() ?? ""
        guard ["y", "yes"].contains(answer) else {
            throw CommandError(.notConfirmed, "not confirmed", effect: .nothingChanged)
        }
    }
}
