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

        @Flag(help: "Print the JSON Schema of configurations, for editors, instead.")
        var schema = false

        func execute() async throws -> ExitStatus {
            guard !schema else {
                try StandardStream.standardOutput.write(ConfigurationSchema.json)
                return .success
            }
            let configuration = try Configuration.load(try options.sources())
            let display = RunDisplay(options: options, logging: configuration.logging)
            display.warn(configuration.warnings)
            if let folder = configuration.folderWithoutFiles {
                let names = ConfigurationSources.defaultFiles.joined(separator: ", ")
                display.warn([
                    Finding(
                        .warning,
                        "there is no configuration file in \(folder); these are the defaults",
                        hint: "looked for \(names)"
                    )
                ])
            }
            try StandardStream.standardOutput.write(ConfigurationPrinter().yaml(configuration))
            return .success
        }
    }
}
