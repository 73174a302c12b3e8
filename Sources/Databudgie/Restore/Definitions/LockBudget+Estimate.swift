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
}
