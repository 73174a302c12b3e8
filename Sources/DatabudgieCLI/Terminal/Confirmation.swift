import Databudgie
import Foundation

/// Asks somebody at a terminal before something is destroyed.
enum Confirmation {
    /// Asks, and returns when the answer is yes.
    ///
    /// - Parameter question: What is about to happen, without the question mark.
    /// - Throws: `DatabudgieError` when the answer is anything else, or when nobody is there to answer.
    static func ask(_ question: String) throws {
        guard isatty(STDIN_FILENO) == 1, StandardStream.standardError.isTerminal else {
            throw DatabudgieError(
                .configuration,
                "\(question), which needs a confirmation, and standard input is no terminal; pass --yes to go on without."
            )
        }
        try StandardStream.standardError.write("\(question). Go on? [y/N] ")
        let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased() ?? ""
        guard ["y", "yes"].contains(answer) else {
            throw DatabudgieError(.preflight, "Not confirmed; nothing was touched.")
        }
    }
}
