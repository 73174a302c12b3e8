import Databudgie
import Foundation
import SystemPackage

/// Asks the user at a terminal before something is destroyed.
enum Confirmation {
    /// Asks, and returns when the answer is yes.
    ///
    /// The question is on standard error, or on the controlling terminal when standard error is redirected: a question in a
    /// log file would never be answered.
    ///
    /// - Parameter warning: What is about to happen: what follows "This", without a full stop.
    /// - Throws: ``CommandError`` when the answer is anything else, or when there is no terminal.
    static func ask(_ warning: String) throws {
        let question = "This \(warning.escapedForTerminal). Continue? [y/N] "
        guard isatty(STDIN_FILENO) == 1, try show(question) else {
            throw CommandError(
                .usage,
                "there is no terminal to ask for a confirmation: this \(warning)",
                hint: "pass --yes to skip the confirmation",
                effect: .nothingChanged
            )
        }
        let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased() ?? ""
        guard ["y", "yes"].contains(answer) else {
            throw CommandError(.notConfirmed, "not confirmed", effect: .nothingChanged)
        }
    }

    /// - Returns: False when there is nobody to see it.
    private static func show(_ question: String) throws -> Bool {
        if StandardStream.standardError.isTerminal {
            try StandardStream.standardError.write(question)
            return true
        }
        guard let terminal = try? FileDescriptor.open("/dev/tty", .writeOnly) else {
            return false
        }
        return try terminal.closeAfter { try terminal.writeAll(question.utf8) > 0 }
    }
}
