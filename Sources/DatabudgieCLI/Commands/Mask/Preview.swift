import ArgumentParser
import Databudgie

extension DatabudgieCommand.Mask {
    /// `databudgie mask preview`.
    struct Preview: MaskCommand {
        static let configuration = CommandConfiguration(
            commandName: "preview",
            abstract: "Show some rows of a table as a backup would export them.",
            discussion: """
                The server computes the masks, so what is not shown has not left it. Columns without a mask are shown as \
                they are.
                """
        )

        @OptionGroup var options: SharedOptions

        @Argument(
            help: ArgumentHelp("A table of the backup, with or without its schema.", valueName: "table"),
            completion: Completions.table
        )
        var table: String

        @Option(name: .long, help: ArgumentHelp("Show so many rows at most.", valueName: "number"))
        var rows = 5

        @Flag(name: .long, help: "Print the result as JSON.")
        var json = false

        func validate() throws {
            if !(1...1_000).contains(rows) { throw ValidationError("--rows must be from 1 to 1000") }
        }

        var question: @Sendable (Configuration) async throws -> MaskedSample {
            { [table, rows] configuration in try await MaskPreview(configuration, table: table).run(rows: rows) }
        }

        func show(_ sample: MaskedSample, _ display: RunDisplay) throws -> ExitStatus {
            if json { try write(json: Document(sample)) } else { try write(Self.lines(sample)) }
            return .success
        }

        /// The names of the columns, their masks, and the rows.
        static func lines(_ sample: MaskedSample) -> [String] {
            var table = TextTable(sample.columns.map { (name: $0.name.escapedForTerminal, side: .left) })
            table.add(sample.columns.map { "(\($0.mask ?? "as it is"))" })
            for row in sample.rows { table.add(row.map { $0.map(shortened) ?? "NULL" }) }
            return table.lines
        }

        /// The longest value that is shown, in characters.
        private static let longest = 40

        private static func shortened(_ value: String) -> String {
            value.unicodeScalars.count <= longest
                ? value : String(String.UnicodeScalarView(value.unicodeScalars.prefix(longest - 1))) + "…"
        }

        private struct Document: Encodable {
            struct Column: Encodable {
                let name: String
                let mask: String?
            }

            let table: String
            let columns: [Column]
            let rows: [[String?]]

            init(_ sample: MaskedSample) {
                table = sample.table
                columns = sample.columns.map { Column(name: $0.name, mask: $0.mask) }
                rows = sample.rows
            }
        }
    }
}
