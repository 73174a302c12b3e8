extension LockBudget {
    /// A deliberately high estimate for running definitions in one transaction.
    ///
    /// - Parameters:
    ///   - definitions: What is run.
    ///   - dropped: How many tables are dropped.
    /// - Returns: A number of locks.
    static func estimate(_ definitions: some Sequence<StoredDefinition>, dropped: Int) -> Int {
        definitions.reduce(dropped * 6) { sum, stored in
            switch stored.definition.type {
            // With TOAST table and index, and what its columns and defaults refer to.
            case "TABLE", "MATERIALIZED VIEW": sum + 5
            case "SEQUENCE", "CONSTRAINT", "FK CONSTRAINT", "INDEX": sum + 2
            // Each of its members.
            case "EXTENSION": sum + 300
            case "COMMENT", "ACL", "OWNER": sum
            default: sum + 1
            }
        }
    }

    /// An estimate for emptying and loading tables in one transaction.
    ///
    /// - Parameter plan: What is loaded.
    /// - Returns: A number of locks: on each table, its indexes and TOAST table, and one of ours.
    static func estimate(_ plan: RestorePlan) -> Int {
        plan.groups.reduce(0) { sum, group in
            sum + 5 * Set(group.jobs.map(\.relation.oid) + group.truncated.map(\.oid)).count
        }
    }

    /// Why `transaction: all` is not possible.
    ///
    /// - Parameter estimate: How many locks it needs.
    /// - Returns: The error to throw.
    static func refusal(of estimate: Int) -> DatabudgieError {
        DatabudgieError(
            .preflight,
            "restoring everything in one transaction needs about \(estimate) locks, more than the server has",
            hint: "raise max_locks_per_transaction, restore fewer tables at once, or set 'transaction: group'"
        )
    }
}
