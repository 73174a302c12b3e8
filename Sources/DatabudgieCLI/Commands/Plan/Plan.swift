import ArgumentParser
import Databudgie

extension DatabudgieCommand {
    /// `databudgie plan`, the name before the runs that are planned.
    struct Plan: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "plan",
            abstract: "Show what a backup or a restore would do, and why.",
            subcommands: [PlanBackup.self, PlanRestore.self]
        )
    }

    /// `databudgie plan backup`.
    struct PlanBackup: PlanCommand {
        static let configuration = CommandConfiguration(
            commandName: "backup",
            abstract: "Show what a backup would do, and why.",
            discussion: """
                The plan is that of the backup itself, in the same snapshot and with the same locks. No rows are read, \
                except to find those of a subset, and nothing is written. The exit code is 1 if a table would fail.
                """
        )
        static let kind = RunKind.backup

        @OptionGroup var options: SharedOptions
        @OptionGroup(title: HelpGroup.output) var output: PlanOutput

        @OptionGroup(title: HelpGroup.what) var start: StartOption
        @OptionGroup(title: HelpGroup.how) var resumption: BackupIDOption

        func sources() throws -> ConfigurationSources {
            var sources = try options.sources()
            sources.overrides.backupID = resumption.backupID
            sources.overrides.starts = start.starts
            return sources
        }

        static func plan(
            _ configuration: Configuration,
            onEvent: @escaping @Sendable (RunEvent) -> Void
        ) async throws -> RunPlan {
            try await BackupRun(configuration).plan(onEvent: onEvent)
        }
    }

    /// `databudgie plan restore`.
    struct PlanRestore: PlanCommand {
        static let configuration = CommandConfiguration(
            commandName: "restore",
            abstract: "Show what a restore would do, and why.",
            discussion: """
                The plan is that of the restore itself, with all checks of its preflight; nothing is changed. The exit code \
                is 1 if a table would fail.
                """
        )
        static let kind = RunKind.restore

        @OptionGroup var options: SharedOptions
        @OptionGroup(title: HelpGroup.output) var output: PlanOutput

        @OptionGroup var selection: RestoreRunOptions

        func sources() throws -> ConfigurationSources {
            var sources = try options.sources()
            selection.add(to: &sources.overrides)
            return sources
        }

        static func plan(
            _ configuration: Configuration,
            onEvent: @escaping @Sendable (RunEvent) -> Void
        ) async throws -> RunPlan {
            try await RestoreRun(configuration).plan(onEvent: onEvent)
        }
    }
}
