import ArgumentParser
import Databudgie

extension DatabudgieCommand {
    /// `databudgie config`.
    struct Config: Subcommand {
        static let configuration = CommandConfiguration(
            commandName: "config",
            abstract: "Print the configuration with every default filled in."
        )

        @OptionGroup var options: SharedOptions

        func execute() async throws -> ExitStatus {
            let configuration = try Configuration.load(try options.sources())
            RunDisplay(options: options, logging: configuration.logging).warn(configuration.warnings)
            try StandardStream.standardOutput.write(ConfigurationPrinter().yaml(configuration))
            return .success
        }
    }
}
