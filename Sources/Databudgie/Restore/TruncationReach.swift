/// Whether the tables can be truncated without any that is not listed.
///
/// TRUNCATE without CASCADE is refused by the server when another table refers to a listed one. Children by inheritance
/// would be emptied with their parent, so `ONLY` is used and their rows stay.
struct TruncationReach {
    let catalog: DatabaseCatalog
    let reader: TargetStateReader

    /// - Parameter plan: What is about to be truncated and loaded.
    /// - Returns: The problems that were found.
    /// - Throws: `PostgresError`.
    func problems(of plan: RestorePlan) async throws -> [Finding] {
        try await referencingTables(plan) + childrenWithRows(plan)
    }

    private func referencingTables(_ plan: RestorePlan) -> [Finding] {
        let reach = Set(
            plan.groups.flatMap(\.truncated).flatMap { relation in
                relation.kind == .partitionedTable
                    ? [relation.oid] + catalog.descendants(of: relation.oid) : [relation.oid]
            }
        )
        return catalog.foreignKeys.compactMap { key in
            guard reach.contains(key.referenced), !reach.contains(key.referencing), !isReportedForRoot(key, reach),
                let referenced = catalog[key.referenced], let referencing = catalog[key.referencing]
            else { return nil }
            return .problem(
                "it cannot be truncated, because \(referencing.name) refers to it (constraint \(key.name)) and is not "
                    + "truncated in this restore",
                of: referenced.name.label,
                hint:
                    "restore \(referencing.name) with truncate too, drop 'truncate' for \(referenced.name), or empty both "
                    + "with 'truncate: cascade'"
            )
        }
    }

    /// The copy of a constraint at a partition is not reported again, when the original is in reach as well.
    private func isReportedForRoot(_ key: ForeignKey, _ reach: Set<Relation.OID>) -> Bool {
        guard key.isInherited else { return false }
        return catalog[key.referencing]?.isPartition == true
            || !reach.isDisjoint(with: catalog.lineage(of: key.referenced).dropFirst())
    }

    private func childrenWithRows(_ plan: RestorePlan) async throws -> [Finding] {
        let listed = Set(plan.jobs.map(\.relation.oid))
        var problems: [Finding] = []
        for job in plan.jobs where job.truncate != .keep && job.relation.kind == .table {
            for child in catalog.descendants(of: job.relation.oid).compactMap({ catalog[$0] })
            where !listed.contains(child.oid) {
                guard child.isReadable else {
                    problems.append(
                        .problem(
                            "it cannot be truncated alone: whether its child \(child.name) is empty cannot be checked",
                            of: job.id,
                            hint: "grant the role SELECT on \(child.name)"
                        )
                    )
                    continue
                }
                guard try await reader.hasRows(child) else { continue }
                problems.append(
                    .problem(
                        "it cannot be truncated alone, because its child \(child.name) has rows that would stay",
                        of: job.id,
                        hint: "list \(child.name) too, or empty it"
                    )
                )
            }
        }
        return problems
    }
}
