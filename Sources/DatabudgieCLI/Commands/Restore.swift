import ArgumentParser
import Databudgie

extension DatabudgieCommand {
    /// `databudgie restore`.
    struct Restore: RunCommand {
        static let configuration = CommandConfiguration(
            commandName: "restore",
            abstract: "Load tables from files."
        )
        static let kind = RunKind.restore

        @OptionGroup var options: SharedOptions

        @OptionGroup var selection: RestoreRunOptions

        @Flag(name: .shortAndLong, help: "Skip the confirmation.")
        var yes = false

        @OptionGroup(title: HelpGroup.how) var parallelism: JobsOption
        @OptionGroup(title: HelpGroup.output) var monitoring: MetricsOption

        var metricsPath: String? { monitoring.metrics }

        func sources() throws -> ConfigurationSources {
            var sources = try options.sources()
            selection.add(to: &sources.overrides)
            sources.overrides.jobs = parallelism.jobs
            sources.overrides.metrics = monitoring.metrics
            sources.overrides.yes = yes
            return sources
        }

        func confirm(_ configuration: Configuration) throws -> Configuration {
            let restore = configuration.restore
            guard restore.run.definitions.recreatesDatabase, !restore.assumesYes, !restore.run.isDryRun,
                let target = restore.run.connection
            else { return configuration }
            try Confirmation.ask("drops and re-creates the database \(target) and disconnects its sessions")
            var confirmed = configuration
            confirmed.restore.assumesYes = true
            return confirmed
        }

        static func perform(_ configuration: Configuration, _ display: RunDisplay) async throws -> RunReport {
            try await RestoreRun(configuration).run {
                display.handle($0)
            } confirm: { destination in
                try await display.whileHidden { try await Confirmation.askDuringRun(destination.warning) }
            }
        }
    }
}

extension RestoreDestination {
    /// What a restore does to it, as a question has it.
    var warning: String {
        let shown = replaced.prefix(5).joined(separator: ", ")
        let rest = replaced.count > 5 ? " and \(replaced.count - 5) more" : ""
        let numeric = address.isEmpty || address == host ? "" : " (\(address))"
        return
            "restores into the database \(database) at \(host)\(numeric), port \(port), which 'safe_hosts' does not list, "
            + (replaced.isEmpty ? "and empties no table there" : "and replaces all rows of \(shown)\(rest)")
    }
}
