import ArgumentParser
import Databudgie

/// A subcommand that moves data: it loads the configuration, shows the run while it lasts and says how it ended.
protocol RunCommand: Subcommand {
    /// What the command does.
    static var action: RunKind { get }

    /// The configuration's sources, with the subcommand's own options in them.
    ///
    /// - Throws: ``StandardInputError`` when standard input cannot be read.
    func sources() throws -> ConfigurationSources

    /// Asks for what must not happen without somebody's word.
    ///
    /// - Parameter configuration: What is about to be done.
    /// - Returns: The same, with a note that it was confirmed.
    /// - Throws: `DatabudgieError` when it was not.
    func confirmed(_ configuration: Configuration) throws -> Configuration

    /// The run itself.
    static func perform(
        _ configuration: Configuration,
        _ runOptions: RunEnvironment,
        onEvent: @escaping @Sendable (RunEvent) -> Void
    ) async throws -> RunReport
}

extension RunCommand {
    func confirmed(_ configuration: Configuration) throws -> Configuration { configuration }

    func execute() async throws -> ExitStatus {
        let loaded = try Configuration.load(try sources(), for: Self.action)
        let reporter = RunDisplay(options: options, logging: loaded.logging)
        LibraryLog.isShown(by: reporter)
        loaded.warnings.forEach { reporter.handle(.warning($0)) }

        let configuration = try confirmed(loaded)

        let runOptions = options.runOptions
        let outcome = await withInterruption(
            onSignal: { _ in reporter.interrupting() },
            onSecondSignal: { reporter.close() }
        ) {
            try await reporter.whileDrawing {
                try await Self.perform(configuration, runOptions, onEvent: { reporter.handle($0) })
            }
        }
        reporter.close()
        return try conclude(outcome, reporter: reporter)
    }

    /// Says how the run ended, and finds the exit status for it.
    private func conclude(
        _ outcome: InterruptibleOutcome<RunReport>,
        reporter: RunDisplay
    ) throws -> ExitStatus {
        switch (outcome.result, outcome.signal) {
        case (.failure, let signal?):
            // Why the run ended matters more than a table that cannot be written; the same below.
            try? printStatistics(reporter.tableSoFar)
            reporter.interrupted()
            return .interrupted(by: signal)
        case (.failure(let error), nil):
            try? printStatistics(reporter.tableSoFar)
            throw error
        case (.success(let report), let signal):
            if report.isDryRun, report.action == .restore {
                // A restore's dry run loads nothing: its plan is the result.
                try printStatistics(PlanTable.lines(reporter.plannedTables, style: .plain))
            } else {
                try printStatistics(SummaryTable(report))
            }
            reporter.summary(report, hasTable: !options.printsStatistics)
            if let signal, !report.failed.isEmpty { return .interrupted(by: signal) }
            return report.failed.isEmpty ? .success : .failure
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
