import Databudgie

/// The table of a restore's dry run: which file each table would be loaded from, and how many sequences would be set.
enum PlanTable {
    /// The lines of the table; nothing when there is no table.
    static func lines(_ planned: [PlannedJob], style: TextStyle) -> [String] {
        guard !planned.isEmpty else { return [] }
        let width = planned.map(\.job.description.escapedForTerminal.terminalWidth).reduce("table".terminalWidth, max)
        let hasSequences = planned.contains { $0.sequences > 0 }
        func line(_ table: String, _ sequences: String, _ file: String) -> String {
            table.paddedRight(to: width) + (hasSequences ? "  " + sequences.paddedLeft(to: 9) : "") + "  " + file
        }
        return [style.dim(line("table", "sequences", "file"))]
            + planned.map { planned in
                line(
                    planned.job.description.escapedForTerminal,
                    planned.sequences > 0 ? "\(planned.sequences)" : "",
                    planned.location.escapedForTerminal
                        + (planned.storedName.map { " (\($0.escapedForTerminal))" } ?? "")
                )
            }
    }
}
