import ArgumentParser
import Databudgie
import Foundation

extension DatabudgieCommand {
    /// `databudgie show`.
    struct Show: Subcommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show what a backup set consists of.",
            discussion: """
                --table and --exclude choose from the tables of the set. If one table is asked for, its columns are shown \
                too. With --format, prints statements that read the set's files in another program.
                """
        )

        @OptionGroup var options: SharedOptions
        @OptionGroup(title: HelpGroup.where) var place: CatalogOptions

        @Argument(help: ArgumentHelp("'latest', the newest complete set; an id; or its beginning.", valueName: "set"))
        var set = "latest"

        @Flag(help: "Show the columns of all tables.")
        var columns = false

        @Flag(help: "Print the record as JSON.")
        var json = false

        @Option(help: "Print statements for this program, which read the set's files.")
        var format: Format?

        @Option(help: ArgumentHelp("Also write a page of HTML about the set to this file.", valueName: "file"))
        var html: String?

        /// The values of `--format`.
        enum Format: String, ExpressibleByArgument, CaseIterable {
            case duckdb, psql

            var program: SetStatements.Program {
                switch self {
                case .duckdb: .duckdb
                case .psql: .psql
                }
            }
        }

        func validate() throws {
            if json, format != nil { throw ValidationError("--json and --format exclude each other") }
            if html != nil, json || format != nil {
                throw ValidationError("--html and \(json ? "--json" : "--format") exclude each other")
            }
            if json, !options.tables.isEmpty || !options.exclude.isEmpty {
                throw ValidationError("--json prints the whole record: --table and --exclude have no effect on it")
            }
        }

        func execute() async throws -> ExitStatus {
            let (configuration, kind) = try place.load(options)
            var found = try await SetLookup(configuration, for: kind).find(set)
            RunDisplay(options: options, logging: configuration.logging).warn(found.warnings)
            if json {
                try StandardStream.standardOutput.write(SetJSON.record(found))
                return .success
            }
            try found.keepTables(options.tables, excluding: options.exclude)
            if let format {
                for piece in try SetStatements(found, for: format.program).pieces() { try print(statements: piece) }
                return .success
            }
            if let html {
                // Without the others the page has no trend, and lacks nothing of the set.
                let sets = (try? await SetList(configuration, for: kind).read()) ?? []
                try ReportPage(report: Report(found, among: sets, at: Date())).write(to: html)
            }
            let asksForOne = !options.tables.isEmpty && found.record.tables.count == 1
            let lines = SetDescription(found).lines(showsColumns: columns || asksForOne)
            try StandardStream.standardOutput.write(lines.map { $0.escapedForTerminal + "\n" }.joined())
            return .success
        }

        /// Names are as they are, but nothing in them acts upon a terminal.
        private func print(statements: String) throws {
            let output = StandardStream.standardOutput
            guard output.isTerminal else { return try output.write(statements) }
            let lines = statements.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            try output.write(
                lines.map { String(decoding: $0, as: UTF8.self).escapedForTerminal }.joined(separator: "\n")
            )
        }
    }
}
