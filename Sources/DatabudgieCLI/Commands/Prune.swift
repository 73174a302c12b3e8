import ArgumentParser
import Databudgie
import Foundation

extension DatabudgieCommand {
    /// `databudgie prune`.
    struct Prune: Subcommand {
        static let configuration = CommandConfiguration(
            commandName: "prune",
            abstract: "Remove old backup sets.",
            discussion: """
                Sets that no rule of 'retention' keeps are listed, and removed after a confirmation: first their records, \
                then the files that no other set needs. The newest complete set always stays.
                """
        )

        @OptionGroup var options: SharedOptions

        @Flag(
            help:
                "Also remove what no set names and is older than a day: files of broken runs, temporary files, uploads."
        )
        var orphans = false

        @Flag(help: "Print the plan as JSON.")
        var json = false

        @Flag(name: .shortAndLong, help: "Skip the confirmation.")
        var yes = false

        func execute() async throws -> ExitStatus {
            let configuration = try Configuration.load(try options.sources(), for: .backup)
            let display = RunDisplay(options: options, logging: configuration.logging)
            display.warn(configuration.warnings)
            let prune = Databudgie.Prune(configuration)
            let plan = try await prune.plan(includingOrphans: orphans)
            display.warn(plan.warnings)
            let isDryRun = configuration.backup.run.isDryRun
            if json {
                try say(try PruneJSON.text(plan))
            } else {
                for line in PruneTable.lines(plan, style: .plain) { try say(line) }
            }
            guard !plan.isEmpty, !isDryRun else {
                if !json {
                    try say(isDryRun ? "Dry run of prune: nothing was removed." : "There is nothing to remove.")
                }
                return .success
            }
            if !yes { try Confirmation.ask("removes \(PruneTable.summary(plan))") }
            return try await removeInterruptibly(display) {
                try await prune.remove(plan)
            } andThen: {
                if !json { try say("Removed \(PruneTable.summary(plan)).") }
            }
        }

        private func say(_ line: String) throws {
            try StandardStream.standardOutput.write(line + "\n")
        }
    }
}
