import Postgres

/// Whether the tables can be truncated without losing a row of any that is not listed.
///
/// TRUNCATE without CASCADE is refused by the server when another table refers to a listed one and is not named as well:
/// it is named when it has no rows. Children by inheritance would be emptied with their parent, so `ONLY` is used and their
/// rows stay.
struct TruncationReach {
    let catalog: DatabaseCatalog
    let reader: TargetStateReader
    let states: [Relation.OID: TargetState]

    /// - Parameter plan: What is about to be truncated and loaded.
    /// - Returns: The problems that were found.
    /// - Throws: `PostgresError`.
    func problems(of plan: RestorePlan) async throws -> [Finding] {
        var problems: [Finding] = []
        for group in plan.groups {
            for referrer in group.emptyReferrers {
                guard let obstacle = try await obstacle(referrer) else { continue }
                problems += refusals(of: referrer, obstacle, in: group)
            }
        }
        return problems + (try await childrenWithRows(plan))
    }

    /// Why a table that refers to a truncated one cannot be truncated along with it.
    private struct Obstacle {
        let reason: String
        /// What to do, for the name of the table that is to be truncated.
        let hint: (String) -> String
    }

    private func obstacle(_ referrer: Relation) async throws -> Obstacle? {
        let name = referrer.name
        let state = states[referrer.oid]
        guard referrer.isReadable, state?.hasRowSecurity == false else {
            return Obstacle(reason: "and whether that table is empty cannot be checked") { _ in
                "grant the role SELECT on \(name), without policies that apply to it"
            }
        }
        if try await reader.hasRows(referrer) {
            return Obstacle(reason: "has rows, and is not truncated in this restore") { table in
                "restore \(name) with truncate too, drop 'truncate' for \(table), or empty both with 'truncate: cascade'"
            }
        }
        guard state?.canTruncate == false else { return nil }
        return Obstacle(reason: "and the role lacks TRUNCATE on that table") { _ in "grant it, or drop 'truncate'" }
    }

    private func refusals(of referrer: Relation, _ obstacle: Obstacle, in group: LoadGroup) -> [Finding] {
        let cascade = CascadeReach(catalog: catalog)
        let along = Set(group.emptyReferrers.flatMap { cascade.withPartitions($0.oid) })
        let origins = Set(group.truncated.flatMap { cascade.withPartitions($0.oid) }).subtracting(along)
        let own = Set(cascade.withPartitions(referrer.oid))
        func refusal(_ referenced: Relation.OID, _ way: String) -> Finding? {
            guard let table = catalog[referenced]?.name else { return nil }
            return .problem(
                "it cannot be truncated, because \(referrer.name) refers to it (\(way)), \(obstacle.reason)",
                of: table.label,
                hint: obstacle.hint(table.description)
            )
        }
        let keys = catalog.foreignKeys.filter {
            own.contains($0.referencing) && origins.contains($0.referenced) && !isReportedForRoot($0, origins)
        }
        guard keys.isEmpty else { return keys.compactMap { refusal($0.referenced, "constraint \($0.name)") } }
        let path = cascade.path(to: referrer.oid, from: origins)
        let between = path.dropLast().compactMap { catalog[$0.referencing]?.name.description }.joined(separator: ", ")
        return path.first.flatMap { refusal($0.referenced, "by way of \(between)") }.map { [$0] } ?? []
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
