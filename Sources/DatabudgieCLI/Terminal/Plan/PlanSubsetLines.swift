import Databudgie

/// What a plan shows of a subset: how many rows of each table, and what brought them.
struct PlanSubsetLines {
    private let plan: RunPlan

    init(_ plan: RunPlan) {
        self.plan = plan
    }

    /// Chosen and linked rows of a table, and how many it has.
    static func cells(_ rows: RunPlan.SubsetRows?) -> [String] {
        guard let rows else { return ["", "", ""] }
        return [
            HumanNumber.count(rows.chosen), rows.linked.map { HumanNumber.count($0) } ?? "all",
            rows.total.map { HumanNumber.count($0) } ?? "unknown",
        ]
    }

    /// What brought the rows, one source a line, and what costs time.
    var lines: [String] {
        let tables = plan.tables.filter { $0.subset?.sources.isEmpty == false }
        guard !tables.isEmpty else { return [] }
        var table = TextTable([("rows of the subset", .left), ("", .right), ("are there because", .left)])
        for item in tables {
            for (number, source) in (item.subset?.sources ?? []).enumerated() {
                table.add([
                    number == 0 ? item.job.description : "", source.rows.map { HumanNumber.count($0) } ?? "all",
                    Self.text(source),
                ])
            }
        }
        return table.lines
            + plan.columnsWithoutIndex.map { "no index on \($0): each pass reads the table".escapedForTerminal }
    }

    private static func text(_ source: RunPlan.SubsetSource) -> String {
        switch source.kind {
        case .start: "the subset begins with them"
        case .whole: "all rows of the table are exported"
        case .children: "\(source.reference ?? "") refers to chosen rows"
        case .parents: "\(source.reference ?? "") refers to them"
        }
    }
}
