import ArgumentParser
import Databudgie
import Foundation

extension DatabudgieCommand {
    /// `databudgie compare`.
    struct Compare: Subcommand {
        static let configuration = CommandConfiguration(
            commandName: "compare",
            abstract: "Compare the source, or a backup set, with the target.",
            discussion: """
                The database of the backup is the source, that of the restore the target. Columns, rows and the values of \
                sequences are compared; both servers count and hash their rows, so no rows are moved, and nothing is \
                written. With --against a backup set takes the place of the source: its files are read, and their rows \
                are put into temporary tables of the target, which hashes them. The exit code is 1 when something differs.
                """
        )

        @OptionGroup var options: SharedOptions
        @OptionGroup(title: HelpGroup.where) var place: CatalogOptions

        @Option(
            help: ArgumentHelp(
                "Compare the target with this backup set: its id, how it begins, or latest.",
                valueName: "set"
            )
        )
        var against: String?

        @Flag(name: .long, help: "Print the result as JSON.")
        var json = false

        func validate() throws {
            if against == nil, place.command != nil { throw ValidationError("--for has no effect without --against") }
        }

        func execute() async throws -> ExitStatus {
            if let against { return try await compare(against) }
            guard options.url == nil, options.connection == nil else {
                throw CommandError(
                    .usage,
                    "\(options.url == nil ? "--connection" : "--url") names one database, and a comparison needs two",
                    hint: "configure the source under 'backup' and the target under 'restore'"
                )
            }
            let configuration = try Configuration.load(try options.sources())
            let display = RunDisplay(options: options, logging: configuration.logging)
            display.warn(configuration.warnings)
            return try conclude(
                await withInterruption(onSignal: { _ in display.interrupting() }) {
                    try await Comparison(configuration).run()
                },
                display
            )
        }

        private func compare(_ set: String) async throws -> ExitStatus {
            let (configuration, kind) = try place.load(options)
            let display = RunDisplay(options: options, logging: configuration.logging)
            let comparison = SetComparison(
                configuration,
                for: kind,
                set: set,
                tables: options.tables,
                excluding: options.exclude
            )
            return try conclude(
                await withInterruption(onSignal: { _ in display.interrupting() }) { try await comparison.run() },
                display
            )
        }

        /// Prints the result, and finds the exit status for it.
        private func conclude(
            _ outcome: InterruptibleOutcome<ComparisonReport>,
            _ display: RunDisplay
        ) throws -> ExitStatus {
            switch (outcome.result, outcome.signal) {
            case (.failure, let signal?):
                return .interrupted(by: signal)
            case (.failure(let error), nil):
                throw error
            case (.success(let report), _):
                display.warn(report.notes)
                let lines = json ? [try Self.json(report)] : Self.lines(report)
                try StandardStream.standardOutput.write(lines.map { $0 + "\n" }.joined())
                return report.isEqual ? .success : .failure
            }
        }

        /// One line a table, and one for each difference below it.
        static func lines(_ report: ComparisonReport) -> [String] {
            func count(_ rows: Int?) -> String { rows.map { HumanNumber.count($0) } ?? "–" }
            let names = ["table"] + report.tables.map(\.name.escapedForTerminal)
            let source = ["\(report.sourceName) rows"] + report.tables.map { count($0.sourceRows) }
            let target = ["target rows"] + report.tables.map { count($0.targetRows) }
            let widths = [names, source, target].map { $0.map(\.terminalWidth).max() ?? 0 }
            func line(_ index: Int) -> String {
                names[index].paddedRight(to: widths[0]) + "  " + source[index].paddedLeft(to: widths[1]) + "  "
                    + target[index].paddedLeft(to: widths[2])
            }
            var lines = [line(0)]
            for (number, table) in report.tables.enumerated() {
                lines.append(line(number + 1) + (table.differences.isEmpty ? "  =" : "  ≠"))
                lines += table.differences.map { "  " + $0.escapedForTerminal }
                lines += table.keys.map { "  key \($0.key.escapedForTerminal): \(report.sentence($0.difference))" }
            }
            let differing = report.tables.count { !$0.differences.isEmpty }
            let tables = HumanNumber.count(report.tables.count, "table")
            return lines + [differing == 0 ? "\(tables), all equal." : "\(tables), \(differing) of them differ."]
        }

        private struct Document: Encodable {
            struct Table: Encodable {
                struct Key: Encodable {
                    let key: String
                    let difference: String
                }

                let table: String
                let sourceRows: Int?
                let setRows: Int?
                let targetRows: Int?
                let differences: [String]
                let keys: [Key]
            }

            let set: String?
            let equal: Bool
            let tables: [Table]
        }

        /// The report as one JSON document.
        static func json(_ report: ComparisonReport) throws -> String {
            let tables = report.tables.map { table in
                Document.Table(
                    table: table.name,
                    sourceRows: report.set == nil ? table.sourceRows : nil,
                    setRows: report.set == nil ? nil : table.sourceRows,
                    targetRows: table.targetRows,
                    differences: table.differences,
                    keys: table.keys.map { Document.Table.Key(key: $0.key, difference: report.sentence($0.difference)) }
                )
            }
            return try JSONDocument.text(Document(set: report.set, equal: report.isEqual, tables: tables))
        }
    }
}

extension ComparisonReport {
    /// What the first side is called.
    fileprivate var sourceName: String { self.set == nil ? "source" : "set" }

    /// How the rows of a key differ.
    fileprivate func sentence(_ difference: DifferingKey.Difference) -> String {
        difference == .onlyInSource ? "only in the \(sourceName)" : difference.rawValue
    }
}
