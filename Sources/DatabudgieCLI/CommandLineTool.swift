import ArgumentParser
import Databudgie

/// The program without its process: takes a command line, does what it says, and returns the exit status.
struct CommandLineTool {
    /// Parses and runs a command line.
    ///
    /// - Parameter arguments: The arguments without the program's name.
    /// - Returns: How the process should end.
    func run(_ arguments: [String]) async -> ExitStatus {
        let arguments = Self.unknownSubcommand(in: arguments).map { [$0] } ?? arguments
        let command: any Subcommand
        do {
            guard let parsed = try parse(arguments) else { return .success }
            command = parsed
        } catch {
            return answer(error, to: arguments)
        }
        do {
            return try await command.execute()
        } catch {
            command.options.errorWriter.write(error)
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
            throw ValidationError("missing subcommand: \(Self.subcommands)")
        }
        try command.run()
        return nil
    }

    /// What help is asked for and is no subcommand: the parser would show the help of everything, as if that were it.
    private static func unknownSubcommand(in arguments: [String]) -> String? {
        let isHelp = arguments.first == "help"
        guard isHelp || arguments.contains("--help") || arguments.contains("-h"),
            let word = arguments.dropFirst(isHelp ? 1 : 0).first, !word.utf8.starts(with: "-".utf8), word != "help",
            DatabudgieCommand.subcommand(named: word) == nil
        else { return nil }
        return word
    }

    /// All subcommands, in the order of the help, as a sentence has them.
    private static var subcommands: String {
        let names = DatabudgieCommand.configuration.subcommands.flatMap { command -> [String] in
            let name = command.configuration.commandName ?? ""
            let parts = command.configuration.subcommands.compactMap { $0.configuration.commandName }
            return parts.isEmpty ? [name] : parts.map { "\(name) \($0)" }
        }
        return names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
    }

    /// Prints what was asked for, help or the version, or reports what is wrong with the command line.
    private func answer(_ error: any Error, to arguments: [String]) -> ExitStatus {
        guard DatabudgieCommand.exitCode(for: error).isSuccess else {
            let error = CommandError(parserMessage: DatabudgieCommand.message(for: error), of: arguments)
            ErrorWriter(format: LogFormat(requestedIn: arguments), style: .plain).write(error)
            return ExitStatus(error)
        }
        do {
            try StandardStream.standardOutput.write(DatabudgieCommand.fullMessage(for: error) + "\n")
            return .success
        } catch {
            return .failure
        }
    }
}
