import Databudgie

/// The table at the end of a run: what was transferred, and what failed.
struct SummaryTable {
    /// One line of the table, as shown.
    private typealias Cells = [String]

    private let kind: RunKind
    private let finished: [JobOutcome]
    private let skipped: Int
    private let failed: [JobFailure]
    private let definitions: Int
    private let set: String?
    private let duration: Duration
    private let isDryRun: Bool
    private let effect: RunEffect?

    /// The table of a run that came to its end.
    init(_ report: RunReport) {
        kind = report.kind
        finished = report.finished
        skipped = report.skipped.count
        failed = report.failed
        definitions = report.definitions.count
        set = report.set
        duration = report.duration
        isDryRun = report.isDryRun
        effect = report.effect
    }

    /// The table of a run that has not come to its end.
    init(_ state: RunState, duration: Duration) {
        kind = state.kind ?? .backup
        finished = state.finished
        skipped = state.skipped.count
        failed = state.failed
        definitions = 0
        set = nil
        self.duration = duration
        isDryRun = false
        effect = nil
    }

    /// The lines of the table, failed tables last.
    ///
    /// - Parameters:
    ///   - width: Columns to which names are shortened; nil leaves them whole, for files and pipes.
    ///   - style: Colours, or none.
    /// - Returns: The table line by line; nothing when no table finished or failed.
    func lines(width: Int?, style: TextStyle) -> [String] {
        tableLines(width: width, style: style) + failureLines(style: style)
    }

    private func tableLines(width: Int?, style: TextStyle) -> [String] {
        guard !finished.isEmpty else { return [] }
        let numbersHeader = ["rows", "CSV size", "file size", "ratio", "time", "MB/s"]
        // What a run has none of has no column.
        let hasDefinitions = finished.contains(where: \.includesDefinition)
        let hasSequences = finished.contains { !$0.sequences.isEmpty }
        let fates = ["inserted", "updated", "unchanged", "skipped"].filter { fate in
            finished.contains { $0.merged?.counts.contains { $0.name == fate } == true }
        }
        func extras(_ definition: String, _ sequences: String) -> Cells {
            (hasDefinitions ? [definition] : []) + (hasSequences ? [sequences] : [])
        }
        let header = ["table"] + extras("definition", "sequences") + fates + numbersHeader
        var body = finished.map { outcome in
            [Self.name(of: outcome)]
                + extras(
                    outcome.includesDefinition ? "✓" : "",
                    outcome.sequences.isEmpty ? "" : "\(outcome.sequences.count)"
                )
                + fates.map { Self.count($0, of: [outcome]) } + numbers(outcome.totals, outcome.duration)
        }
        if finished.count > 1 {
            let sequences = finished.reduce(0) { $0 + $1.sequences.count }
            let merged = fates.map { Self.count($0, of: finished) }
            body.append(["total"] + extras("", "\(sequences)") + merged + numbers(finished.totals, duration))
        }
        let widths = header.indices.map { column in
            ([header] + body).map { $0[column].terminalWidth }.max() ?? 0
        }
        let others = widths.dropFirst().reduce(0) { $0 + $1 + 2 }
        let name = width.map { max(8, min(widths[0], $0 - others)) } ?? widths[0]
        func row(_ cells: Cells) -> String {
            let first = cells[0].truncatedInMiddle(to: name).paddedRight(to: name)
            return zip(cells, widths).dropFirst().reduce(first) { $0 + "  " + $1.0.paddedLeft(to: $1.1) }
        }
        var lines = [style.dim(row(header))] + body.map(row)
        if finished.count > 1, let total = lines.popLast() { lines.append(style.bold(total)) }
        return lines
    }

    /// How many rows of merged tables have met with something; empty when none of the tables was merged like that.
    private static func count(_ fate: String, of outcomes: [JobOutcome]) -> String {
        let numbers = outcomes.flatMap { $0.merged?.counts ?? [] }.filter { $0.name == fate }.map(\.number)
        return numbers.isEmpty ? "" : HumanNumber.count(numbers.reduce(0, +))
    }

    /// The table's name, with the one in the backup if that is another.
    private static func name(of outcome: JobOutcome) -> String {
        let name = outcome.job.description.escapedForTerminal
        return outcome.storedName.map { "\(name) (from \($0.escapedForTerminal))" } ?? name
    }

    private func numbers(_ totals: TransferTotals, _ duration: Duration) -> Cells {
        let hasFile = totals.fileBytes > 0
        return [
            HumanNumber.count(totals.rows),
            HumanNumber.bytes(totals.bytes),
            hasFile ? HumanNumber.bytes(totals.fileBytes) : "-",
            hasFile ? HumanNumber.oneDecimal(Double(totals.bytes) / Double(totals.fileBytes)) : "-",
            HumanNumber.duration(duration),
            HumanNumber.megabytesPerSecond(totals.bytes, over: duration) ?? "-",
        ]
    }

    /// A line for each failed table.
    func failureLines(style: TextStyle) -> [String] {
        failed.map { style.red("failed") + "  " + $0.sentence.escapedForTerminal }
    }

    /// The whole run in one sentence.
    func closingSentence(style: TextStyle, page: String? = nil) -> String {
        let totals = finished.totals
        let name = kind == .backup ? "Backup" : "Restore"
        var parts = [
            HumanNumber.count(finished.count, "table"), HumanNumber.count(totals.rows, "row"),
            HumanNumber.bytes(totals.bytes),
        ]
        if definitions > 0 { parts.append(HumanNumber.count(definitions, "definition")) }
        if skipped > 0 { parts.append("\(skipped) skipped") }
        let rejected = finished.reduce(0) { $0 + ($1.rejected?.count ?? 0) }
        if rejected > 0 { parts.append(HumanNumber.count(rejected, "row") + " rejected") }
        if !failed.isEmpty { parts.append("\(failed.count) failed") }
        let counts = parts.joined(separator: ", ")
        let time = HumanNumber.duration(duration)
        if isDryRun, kind == .restore, !failed.isEmpty {
            return style.red(
                "Dry run of restore: \(HumanNumber.count(failed.count, "table")) would fail; nothing was written."
            )
        }
        if let effect, !failed.isEmpty {
            return style.red("\(name) failed: \(HumanNumber.count(failed.count, "table")) in \(time); \(effect).")
        }
        if !failed.isEmpty || rejected > 0 {
            let saved = set.map { (kind == .backup ? "; partial set " : "; set ") + $0 } ?? ""
            return style.red("\(name) finished with failures: \(counts) in \(time)\(saved).")
        }
        if isDryRun, kind == .restore {
            return "Dry run of restore: nothing was written."
        }
        if isDryRun {
            let written = page.map { "nothing was written except the page \($0)" } ?? "nothing was written"
            return "Dry run of \(kind.rawValue): \(counts) in \(time); \(written)."
        }
        return style.green("\(name) complete: \(counts) in \(time)\(set.map { "; set \($0)" } ?? "").")
    }
}
