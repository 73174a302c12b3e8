/// What is wrong with a table as the target of a load.
enum TargetRules {
    /// Compares a job with the state of its table.
    ///
    /// - Parameters:
    ///   - job: What is about to be loaded.
    ///   - target: The table's state.
    ///   - isInCycle: The table has a constraint that has to be made deferrable for the load.
    /// - Returns: The problems that were found.
    static func problems(of job: RestoreJob, _ target: TargetState, isInCycle: Bool) -> [Finding] {
        var problems: [Finding] = []
        func add(_ message: String, hint: String) {
            problems.append(.problem(message, of: job.id, hint: hint))
        }
        switch job.relation.kind {
        case .materializedView:
            add("it is a materialized view, which cannot be loaded", hint: "refresh it instead")
        case .view where job.truncate != .keep:
            add("it is a view, which cannot be truncated", hint: "truncate its tables")
        case .view where !target.hasInsteadOfTrigger:
            add("it is a view without an INSTEAD OF INSERT trigger", hint: "load its tables")
        default:
            break
        }
        if !target.canInsert {
            add("the role lacks INSERT on the table", hint: "grant it")
        }
        if job.truncate != .keep, !target.canTruncate {
            add("the role lacks TRUNCATE on the table", hint: "grant it, or drop 'truncate'")
        }
        if target.hasRowSecurity {
            add(
                job.mode.merges
                    ? "row-level security applies to the role, and rows that it hides cannot be recognized"
                    : "row-level security applies to the role, and COPY refuses that",
                hint: "connect as the table's owner or as a role with BYPASSRLS"
            )
        }
        if isInCycle, !target.isOwned {
            add(
                "it is part of a cycle of foreign keys, which are made deferrable for the load",
                hint: "connect as the table's owner, or make its constraints DEFERRABLE"
            )
        }
        return problems
    }
}
