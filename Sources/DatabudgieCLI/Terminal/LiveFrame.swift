import Databudgie

/// One picture of the live display: a line per running table and a line with the total.
enum LiveFrame {
    private static let barWidth = 20
    private static let rowsWidth = 18
    private static let bytesWidth = 9
    private static let rateWidth = 11

    /// The lines of the picture, each at most `width` columns wide.
    ///
    /// - Parameters:
    ///   - state: The run so far.
    ///   - time: Time since the run began.
    ///   - width: Columns of the terminal.
    ///   - height: Lines of the terminal; when more tables run than fit, the rest are counted in one line.
    ///   - style: Colours, or none.
    /// - Returns: The picture from top to bottom; at least the line with the total.
    static func lines(_ state: RunState, at time: Duration, width: Int, height: Int, style: TextStyle) -> [String] {
        // The cursor is below the last line; one more is kept for the line that counts the rest.
        let room = max(1, height - 3)
        let shown = state.running.prefix(room)
        let names = shown.map { $0.job.description.escapedForTerminal }
        let longestName = (names + [totalName(state)]).map(\.terminalWidth).max() ?? 0
        let columns = Columns(width: width, longestName: longestName)
        var lines: [String] = []
        for (table, name) in zip(shown, names) {
            let elapsed = time - table.startedAt
            lines.append(
                line(
                    style.cyan(name.truncatedInMiddle(to: columns.name).paddedRight(to: columns.name)),
                    bar: bar(table, style: style),
                    table.totals,
                    elapsed: elapsed,
                    columns,
                    tail: ""
                )
            )
        }
        if state.running.count > shown.count {
            lines.append(style.dim("and \(state.running.count - shown.count) more".prefixFitting(width)))
        }
        lines.append(
            line(
                style.bold(totalName(state).truncatedInMiddle(to: columns.name).paddedRight(to: columns.name)),
                bar: String(repeating: " ", count: barWidth + 5),
                state.totals,
                elapsed: time,
                columns,
                tail: HumanNumber.clock(time)
            )
        )
        return lines
    }

    private static func totalName(_ state: RunState) -> String {
        let done = state.finished.count + state.skipped.count + state.failed.count
        guard state.failed.isEmpty else {
            return "\(done) of \(HumanNumber.count(state.total, "table")), \(state.failed.count) failed"
        }
        return "\(done) of \(HumanNumber.count(state.total, "table"))"
    }

    /// How the line is shared out; what does not fit on a narrow terminal is omitted, least important first.
    private struct Columns {
        var hasClock = true
        var hasBar = true
        var hasRate = true
        var hasRows = true
        let name: Int

        init(width: Int, longestName: Int) {
            let least = min(longestName, 12)
            var rest = width - (2 + bytesWidth)
            func fits(_ columns: Int) -> Bool { rest - columns >= least }
            hasRows = fits(2 + rowsWidth)
            if hasRows { rest -= 2 + rowsWidth }
            hasRate = hasRows && fits(2 + rateWidth)
            if hasRate { rest -= 2 + rateWidth }
            hasClock = hasRate && fits(2 + 8)
            if hasClock { rest -= 2 + 8 }
            hasBar = hasClock && rest - (2 + barWidth + 5) >= min(longestName, 24)
            if hasBar { rest -= 2 + barWidth + 5 }
            name = max(0, min(longestName, rest))
        }
    }

    private static func line(
        _ name: String,
        bar: String,
        _ totals: TransferTotals,
        elapsed: Duration,
        _ columns: Columns,
        tail: String
    ) -> String {
        var parts = [name]
        if columns.hasBar { parts.append(bar) }
        if columns.hasRows {
            // A load learns its rows from the server, and only at its end.
            let isUnknown = totals.rows == 0 && totals.bytes > 0
            parts.append((isUnknown ? "" : HumanNumber.count(totals.rows, "row")).paddedLeft(to: rowsWidth))
        }
        parts.append(HumanNumber.bytes(totals.bytes).paddedLeft(to: bytesWidth))
        if columns.hasRate {
            let rate = HumanNumber.megabytesPerSecond(totals.bytes, over: elapsed).map { "\($0) MB/s" } ?? ""
            parts.append(rate.paddedLeft(to: rateWidth))
        }
        if columns.hasClock, !tail.isEmpty { parts.append(tail.paddedLeft(to: 8)) }
        let line = parts.joined(separator: "  ")
        return String(line.reversed().drop { $0 == " " }.reversed())
    }

    /// A bar with its percentage, or blanks where nothing is known of the table's size.
    private static func bar(_ table: RunState.RunningJob, style: TextStyle) -> String {
        guard let estimate = table.estimatedRows, estimate > 0 else {
            return String(repeating: " ", count: barWidth + 5)
        }
        // Statistics may be old: more rows than expected is not more than nearly everything.
        let share = min(0.99, Double(table.totals.rows) / Double(estimate))
        let filled = Int(share * Double(barWidth))
        let bar =
            style.green(String(repeating: "█", count: filled))
            + style.dim(String(repeating: "░", count: barWidth - filled))
        return bar + " " + "\(Int(share * 100))%".paddedLeft(to: 4)
    }
}
