import ArgumentParser
import Databudgie
import Foundation

extension DatabudgieCommand {
    /// `databudgie compare`.
    struct Compare: Subcommand {
        static let configuration = CommandConfiguration(
            commandName: "compare",
            abstract: "Compare the tables of the source and the target.",
            discussion: """
                The database of the backup is the source, that of the restore the target. Columns, rows and the values of \
                sequences are compared; both servers count and hash their rows, so no rows are moved, and nothing is \
                written. The exit code is 1 when something differs.
                """
        )

        @OptionGroup var options: SharedOptions

        @Flag(name: .long, help: "Print the result as JSON.")
        var json = false

        func execute() async throws -> ExitStatus {
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
            let outcome = await withInterruption(onSignal: { _ in display.interrupting() }) {
                try await Comparison(configuration).run()
            }
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
            let source = ["source rows"] + report.tables.map { count($0.sourceRows) }
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
                lines += table.keys.map { "  key \($0.key.escapedForTerminal): \($0.difference.rawValue)" }
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
                let targetRows: Int?
                let differences: [String]
                let keys: [Key]
            }

            let equal: Bool
            let tables: [Table]
        }

        /// The report as one JSON document.
        static func json(_ report: ComparisonReport) throws -> String {
            let tables = report.tables.map { table in
                Document.Table(
                    table: table.name,
                    sourceRows: table.sourceRows,
                    targetRows: table.targetRows,
                    differences: table.differences,
                    keys: table.keys.map { Document.Table.Key(key: $0.key, difference: $0.difference.rawValue) }
                )
            }
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(Document(equal: report.isEqual, tables: tables)), as: UTF8.self)
        }
    }
}
