import Postgres

/// Decides whether a whole-table export of an inheritance parent reads the rows of its children.
///
/// A child that is a job of the same run exports its own rows, so the parent exports only its own (`ONLY`); otherwise rows
/// would be exported twice. Partitions do not matter here: their rows are always exported with the root.
struct InheritanceRule {
    let catalog: DatabaseCatalog
    /// The tables of all jobs of the run.
    let jobs: Set<Relation.OID>

    /// Whether a whole-table query of this relation reads its own rows alone, because children have jobs of their own.
    func isOnly(_ relation: Relation) -> Bool {
        relation.kind == .table && !relation.children.isEmpty
            && !jobs.isDisjoint(with: catalog.descendants(of: relation.oid))
    }

    /// The children whose rows come with those of a parent that a query of the user's reads, and again by jobs of their own.
    ///
    /// - Parameters:
    ///   - relation: The parent.
    ///   - place: Where its entry is.
    /// - Returns: A warning that names them.
    func childrenTwice(_ relation: Relation, _ place: String) -> [Finding] {
        guard isOnly(relation) else { return [] }
        let children = catalog.descendants(of: relation.oid).filter(jobs.contains).compactMap { catalog[$0]?.name }
        return [
            .warning(
                "its query also reads the tables that inherit from it, of which "
                    + "\(children.map(\.description).joined(separator: ", ")) "
                    + "\(children.count == 1 ? "is" : "are") exported on \(children.count == 1 ? "its" : "their") own: "
                    + "those rows are exported twice",
                of: relation.name,
                hint: "write 'from only {table}' (\(place))"
            )
        ]
    }

    /// The children whose rows no job exports.
    ///
    /// - Parameters:
    ///   - relation: A job's table; nil for a job without one.
    ///   - isWhole: The job exports all rows of the table.
    /// - Returns: A warning for each child.
    func findings(_ relation: Relation?, isWhole: Bool) -> [Finding] {
        guard let relation, isWhole, isOnly(relation) else { return [] }
        return catalog.descendants(of: relation.oid).compactMap { child in
            // A job of its own, or of a parent between the two, exports the child's rows.
            let between = catalog.lineage(of: child).prefix { $0 != relation.oid }
            guard jobs.isDisjoint(with: between), let name = catalog[child]?.name else { return nil }
            return .warning(
                "it is exported without its children, because some of them are exported on their own; \(name) is not "
                    + "among them, so its rows are not exported",
                of: relation.name
            )
        }
    }
}
