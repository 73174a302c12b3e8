import ArgumentParser
import Databudgie

/// The option of subcommands that read set records: whose catalog they look into.
struct CatalogOptions: ParsableArguments {
    @Option(
        name: .customLong("for"),
        help: ArgumentHelp(
            "Look where this command of the configuration has its sets (default: backup).",
            valueName: "command"
        )
    )
    var command: Command?

    /// The values of `--for`.
    enum Command: String, ExpressibleByArgument, CaseIterable {
        case backup, restore
    }

    /// Loads the configuration, and finds out which of its catalogs is meant.
    ///
    /// `--table` and `--exclude` choose from what a set has, and change nothing about where sets are.
    /// - Parameter options: Of the command line.
    /// - Returns: The configuration, and the command whose catalog it is.
    /// - Throws: `ConfigurationError`; ``CommandError`` when there is no configuration.
    func load(_ options: SharedOptions) throws -> (configuration: Configuration, kind: RunKind) {
        var sources = try options.sources()
        (sources.overrides.tables, sources.overrides.excludes) = ([], [])
        let loaded = try LoadedConfiguration(
            sources,
            for: command == .restore ? .restore : .backup,
            options: options,
            hint: "name one with --config",
            acceptsURL: false
        )
        let (configuration, display) = (loaded.configuration, loaded.display)
        switch command {
        case .backup: return (configuration, .backup)
        case .restore: return (configuration, .restore)
        case nil: break
        }
        let (written, read) = (configuration.catalog(for: .backup), configuration.catalog(for: .restore))
        guard let written else { return (configuration, read == nil ? .backup : .restore) }
        if let read, read != written {
            display.warn([
                Finding(
                    .warning,
                    "the backup's sets are in \(written), but the restore looks in \(read)",
                    hint: "choose one with --for; 'catalog' in the configuration names one for both"
                )
            ])
        }
        return (configuration, .backup)
    }
}
