/// Whether the tables to be truncated can be, without one that is not listed.
///
/// TRUNCATE without CASCADE is refused by the server when another table refers to a listed one. Children by inheritance
/// would be emptied with their parent, so that `ONLY` is used and their rows stay.
struct TruncationReach {
    let catalog: DatabaseCatalog
    let reader: TargetStateReader

    /// - Parameter plan: What is about to be truncated and loaded.
    /// - Returns: A sentence for each problem.
    /// - Throws: `PostgresError`.
    func problems(of plan: RestorePlan) async throws -> [String] {
        try await referencingTables(plan) + childrenWithRows(plan)
    }

    private func referencingTables(_ plan: RestorePlan) -> [String] {
        let reach = Set(
            plan.groups.flatMap(\.truncated).flatMap { relation in
                relation.kind == .partitionedTable
                    ? [relation.oid] + catalog.descendants(of: relation.oid) : [relation.oid]
            }
        )
        return catalog.foreignKeys.compactMap { key in
            guard reach.contains(key.referenced), !reach.contains(key.referencing), !isToldOfRoot(key, reach),
                let referenced = catalog[key.referenced], let referencing = catalog[key.referencing]
            else { return nil }
            return
                "\(referenced.name) cannot be truncated, as \(referencing.name) refers to it (constraint \(key.name)) "
                + "and is not truncated in this restore; restore \(referencing.name) with truncate too, leave "
                + "truncate out for \(referenced.name), or have both emptied by 'truncate: cascade'."
        }
    }

    /// The copy of a constraint at a partition says what the original says, where that is in reach as well.
    private func isToldOfRoot(_ key: ForeignKey, _ reach: Set<Relation.OID>) -> Bool {
        guard key.isInherited else { return false }
        return catalog[key.referencing]?.isPartition == true
            || !reach.isDisjoint(with: catalog.lineage(of: key.referenced).dropFirst())
    }

    private func childrenWithRows(_ plan: RestorePlan) async throws -> [String] {
        let listed = Set(plan.jobs.map(\.relation.oid))
        var problems: [String] = []
        for job in plan.jobs where job.truncate != .keep && job.relation.kind == .table {
            for child in catalog.descendants(of: job.relation.oid).compactMap({ catalog[$0] })
            where !listed.contains(child.oid) {
                guard child.isReadable else {
                    problems.append(
                        "\(job.label) cannot be truncated alone, as it is not known whether its child \(child.name) is "
                            + "empty; grant the role SELECT on it."
                    )
                    continue
                }
                guard try await reader.hasRows(child) else { continue }
                problems.append(
                    "\(job.label) cannot be truncated alone, as its child \(child.name) has rows that would stay; "
                        + "list \(child.name) too, or empty it."
                )
            }
        }
        return problems
    }
}
