import Databudgie

/// Events as single lines of text, for files, pipes and everything that is not a live display.
enum PlainLine {
    /// The line of a finished table.
    static func finished(_ report: TableReport, _ action: RunKind?, style: TextStyle) -> String {
        var line = style.cyan(report.label.description.escapedForTerminal) + ": "
        line += HumanNumber.count(report.totals.rows, "row") + ", " + HumanNumber.bytes(report.totals.bytes)
        if report.totals.fileBytes > 0, report.totals.fileBytes != report.totals.bytes {
            line += " (\(HumanNumber.bytes(report.totals.fileBytes)) as stored)"
        }
        line += " in " + HumanNumber.duration(report.duration)
        if let path = report.path {
            line += (action == .restore ? " from " : " to ") + path.escapedForTerminal
        }
        return line
    }

    /// The line that says how to go on with a run that did not come to its end.
    static func recording(_ transaction: RecordedRun, style: TextStyle) -> String {
        let action = transaction.action.rawValue
        return style.dim(
            "databudgie: recording as \(action) \(transaction.id) in \(transaction.manifest.escapedForTerminal); go on "
                + "with what is unfinished by --\(action)-id \(transaction.id)"
        )
    }

    /// The line of a table that was left out on purpose.
    static func skipped(_ label: TableLabel, reason: String, style: TextStyle) -> String {
        style.dim("\(label.description.escapedForTerminal): skipped: \(reason.escapedForTerminal)")
    }

    /// An error, in one line that says which program speaks.
    static func error(_ message: String, style: TextStyle) -> String {
        "databudgie: " + style.red("error:") + " " + message.escapedForTerminal
    }

    /// A warning, likewise.
    static func warning(_ message: String, style: TextStyle) -> String {
        "databudgie: " + style.yellow("warning:") + " " + message.escapedForTerminal
    }

    /// A detail of `--verbose`.
    static func detail(_ message: String, style: TextStyle) -> String {
        style.dim("databudgie: " + message.escapedForTerminal)
    }

    /// What the first SIGINT or SIGTERM says before the run is undone.
    static let interrupting = "databudgie: stopping; what is unfinished is undone (a second signal ends at once)."

    /// What an interrupted run leaves behind.
    static func interrupted(_ state: RunState) -> String {
        let done = HumanNumber.count(state.finished.count, "finished table")
        let kept: String
        switch (state.action, state.finished.count) {
        case (_, 0): kept = "nothing was written"
        case (.restore, 1): kept = "\(done) stays restored, the others are as they were"
        case (.restore, _): kept = "\(done) stay restored, the others are as they were"
        case (_, 1): kept = "\(done) keeps its file, nothing is left of the others"
        default: kept = "\(done) keep their files, nothing is left of the others"
        }
        return "databudgie: interrupted: \(kept)."
    }
}
