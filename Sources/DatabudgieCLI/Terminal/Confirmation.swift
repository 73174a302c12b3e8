import Databudgie
import Foundation

/// Asks the user at a terminal before something is destroyed.
enum Confirmation {
    /// Asks, and returns when the answer is yes.
    ///
    /// - Parameter warning: What is about to happen: what follows "This", without a full stop.
    /// - Throws: ``CommandError`` when the answer is anything else, or when there is no terminal.
    static func ask(_ warning: String) throws {
        guard isatty(STDIN_FILENO) == 1, StandardStream.standardError.isTerminal else {
            throw CommandError(
                .usage,
                "there is no terminal to ask for a confirmation: this \(warning)",
                hint: "pass --yes to skip the confirmation",
                effect: .nothingChanged
            )
        }
        try StandardStream.standardError.write("This \(warning.escapedForTerminal). Continue? [y/N] ")
        let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased() ?? ""
        guard ["y", "yes"].contains(answer) else {
            throw CommandError(.notConfirmed, "not confirmed", effect: .nothingChanged)
        }
    }
}
