import ArgumentParser
import Databudgie

extension DatabudgieCommand {
    /// `databudgie backup`.
    struct Backup: RunCommand {
        static let configuration = CommandConfiguration(
            commandName: "backup",
            abstract: "Write tables and query results to files."
        )
        static let kind = RunKind.backup

        @OptionGroup var options: SharedOptions

        @OptionGroup(title: HelpGroup.what) var start: StartOption
        @OptionGroup(title: HelpGroup.how) var resumption: BackupIDOption
        @OptionGroup(title: HelpGroup.how) var parallelism: JobsOption
        @OptionGroup(title: HelpGroup.output) var monitoring: MetricsOption

        @Option(
            name: .customLong("report"),
            help: ArgumentHelp("Also write a page of HTML about the run to this file.", valueName: "file"),
            completion: .file(extensions: ["html"])
        )
        var reportPath: String?

        var metricsPath: String? { monitoring.metrics }

        func sources() throws -> ConfigurationSources {
            var sources = try options.sources()
            sources.overrides.backupID = resumption.backupID
            sources.overrides.starts = start.starts
            sources.overrides.jobs = parallelism.jobs
            sources.overrides.metrics = monitoring.metrics
            return sources
        }

        static func perform(_ configuration: Configuration, _ display: RunDisplay) async throws -> RunReport {
            try await BackupRun(configuration).run { display.handle($0) }
        }
    }
}
