import Databudgie
import Foundation

/// Where the configuration comes from, and how what happens is shown.
extension SharedOptions {
    /// The table of results goes to standard output.
    var printsStatistics: Bool {
        display.stats ?? manner.dryRun ?? false
    }

    /// Where the configuration comes from: the options, the environment, standard input and files.
    ///
    /// - Throws: ``CommandError`` when standard input cannot be read.
    func sources() throws -> ConfigurationSources {
        let input = StandardInput { errorWriter.warn($0) }
        return ConfigurationSources(
            overrides: overrides,
            environment: ProcessInfo.processInfo.environment,
            standardInput: try input.configuration(standardInputRequest)
        )
    }

    /// The name that stands for standard input among the configuration files.
    private static let standardInputName = "-"

    /// Standard input is configuration unless files are named: in `yes | databudgie -c FILE restore` it is an answer.
    private var standardInputRequest: StandardInput.Request {
        if place.configurationFiles.contains(Self.standardInputName) { return .required }
        let namesFormatOfInput = place.rawConfigurationFormat.isGiven && place.rawConfiguration == nil
        return place.configurationFiles.isEmpty || namesFormatOfInput ? .possible : .unwanted
    }

    private var overrides: ConfigurationOverrides {
        var overrides = ConfigurationOverrides()
        overrides.strict = manner.strict
        overrides.adapter = place.adapter?.rawValue
        overrides.configFiles = place.configurationFiles.filter { $0 != Self.standardInputName }
        overrides.connection = connection
        overrides.ddl = selection.ddl
        overrides.url = url
        overrides.location = location
        overrides.tables = tables
        overrides.excludes = exclude
        overrides.dryRun = manner.dryRun
        overrides.rawConfig = place.rawConfiguration
        overrides.rawConfigFormat = place.rawConfigurationFormat.format
        return overrides
    }

    /// How errors are written that end the command.
    var errorWriter: ErrorWriter {
        ErrorWriter(format: display.logFormat, style: style)
    }

    /// Colours where standard error is a terminal that has them, unless the user wants none.
    var style: TextStyle {
        guard StandardStream.standardError.isTerminal, !Self.isDumbTerminal else { return .plain }
        return (display.color ?? !Self.prefersNoColor) ? .color : .plain
    }

    /// The way in which progress is shown.
    var mode: RunDisplay.Mode {
        switch display.logFormat {
        case .json: .json
        case .text: StandardStream.standardError.isTerminal && !Self.isDumbTerminal ? .live : .plain
        }
    }

    /// The terminal cannot move its cursor.
    private static var isDumbTerminal: Bool {
        let kind = ProcessInfo.processInfo.environment["TERM"] ?? ""
        return kind.isEmpty || kind == "dumb"
    }

    /// The user wants no colours in any program (https://no-color.org).
    private static var prefersNoColor: Bool {
        !(ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
    }
}

extension RunDisplay {
    /// A display that writes to standard error as the options ask.
    convenience init(options: SharedOptions, logging: LoggingConfiguration) {
        let start = ContinuousClock.now
        self.init(
            mode: options.mode,
            verbosity: Verbosity(logging, verboseFlags: options.verbose),
            style: options.style,
            surroundings: Surroundings(
                // Progress that cannot be shown is not a reason to give up a backup.
                write: { try? StandardStream.standardError.write($0) },
                size: { StandardStream.standardError.size },
                elapsed: { .now - start },
                now: { Date() }
            )
        )
    }
}
