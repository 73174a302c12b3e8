import Databudgie

/// The configuration of a command, and the display that has said what it warns of.
struct LoadedConfiguration {
    let configuration: Configuration
    let display: RunDisplay

    /// Reads the configuration.
    ///
    /// - Parameters:
    ///   - sources: Where it comes from.
    ///   - kind: The half that is used.
    ///   - options: How what happens is shown.
    ///   - hint: What to do when no file was found. Without one, a first try would end with a word about a database that
    ///     nobody has named.
    ///   - acceptsURL: `--url` is enough instead of a file.
    /// - Throws: `ConfigurationError`; ``CommandError`` when there is no file.
    init(
        _ sources: ConfigurationSources,
        for kind: RunKind,
        options: SharedOptions,
        hint: String,
        acceptsURL: Bool = true
    ) throws {
        configuration = try Configuration.load(sources, for: kind)
        display = RunDisplay(options: options, logging: configuration.logging)
        LibraryLog.bootstrap(to: display)
        display.warn(configuration.warnings)
        guard configuration.sources.isEmpty, !acceptsURL || options.url == nil else { return }
        throw CommandError(
            .usage,
            "there is no configuration file in \(configuration.folderWithoutFiles ?? "this folder")",
            hint: hint
        )
    }
}
