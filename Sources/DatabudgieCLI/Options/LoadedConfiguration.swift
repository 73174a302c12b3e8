import Databudgie

/// The configuration of a command, and the display that has said what it warns of.
struct LoadedConfiguration {
    let configuration: Configuration
    let display: RunDisplay

    /// Reads the configuration.
    ///
    /// - Parameters:
    ///   - sources: Where it comes from.
    ///   - kind: The half that is used; nil: both.
    ///   - options: How what happens is shown.
    ///   - hint: What to do when no file was found. Without one, a first try would end with a word about a database that
    ///     nobody has named.
    ///   - acceptsURL: `--url` is enough instead of a file.
    /// - Throws: `ConfigurationError`; ``CommandError`` when there is no file.
    init(
        _ sources: ConfigurationSources,
        for kind: RunKind?,
        options: SharedOptions,
        hint: String,
        acceptsURL: Bool = true
    ) throws {
        configuration = try Configuration.load(sources, for: kind)
        display = RunDisplay(options: options, logging: configuration.logging)
        LibraryLog.bootstrap(to: display)
        display.warn(configuration.warnings)
        guard configuration.sources.isEmpty else { return }
        let folder = configuration.folderWithoutFiles ?? "this folder"
        guard acceptsURL, options.url != nil else {
            throw CommandError(.usage, "there is no configuration file in \(folder)", hint: hint)
        }
        guard configuration.hasNoTables(for: kind ?? .backup) else { return }
        throw CommandError(
            .usage,
            "no tables are named: there is no configuration file in \(folder), and no --table",
            hint: "name them with --table, such as -t 'public.*', or write a configuration with 'databudgie init URL'"
        )
    }
}

extension Configuration {
    fileprivate func hasNoTables(for kind: RunKind) -> Bool {
        kind == .backup ? backup.tables.isEmpty : restore.tables.isEmpty
    }
}
