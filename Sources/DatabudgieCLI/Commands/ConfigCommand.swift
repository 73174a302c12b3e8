import ArgumentParser
import Databudgie

/// `databudgie config`.
struct ConfigCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Print the configuration with every default filled in."
    )

    @OptionGroup var options: SharedOptions

    func execute() async throws -> ExitStatus {
        let configuration = try Configuration.load(try options.sources())
        let reporter = RunDisplay(options: options, logging: configuration.logging)
        configuration.warnings.forEach { reporter.handle(.warning($0)) }
        try StandardStream.standardOutput.write(ConfigurationPrinter().yaml(configuration))
        return .success
    }
}
