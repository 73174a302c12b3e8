import ArgumentParser
import Databudgie

/// `databudgie restore`.
struct RestoreCommand: RunCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Load tables from files."
    )
    static let action = RunAction.restore

    @OptionGroup var options: SharedOptions

    @Option(
        name: .customLong("restore-id"),
        help: ArgumentHelp("Go on with this transaction of the manifest.", valueName: "number")
    )
    var restoreID: Int?

    @Flag(inversion: .prefixedNo, help: "Drop and create the target database anew before the restore.")
    var clean: Bool?

    @Flag(name: .shortAndLong, help: "Ask for no confirmation.")
    var yes = false

    func sources() throws -> ConfigurationSources {
        if restoreID != nil { throw UnsupportedOption.manifestTransaction("--restore-id") }
        if clean == true { throw UnsupportedOption.clean }
        return try options.sources()
    }

    static func perform(
        _ configuration: Configuration,
        _ runOptions: RunOptions,
        onEvent: @escaping @Sendable (RunEvent) -> Void
    ) async throws -> RunReport {
        try await RestoreRun(configuration, options: runOptions).run(onEvent: onEvent)
    }
}
