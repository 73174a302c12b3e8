import ArgumentParser
import Databudgie

extension DatabudgieCommand {
    /// `databudgie check`.
    struct Check: Subcommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Check that a backup and a restore would find what they need.",
            discussion: """
                The connection, the server, the privileges on every table of the plan, pg_dump, the manifest, each location, \
                its credentials, the clocks, the space and the sets are looked at, and what to do is said. Nothing lasting is \
                changed: a small file is written to each location of a backup, and removed again. The exit code is 1 if \
                anything would fail; warnings do not count.
                """
        )

        @Argument(
            help: ArgumentHelp(
                "Only what this command needs; otherwise both, the restore if it has a database of its own.",
                valueName: "command"
            )
        )
        var command: CatalogOptions.Command?

        @OptionGroup var options: SharedOptions

        @Flag(help: "Print one JSON document.")
        var json = false

        func execute() async throws -> ExitStatus {
            let kind: RunKind? =
                switch command {
                case .backup: .backup
                case .restore: .restore
                case nil: nil
                }
            let loaded = try LoadedConfiguration(
                try options.sources(),
                for: kind,
                options: options,
                hint: "write one with 'databudgie init URL', name another one with --config, or pass --url and --table"
            )
            let (check, display) = (ConfigurationCheck(loaded.configuration, for: kind), loaded.display)
            let lines = CheckLines()
            let outcome = await withInterruption(onSignal: { _ in display.interrupting() }) { [json] in
                try await check.run { finding in
                    // People read each line as it comes.
                    if !json { try? StandardStream.standardOutput.write(lines.text(finding)) }
                }
            }
            switch (outcome.result, outcome.signal) {
            case (.failure, let signal?):
                return .interrupted(by: signal)
            case (.failure(let error), nil):
                throw error
            case (.success(let findings), _):
                let mistakes = loaded.configuration.warnings.count
                let text = try json ? CheckJSON.text(findings) : CheckLines.summary(findings, afterWarnings: mistakes)
                try StandardStream.standardOutput.write(text + "\n")
                return findings.isWithoutProblems ? .success : .failure
            }
        }
    }
}
