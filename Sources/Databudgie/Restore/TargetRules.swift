/// What is wrong with a table as the target of a load.
enum TargetRules {
    /// Compares a job with the state of its table.
    ///
    /// - Parameters:
    ///   - job: What is about to be loaded.
    ///   - target: The table's state.
    ///   - isInCycle: The table has a constraint that has to be made deferrable for the load.
    /// - Returns: A sentence for each problem.
    static func problems(of job: RestoreJob, _ target: TargetState, isInCycle: Bool) -> [String] {
        var problems: [String] = []
        switch job.relation.kind {
        case .materializedView:
            problems.append("\(job.label) is a materialized view, which cannot be loaded; refresh it instead.")
        case .view where job.truncate != .keep:
            problems.append("\(job.label) is a view, which cannot be truncated; truncate its tables.")
        case .view where !target.hasInsteadOfTrigger:
            problems.append("\(job.label) is a view without an INSTEAD OF INSERT trigger; load its tables.")
        default:
            break
        }
        if !target.mayInsert {
            problems.append("\(job.label): the role may not insert rows; grant it INSERT on the table.")
        }
        if job.truncate != .keep, !target.mayTruncate {
            problems.append("\(job.label): the role may not truncate; grant it TRUNCATE on the table.")
        }
        if target.hasRowSecurity {
            problems.append(
                "\(job.label): row-level security applies to the role, and COPY refuses that; connect as the table's "
                    + "owner or as a role with BYPASSRLS."
            )
        }
        if isInCycle, !target.isOwned {
            problems.append(
                "\(job.label) is part of a cycle of foreign keys, which are made deferrable for the load; connect as "
                    + "the table's owner, or make its constraints DEFERRABLE."
            )
        }
        return problems
    }
}
