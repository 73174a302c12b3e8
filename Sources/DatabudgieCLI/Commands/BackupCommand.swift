import ArgumentParser
import Databudgie

/// `databudgie backup`.
struct BackupCommand: RunCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Write tables and query results to files."
    )
    static let action = RunKind.backup

    @OptionGroup var options: SharedOptions

    @Option(
        name: .customLong("backup-id"),
        help: ArgumentHelp("Go on with this transaction of the manifest.", valueName: "number")
    )
    var backupID: Int?

    func sources() throws -> ConfigurationSources {
        var sources = try options.sources()
        sources.overrides.backupID = backupID
        return sources
    }

    static func perform(
        _ configuration: Configuration,
        _ runOptions: RunEnvironment,
        onEvent: @escaping @Sendable (RunEvent) -> Void
    ) async throws -> RunReport {
        try await BackupRun(configuration, options: runOptions).run(onEvent: onEvent)
    }
}
