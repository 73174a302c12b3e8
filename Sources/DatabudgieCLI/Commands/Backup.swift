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

        @Option(name: .customLong("backup-id"), help: ArgumentHelp("Resume the run with this id.", valueName: "number"))
        var backupID: Int?

        @Option(
            name: .customLong("start"),
            help: ArgumentHelp(
                "Back up only these rows and what belongs to them, instead of 'start' of 'subset'; may be repeated.",
                valueName: "table=condition"
            )
        )
        var starts: [String] = []

        @Option(
            name: [.customShort("j", allowingJoined: true), .long],
            help: ArgumentHelp("Export this many tables at once.", valueName: "number")
        )
        var jobs: Int?

        @Option(
            name: .customLong("report"),
            help: ArgumentHelp(
                "Also write a page of HTML about the run to this file.",
                valueName: "file"
            )
        )
        var reportPath: String?

        func validate() throws {
            if let jobs, !(1...BackupConfiguration.mostJobs).contains(jobs) {
                throw ValidationError("--jobs is a number from 1 to \(BackupConfiguration.mostJobs)")
            }
        }

        func sources() throws -> ConfigurationSources {
            var sources = try options.sources()
            sources.overrides.backupID = backupID
            sources.overrides.starts = starts
            sources.overrides.jobs = jobs
            return sources
        }

        static func perform(_ configuration: Configuration, _ display: RunDisplay) async throws -> RunReport {
            try await BackupRun(configuration).run { display.handle($0) }
        }
    }
}
