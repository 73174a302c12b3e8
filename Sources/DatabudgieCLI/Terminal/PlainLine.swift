import Databudgie

/// Events as lines of text, for files, pipes and everything that is not a live display.
///
/// An error or a warning is what happened, without a capital and a full stop, and below it a hint where there is one:
///
///     databudgie: error: public.sales: the role lacks TRUNCATE on the table
///       hint: grant it, or drop 'truncate'
enum PlainLine {
    /// The line of a finished table.
    static func finished(_ outcome: JobOutcome, _ kind: RunKind?, style: TextStyle) -> String {
        let totals = outcome.totals
        var line = style.cyan(outcome.job.description.escapedForTerminal) + ": "
        line += HumanNumber.count(totals.rows, "row")
        if let merged = outcome.merged {
            line +=
                " (" + merged.counts.map { "\(HumanNumber.count($0.number)) \($0.name)" }.joined(separator: ", ") + ")"
        }
        line += ", " + HumanNumber.bytes(totals.bytes)
        if totals.fileBytes > 0, totals.fileBytes != totals.bytes {
            line += " (\(HumanNumber.bytes(totals.fileBytes)) as stored)"
        }
        if let rejected = outcome.rejected { line += ", " + HumanNumber.count(rejected.count, "row") + " rejected" }
        line += " in " + HumanNumber.duration(outcome.duration)
        if let path = outcome.path {
            line += (kind == .backup ? " to " : " from ") + path.escapedForTerminal
        }
        if let name = outcome.storedName { line += ", where it is \(name.escapedForTerminal)" }
        return line
    }

    /// The line that says how to resume a run that does not come to its end.
    static func recording(_ run: RecordedRun, style: TextStyle) -> String {
        let kind = run.kind.rawValue
        return style.dim(
            note(
                "recording this run as \(kind) \(run.id) in \(run.manifest); "
                    + "resume it with --\(kind)-id \(run.id)"
            )
        )
    }

    /// The line that names the set whose files are restored.
    static func restoring(_ set: RestoredSet, style: TextStyle) -> String {
        let age = set.age.map { HumanNumber.age($0.inSeconds) + " old, " } ?? ""
        return note("restoring the set \(set.id) (\(age)\(HumanNumber.count(set.tables, "table")))")
    }

    /// The line that says whose SQL is about to be run.
    static func runningDefinitions(_ source: DefinitionSource, style: TextStyle) -> String {
        let role = source.role + (source.isSuperuser ? " (superuser)" : "")
        return style.dim(
            note(
                "running the definitions in \(source.locations.joined(separator: ", ")) as \(role)"
            )
        )
    }

    /// The line of a table that was skipped on purpose.
    static func skipped(_ skipped: SkippedJob, style: TextStyle) -> String {
        style.dim("\(skipped.job.description.escapedForTerminal): skipped: \(skipped.reason.escapedForTerminal)")
    }

    /// An error, after the program's name.
    static func error(_ message: Message, style: TextStyle) -> String {
        lines(style.red("error:"), message)
    }

    /// A warning, likewise.
    static func warning(_ message: Message, style: TextStyle) -> String {
        lines(style.yellow("warning:"), message)
    }

    /// A detail of `--verbose`.
    static func detail(_ message: Message, style: TextStyle) -> String {
        style.dim(note(message.text + (message.hint.map { "; \($0)" } ?? "")))
    }

    /// Anything else that the program says.
    static func note(_ text: String) -> String {
        "databudgie: " + text.escapedForTerminal
    }

    /// What the first SIGINT or SIGTERM says before the run is undone.
    static let interrupting = note("interrupted: cleaning up (press Ctrl-C again to quit immediately)")

    /// What an interrupted run leaves behind.
    static func interrupted(_ remains: RunRemains) -> String {
        note("interrupted: \(remains.sentenceOfInterruption)")
    }

    private static func lines(_ label: String, _ message: Message) -> String {
        "databudgie: \(label) \(message.text.escapedForTerminal)"
            + (message.hint.map { "\n  hint: \($0.escapedForTerminal)" } ?? "")
    }
}

extension MergedRows {
    /// The counts that there are, each with what became of the rows.
    var counts: [(name: String, number: Int)] {
        [("inserted", inserted), ("updated", updated), ("unchanged", unchanged), ("skipped", skipped)]
            .compactMap { name, number in number.map { (name, $0) } }
    }
}
