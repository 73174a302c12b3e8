import ArgumentParser
import Databudgie

/// `databudgie restore`.
struct RestoreCommand: RunCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Load tables from files."
    )
    static let action = RunKind.restore

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
        var sources = try options.sources()
        sources.overrides.restoreID = restoreID
        sources.overrides.clean = clean
        sources.overrides.yes = yes
        return sources
    }

    func confirmed(_ configuration: Configuration) throws -> Configuration {
        let restore = configuration.restore
        guard restore.run.ddl.clean, !restore.assumesYes, !restore.run.isDryRun, let target = restore.run.connection
        else { return configuration }
        try Confirmation.ask(
            "The whole database at \(target) is dropped and created anew, and connections to it are ended"
        )
        var confirmed = configuration
        confirmed.restore.assumesYes = true
        return confirmed
    }

    static func perform(
        _ configuration: Configuration,
        _ runOptions: RunEnvironment,
        onEvent: @escaping @Sendable (RunEvent) -> Void
    ) async throws -> RunReport {
        try await RestoreRun(configuration, options: runOptions).run(onEvent: onEvent)
    }
}
