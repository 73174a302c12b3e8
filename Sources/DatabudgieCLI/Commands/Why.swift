import ArgumentParser
import Databudgie

extension DatabudgieCommand {
    /// `databudgie why`.
    struct Why: Subcommand {
        static let configuration = CommandConfiguration(
            commandName: "why",
            abstract: "Show why a row is part of the subset of a backup.",
            discussion: """
                The rows of the subset are found as in a backup, and nothing is written. The answer is a chain of references \
                from the row to one with which the subset begins, as the database is now. The exit code is 1 if there is no \
                such row, or if it is not part of the subset.
                """
        )

        @OptionGroup var options: SharedOptions

        @Argument(
            help: ArgumentHelp(
                "A row: public.orders:201 or public.lines:100,1 by its primary key, public.users.email:a@x by a column.",
                valueName: "table:key"
            )
        )
        var row: String

        @OptionGroup(title: HelpGroup.what) var start: StartOption

        @Flag(name: .long, help: "Print the result as JSON.")
        var json = false

        func execute() async throws -> ExitStatus {
            var sources = try options.sources()
            sources.overrides.starts = start.starts
            let loaded = try LoadedConfiguration(
                sources,
                for: .backup,
                options: options,
                hint: "name one with --config, or pass --url, --table and --start"
            )
            let (configuration, display) = (loaded.configuration, loaded.display)
            let row = row
            let outcome = await withInterruption(onSignal: { _ in display.interrupting() }) {
                try await BackupRun(configuration).why(row) { display.handle($0) }
            }
            switch (outcome.result, outcome.signal) {
            case (.failure, let signal?): return .interrupted(by: signal)
            case (.failure(let error), nil): throw error
            case (.success(let reasons), _):
                try StandardStream.standardOutput.write(
                    json ? try JSONDocument.text(Document(reasons)) + "\n" : Self.text(reasons)
                )
                return reasons.areIncluded ? .success : .failure
            }
        }

        /// A row and what led to it, one a line.
        static func text(_ reasons: RowReasons) -> String {
            var lines = reasons.reasons.flatMap(lines)
            if reasons.hasMore { lines.append("(and more rows)") }
            return lines.map { $0.escapedForTerminal + "\n" }.joined()
        }

        private static func lines(_ reason: RowReason) -> [String] {
            guard let end = reason.end else { return ["\(reason.row.name) is not part of the subset"] }
            let hops = reason.chain.map { "  ← \($0.reference) \($0.refers ? "of" : "to") \(shown($0.row))" }
            return [shown(reason.row)] + hops + [
                "  ← \(end == .start ? "the start" : "all rows of its table are exported")"
            ]
        }

        private static func shown(_ row: RowReason.Row) -> String {
            row.name + (row.state.map { " (\($0.rawValue))" } ?? "")
        }

        private struct Document: Encodable {
            struct Row: Encodable {
                let table: String
                let key: String
                let state: String?

                init(_ row: RowReason.Row) { (table, key, state) = (row.table, row.key, row.state?.rawValue) }
            }

            struct Hop: Encodable {
                let reference: String
                let direction: String
                let row: Row
            }

            struct Reason: Encodable {
                let row: Row
                let included: Bool
                let chain: [Hop]
                let end: String?
            }

            let rows: [Reason]
            let more: Bool

            init(_ reasons: RowReasons) {
                more = reasons.hasMore
                rows = reasons.reasons.map { reason in
                    Reason(
                        row: Row(reason.row),
                        included: reason.row.state != nil,
                        chain: reason.chain.map {
                            Hop(reference: $0.reference, direction: $0.refers ? "from" : "to", row: Row($0.row))
                        },
                        end: reason.end?.rawValue
                    )
                }
            }
        }
    }
}
