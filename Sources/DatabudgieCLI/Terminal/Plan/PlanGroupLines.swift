import Databudgie

/// What is said of a group of tables that is more than the load of one table.
struct PlanGroupLines {
    private let plan: RunPlan
    private let group: RunPlan.Group

    /// Describes a group of a plan.
    init(_ plan: RunPlan, _ group: RunPlan.Group) {
        (self.plan, self.group) = (plan, group)
    }

    /// The lines; none for a table that is loaded on its own.
    func lines(_ names: NameList) -> [String] {
        let isAlone = group.tables.count == 1 && group.cascaded.isEmpty && group.emptyReferrers.isEmpty
        guard !isAlone || !group.deferredKeys.isEmpty else { return [] }
        let bonds = group.bonds.map { "together: \($0)" }
        let shown =
            names.isVerbose || bonds.count <= 4
            ? bonds : Array(bonds.prefix(3)) + ["and \(bonds.count - 3) more reasons"]
        let reasons = Dictionary(grouping: group.reach, by: \.table)
        func reason(_ table: String) -> String {
            reasons[table].map { keys in
                ", because \(names.text(keys.map(\.key.description))) \(keys.count == 1 ? "refers" : "refer") to "
                    + names.text(keys.map(\.referenced))
            } ?? ""
        }
        let details =
            shown
            + (group.truncated.isEmpty ? [] : ["TRUNCATE names \(names.text(group.truncated))"])
            + group.cascaded.map { "also empties \($0)\(reason($0))" }
            + group.emptyReferrers.map { "\($0) has to be empty\(reason($0))" }
            + (group.deferredKeys.isEmpty
                ? [] : ["checked at its end: \(names.text(group.deferredKeys.map(\.description)))"])
            + (group.references.isEmpty
                ? [] : ["after \(names.text(group.references.map { "group \($0 + 1)" })), and only if that succeeds"])
        let title = "group \(group.number + 1): \(names.text(group.tables.map(\.description)))"
        return ([title] + details.map { "  " + $0 }).map(\.escapedForTerminal)
    }
}
