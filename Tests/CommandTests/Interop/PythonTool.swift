import Foundation
import SystemPackage

/// databudgie 2.9.3, run as a process of its own.
struct PythonTool {
    /// Its program, which `scripts/test` installs; nil where it could not.
    static let path = ProcessInfo.processInfo.environment["TEST_DATABUDGIE_293"].flatMap { $0.isEmpty ? nil : $0 }

    /// Where and with what it runs.
    let program: Program

    /// Runs a command at a terminal, as the tool takes a closed standard input for its configuration.
    ///
    /// - Parameter arguments: Words without characters that mean something to the shell.
    /// - Returns: What it left; its messages are standard output.
    /// - Throws: An error when the shell could not be started.
    func run(_ arguments: String...) async throws -> Program.Outcome {
        let line = ([Self.path ?? "databudgie"] + arguments).joined(separator: " ")
        return try await program.shell("exec script --quiet --return --command '\(line)' /dev/null </dev/null")
    }
}
