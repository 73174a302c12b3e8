import ArgumentParser

/// A subcommand: parsed by ArgumentParser, run by ``CommandLineTool``, which turns what it throws into an exit code.
protocol Subcommand: ParsableCommand {
    /// The options that every subcommand has.
    var options: SharedOptions { get }

    /// Does the command's work.
    ///
    /// - Returns: The status for an end that is not an error.
    func execute() async throws -> ExitStatus
}
