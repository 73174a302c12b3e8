import Postgres

/// Decides whether a whole-table export of an inheritance parent reads the rows of its children.
///
/// A child that is a job of the same run exports its own rows, so that the parent then exports its own with `ONLY`, or
/// rows would come twice. Partitions are no matter here: their rows always come with the root.
struct InheritanceRule {
    let catalog: DatabaseCatalog
    /// The tables of all jobs of the run.
    let jobs: Set<Relation.OID>

    /// What a whole-table query of this relation selects from.
    ///
    /// - Parameters:
    ///   - relation: The job's table.
    ///   - warnings: Receives a sentence for each child whose rows are then exported by nobody.
    /// - Returns: The quoted name, with `only` before it where children have jobs of their own.
    func source(of relation: Relation, warnings: inout [String]) -> String {
        guard relation.kind == .table, !relation.children.isEmpty else { return relation.name.quoted }
        let children = catalog.descendants(of: relation.oid)
        guard !jobs.isDisjoint(with: children) else { return relation.name.quoted }
        for child in children {
            // A job of its own, or of a parent between the two, exports the child's rows.
            let between = catalog.lineage(of: child).prefix { $0 != relation.oid }
            guard jobs.isDisjoint(with: between) else { continue }
            guard let name = catalog[child]?.name else { continue }
            warnings.append(
                "\(relation.name) is exported without its children, as some of them are exported on their own; "
                    + "\(name) is not among them, so that its rows are left out."
            )
        }
        return "only " + relation.name.quoted
    }
}
