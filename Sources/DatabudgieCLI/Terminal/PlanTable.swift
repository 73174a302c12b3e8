import Databudgie

/// The table of a restore's dry run: which file each table would be loaded from.
enum PlanTable {
    /// The lines of the table; nothing when there is no table.
    static func lines(_ planned: [PlannedTable], style: TextStyle) -> [String] {
        guard !planned.isEmpty else { return [] }
        let rows = planned.map { ($0.label.description.escapedForTerminal, $0.location.escapedForTerminal) }
        let width = rows.map(\.0.terminalWidth).reduce("table".terminalWidth, max)
        return [style.dim("table".paddedRight(to: width) + "  file")]
            + rows.map { $0.0.paddedRight(to: width) + "  " + $0.1 }
    }
}
