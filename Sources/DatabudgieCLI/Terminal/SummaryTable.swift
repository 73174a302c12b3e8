import Databudgie

/// The table at the end of a run: what was transferred, and what failed.
struct SummaryTable {
    /// One line of the table, as shown.
    private typealias Cells = [String]

    private let action: RunKind
    private let finished: [TableReport]
    private let skipped: [TableLabel]
    private let failures: [String]
    private let definitions: Int
    private let duration: Duration
    private let isDryRun: Bool

    /// The table of a run that came to its end.
    init(_ report: RunReport) {
        action = report.action
        finished = report.finished
        skipped = report.skipped
        failures = report.failed.map(\.message)
        definitions = report.definitions.count
        duration = report.duration
        isDryRun = report.isDryRun
    }

    /// The table of a run that has not come to its end.
    init(_ state: RunState, duration: Duration) {
        action = state.action ?? .backup
        finished = state.finished
        skipped = state.skipped
        failures = state.failures
        definitions = 0
        self.duration = duration
        isDryRun = false
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
        let hasDefinitions = finished.contains(where: \.hasDefinition)
        let hasSequences = finished.contains { $0.sequences > 0 }
        func extras(_ definition: String, _ sequences: String) -> Cells {
            (hasDefinitions ? [definition] : []) + (hasSequences ? [sequences] : [])
        }
        let header = ["table"] + extras("DDL", "sequences") + numbersHeader
        var body = finished.map { report in
            [report.label.description.escapedForTerminal]
                + extras(report.hasDefinition ? "✓" : "", report.sequences > 0 ? "\(report.sequences)" : "")
                + numbers(TotalCounts(report.totals), report.duration)
        }
        if finished.count > 1 {
            let sequences = finished.reduce(0) { $0 + $1.sequences }
            body.append(["total"] + extras("", "\(sequences)") + numbers(TotalCounts(finished), duration))
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

    private func numbers(_ totals: TotalCounts, _ duration: Duration) -> Cells {
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

    private func failureLines(style: TextStyle) -> [String] {
        failures.map { style.red("failed") + "  " + $0.escapedForTerminal }
    }

    /// The whole run in one sentence.
    func closingSentence(style: TextStyle) -> String {
        let totals = TotalCounts(finished)
        let name = action == .backup ? "Backup" : "Restore"
        var parts = [
            HumanNumber.count(finished.count, "table"), HumanNumber.count(totals.rows, "row"),
            HumanNumber.bytes(totals.bytes),
        ]
        if definitions > 0 { parts.append(HumanNumber.count(definitions, "definition")) }
        if !skipped.isEmpty { parts.append("\(skipped.count) skipped") }
        if !failures.isEmpty { parts.append("\(failures.count) failed") }
        let counts = parts.joined(separator: ", ")
        let time = HumanNumber.duration(duration)
        if !failures.isEmpty {
            return style.red("\(name) finished with failures: \(counts) in \(time).")
        }
        if isDryRun, action == .restore {
            return "Dry run of restore: nothing was written."
        }
        if isDryRun {
            return "Dry run of \(action.rawValue): \(counts) in \(time); nothing was written."
        }
        return style.green("\(name) complete: \(counts) in \(time).")
    }
}
