import Databudgie
import Foundation

/// What `prune` shows before it asks: which sets stay and why, what is removed, and orphans.
enum PruneTable {
    /// The lines of the table, and one line for each orphan.
    static func lines(_ plan: PrunePlan, style: TextStyle) -> [String] {
        let header = ["set", "files", "size", ""]
        let rows = plan.sets.map { set in
            [
                set.id, HumanNumber.count(set.files), HumanNumber.bytes(set.size),
                (set.isKept ? set.reasons.map(\.description).joined(separator: ", ") : "removed") + suffix(set),
            ].map(\.escapedForTerminal)
        }
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].terminalWidth }.max() ?? 0 }
        func row(_ cells: [String]) -> String {
            let columns = [
                cells[0].paddedRight(to: widths[0]), cells[1].paddedLeft(to: widths[1]),
                cells[2].paddedLeft(to: widths[2]),
            ]
            return columns.joined(separator: "  ") + (cells[3].isEmpty ? "" : "  " + cells[3])
        }
        let table = rows.isEmpty ? [] : [style.dim(row(header))] + rows.map(row)
        return table + plan.orphans.map(Self.line)
    }

    /// What would be removed, for sentences: `3 sets (90 files, 1.2 GB) and 2 orphans (12 B)`.
    static func summary(_ plan: PrunePlan) -> String {
        let sets = plan.removedSets
        var parts: [String] = []
        if !sets.isEmpty {
            let files = HumanNumber.count(sets.reduce(0) { $0 + $1.files }, "file")
            let size = HumanNumber.bytes(sets.reduce(0) { $0 + $1.size })
            parts.append("\(HumanNumber.count(sets.count, "set")) (\(files), \(size))")
        }
        if !plan.orphans.isEmpty {
            let size = HumanNumber.bytes(plan.orphans.reduce(0) { $0 + $1.size })
            parts.append("\(HumanNumber.count(plan.orphans.count, "orphan")) (\(size))")
        }
        return parts.joined(separator: " and ")
    }

    /// Complete sets are the rule, and need no word.
    private static func suffix(_ set: PrunePlan.PlannedSet) -> String {
        set.status == "complete" ? "" : " (\(set.status))"
    }

    private static func line(_ orphan: Orphan) -> String {
        let style = Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day().time(includingFractionalSeconds: false)
        let kind =
            switch orphan.kind {
            case .file: "file of no set"
            case .brokenRun: "mark of a run that broke off"
            case .temporaryFile: "temporary file"
            case .upload: "unfinished upload"
            }
        let size = HumanNumber.bytes(orphan.size)
        let text = "\(orphan.place): \(kind), \(size), last written \(orphan.modified.formatted(style))"
        return text.escapedForTerminal
    }
}
