import ArgumentParser
import Databudgie

/// The program without its process: takes a command line, does what it says, and returns the exit status.
struct CommandLineTool {
    /// Parses and runs a command line.
    ///
    /// - Parameter arguments: The arguments without the program's name.
    /// - Returns: How the process should end.
    func run(_ arguments: [String]) async -> ExitStatus {
        let command: any Subcommand
        do {
            guard let parsed = try parse(arguments) else { return .success }
            command = parsed
        } catch {
            return refuse(error)
        }
        do {
            return try await command.execute()
        } catch {
            command.options.messages.write(error)
            return ExitStatus(error)
        }
    }

    /// Parses a command line.
    ///
    /// - Parameter arguments: The arguments without the program's name.
    /// - Returns: The subcommand with its options; nil for `help`, which has been printed then.
    /// - Throws: What ArgumentParser has to say, a request for help or for the version among it.
    func parse(_ arguments: [String]) throws -> (any Subcommand)? {
        var command = try DatabudgieCommand.parseAsRoot(arguments)
        if let subcommand = command as? any Subcommand { return subcommand }
        guard !(command is DatabudgieCommand) else {
            throw ValidationError("Say what to do: backup, restore, config or manifest create.")
        }
        try command.run()
        return nil
    }

    /// Answers a request for help or for the version, and says what is wrong with any other command line.
    private func refuse(_ error: any Error) -> ExitStatus {
        let status: ExitStatus = DatabudgieCommand.exitCode(for: error).isSuccess ? .success : .usage
        do {
            if status == .success {
                try StandardStream.standardOutput.write(DatabudgieCommand.fullMessage(for: error) + "\n")
            } else {
                let message = DatabudgieCommand.message(for: error)
                let hint = ".?".contains(message.last ?? " ") ? " See" : "; see"
                let line = PlainLine.error(message + hint + " 'databudgie --help'.", style: .plain)
                try StandardStream.standardError.write(line + "\n")
            }
        } catch {
            return .failure
        }
        return status
    }
}
