import ArgumentParser
import Databudgie
import Foundation

/// A subcommand that moves data: it loads the configuration, shows the run while it lasts and says how it ended.
protocol RunCommand: Subcommand {
    /// What the command does.
    static var kind: RunKind { get }

    /// The configuration's sources, with the subcommand's own options in them.
    ///
    /// - Throws: ``CommandError`` when standard input cannot be read.
    func sources() throws -> ConfigurationSources

    /// Asks for a confirmation of what destroys data.
    ///
    /// - Parameter configuration: What is about to be done.
    /// - Returns: The same, with a note that it was confirmed.
    /// - Throws: ``CommandError`` when it was not.
    func confirm(_ configuration: Configuration) throws -> Configuration

    /// The file that a page about the run is written to; nil when none is asked for.
    var reportPath: String? { get }

    /// The file for monitoring that the command line names.
    var metricsPath: String? { get }

    /// The run itself, whose events the display receives.
    static func perform(_ configuration: Configuration, _ display: RunDisplay) async throws -> RunReport
}

extension RunCommand {
    func confirm(_ configuration: Configuration) throws -> Configuration { configuration }

    var reportPath: String? { nil }

    func execute() async throws -> ExitStatus {
        let loaded = try LoadedConfiguration(
            try sources(),
            for: Self.kind,
            options: options,
            hint: "write one with 'databudgie init URL', name another one with --config, or pass --url and --table"
        )
        // A run of hours must not end with a file that cannot be.
        for (option, path) in [("--report", reportPath), ("--metrics", metricsPath)] {
            if let path { try OutputFile(path: path).checkFolder(for: option) }
        }
        let (configuration, display) = (try confirm(loaded.configuration), loaded.display)

        let outcome = await withInterruption(onSignal: { _ in display.interrupting() }) {
            try await display.whileDrawing {
                try await Self.perform(configuration, display)
            }
        }
        display.close()
        let status = try conclude(outcome, of: configuration, display)
        return try await writeReport(outcome, of: configuration, status)
    }

    /// Writes the page about the run, if one is asked for.
    ///
    /// - Returns: The exit status of the run.
    /// - Throws: ``CommandError`` when nothing but the page has failed.
    private func writeReport(
        _ outcome: InterruptibleOutcome<RunReport>,
        of configuration: Configuration,
        _ status: ExitStatus
    ) async throws -> ExitStatus {
        guard let reportPath else { return status }
        do {
            let report = await Report(
                outcome.result,
                isInterrupted: outcome.signal != nil,
                of: configuration,
                at: Date()
            )
            try ReportPage(report: report).write(to: reportPath)
        } catch {
            guard status != .success else { throw error }
            options.errorWriter.write(error)
        }
        return status
    }

    /// Says how the run ended, and finds the exit status for it.
    private func conclude(
        _ outcome: InterruptibleOutcome<RunReport>,
        of configuration: Configuration,
        _ display: RunDisplay
    ) throws -> ExitStatus {
        switch (outcome.result, outcome.signal) {
        case (.failure, let signal?):
            // Why the run ended matters more than a table that cannot be written; the same below.
            try? printStatistics(display.tableSoFar)
            display.interrupted(RunRemains(Self.kind, of: display.state, configuration))
            return .interrupted(by: signal)
        case (.failure(let error), nil):
            try? printStatistics(display.tableSoFar)
            options.errorWriter.write(error, leaving: RunRemains(Self.kind, of: display.state, configuration))
            return ExitStatus(error)
        case (.success(let report), let signal):
            if report.isDryRun, report.kind == .restore {
                // A restore's dry run loads nothing: its plan is the result.
                let failures = SummaryTable(report).failureLines(style: .plain)
                try printStatistics(PlanTable.lines(display.state.planned, style: .plain) + failures)
            } else {
                try printStatistics(SummaryTable(report))
            }
            display.summary(report, hasTable: !options.printsStatistics, page: reportPath)
            if let signal, !report.isComplete { return .interrupted(by: signal) }
            return report.isComplete ? .success : .failure
        }
    }

    private func printStatistics(_ table: SummaryTable) throws {
        try printStatistics(table.lines(width: nil, style: .plain))
    }

    /// Writes a table to standard output, if it was asked for.
    private func printStatistics(_ lines: [String]) throws {
        guard options.printsStatistics else { return }
        try StandardStream.standardOutput.write(lines.map { $0 + "\n" }.joined())
    }
}
