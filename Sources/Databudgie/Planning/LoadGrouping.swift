/// Groups the jobs of a restore by what has to land together.
struct LoadGrouping {
    let catalog: DatabaseCatalog

    /// Finds the smallest groups for which one transaction each is enough.
    ///
    /// Together go: jobs for the same table; tables that refer to one another in a cycle; a table that is truncated and
    /// those that refer to it, directly or through others, because the server truncates them in one command only; and
    /// whatever is between two members of a group, so that the groups themselves can be ordered.
    /// - Parameters:
    ///   - jobs: In order of appearance.
    ///   - missing: Tables without a file, which fail what has to land with them.
    /// - Returns: The groups, referenced ones first.
    func groups(of jobs: [RestoreJob], missing: [MissingLoad] = []) -> [LoadGroup] {
        let tables =
            jobs.map { Table(relation: $0.relation, truncate: $0.truncate) }
            + missing.map { Table(relation: $0.relation, truncate: $0.truncate) }
        let references = JobOrder(catalog: catalog).references(between: tables.map(\.relation.oid))
        let components = DependencyOrder.components(count: tables.count, references: references)
        var union = BoundJobs(count: tables.count)
        for component in components { union.join(component, .cycle) }
        for (job, referenced) in references.enumerated() {
            for other in referenced where tables[other].truncate != .keep { union.join([job, other], .truncation) }
        }
        joinFamilies(tables, &union)
        let cascade = CascadeReach(catalog: catalog)
        joinCascades(tables, cascade, &union)
        let positions = Dictionary(
            uniqueKeysWithValues: components.flatMap { $0 }.enumerated().map { ($0.element, $0.offset) }
        )
        let cycles = components.filter { $0.count > 1 }
        let ordered = ordered(&union, references)
        let numbers = Dictionary(
            uniqueKeysWithValues: ordered.enumerated().flatMap { number, members in members.map { ($0, number) } }
        )
        let bonds = Dictionary(grouping: union.bonds) { numbers[$0.members[0], default: 0] }
        return ordered.enumerated().map { number, members in
            let members = members.sorted { positions[$0, default: 0] < positions[$1, default: 0] }
            let listed = members.map { tables[$0] }.filter { $0.truncate != .keep }
            let names = Set(listed.map(\.relation.oid))
            let reached = cascade.tables(from: listed.filter { $0.truncate == .cascade }.map(\.relation.oid))
            let announced = Set(names.flatMap(cascade.withPartitions))
            let emptied = truncated(names.union(reached)).map(\.oid)
            let referrers = cascade.tables(from: emptied).subtracting(emptied.flatMap(cascade.withPartitions))
            let referenced = Set(members.flatMap { references[$0] }.compactMap { numbers[$0] })
            return LoadGroup(
                number: number,
                jobs: members.filter { $0 < jobs.count }.map { jobs[$0] },
                missing: members.filter { $0 >= jobs.count }.map { missing[$0 - jobs.count] },
                truncated: truncated(names.union(reached).union(referrers)),
                cascaded: truncated(reached.subtracting(announced)),
                emptyReferrers: truncated(referrers),
                deferredKeys: deferredKeys(
                    cycles.filter { members.contains($0[0]) }
                        // Batch after batch: a row may refer to one that comes in a later batch.
                        + members.filter { $0 < jobs.count && jobs[$0].maxRejects > 0 }.map { [$0] },
                    tables
                ),
                references: referenced.subtracting([number]),
                bonds: bonds[number, default: []].map { bond in
                    LoadBond(kind: bond.kind, tables: bond.members.map { tables[$0].relation.name.label })
                }
            )
        }
    }

    /// What decides which tables belong together.
    private struct Table {
        let relation: Relation
        let truncate: TruncateMode
    }

    /// Jobs for one table, or for a table and its parent or child, would truncate one another's rows.
    private func joinFamilies(_ jobs: [Table], _ union: inout BoundJobs) {
        var owners: [Relation.OID: Int] = [:]
        for (job, item) in jobs.enumerated() {
            if let owner = owners[item.relation.oid] {
                union.join([owner, job], .oneTable)
            } else {
                owners[item.relation.oid] = job
            }
        }
        for (job, item) in jobs.enumerated() {
            for ancestor in catalog.lineage(of: item.relation.oid).dropFirst() {
                if let owner = owners[ancestor] { union.join([job, owner], .family) }
            }
        }
    }

    /// What is truncated along with a table has to be loaded after it, in the same transaction.
    private func joinCascades(_ jobs: [Table], _ cascade: CascadeReach, _ union: inout BoundJobs) {
        guard jobs.contains(where: { $0.truncate != .keep }) else { return }
        var carriers: [Relation.OID: [Int]] = [:]
        for (job, item) in jobs.enumerated() {
            for oid in Set(catalog.family(of: item.relation.oid)) { carriers[oid, default: []].append(job) }
        }
        // What refers to another truncated table is found from there.
        let truncated = Set(
            jobs.filter { $0.truncate == .truncate }.flatMap { cascade.withPartitions($0.relation.oid) }
        )
        for (job, item) in jobs.enumerated() where item.truncate != .keep {
            for oid in cascade.tables(from: [item.relation.oid], until: item.truncate == .cascade ? [] : truncated) {
                for other in carriers[oid, default: []] { union.join([other, job], .reach) }
            }
        }
    }

    /// The groups, referenced ones first; groups that refer to one another become one.
    private func ordered(_ union: inout BoundJobs, _ references: [[Int]]) -> [[Int]] {
        var numbers: [Int: Int] = [:]
        var members: [[Int]] = []
        for job in references.indices {
            let root = union.root(of: job)
            if let number = numbers[root] {
                members[number].append(job)
            } else {
                numbers[root] = members.count
                members.append([job])
            }
        }
        var groupReferences: [Set<Int>] = Array(repeating: [], count: members.count)
        for (job, referenced) in references.enumerated() {
            guard let group = numbers[union.root(of: job)] else { continue }
            groupReferences[group].formUnion(referenced.compactMap { numbers[union.root(of: $0)] })
        }
        let components = DependencyOrder.components(
            count: members.count,
            references: groupReferences.enumerated().map { $1.subtracting([$0]).sorted() }
        )
        for component in components { union.join(component.map { members[$0][0] }, .interlocked) }
        return components.map { component in component.flatMap { members[$0] }.sorted() }
    }

    /// The tables that the group truncates; a partitioned table stands for its partitions when all of them are listed.
    ///
    /// The server refuses to truncate partitions one by one when a foreign key points to their root, even when every
    /// table concerned is named in the command.
    private func truncated(_ listed: Set<Relation.OID>) -> [Relation] {
        func isTruncatedWhole(_ oid: Relation.OID) -> Bool {
            guard !listed.contains(oid) else { return true }
            guard let relation = catalog[oid], relation.kind == .partitionedTable, !relation.children.isEmpty else {
                return false
            }
            return relation.children.allSatisfy(isTruncatedWhole)
        }
        var seen: Set<Relation.OID> = []
        return listed.sorted().compactMap { oid in
            let isPartition = catalog[oid]?.isPartition == true
            let top = isPartition ? catalog.lineage(of: oid).last(where: isTruncatedWhole) ?? oid : oid
            return seen.insert(top).inserted ? catalog[top] : nil
        }
    }

    /// The constraints inside cycles, or inside one table of which rows may be rejected, that are to be checked at the end.
    private func deferredKeys(_ cycles: [[Int]], _ jobs: [Table]) -> [ForeignKey] {
        let families = cycles.map { cycle in Set(cycle.flatMap { catalog.family(of: jobs[$0].relation.oid) }) }
        guard !families.isEmpty else { return [] }
        return catalog.foreignKeys.filter { key in
            !key.isInherited && families.contains { $0.contains(key.referencing) && $0.contains(key.referenced) }
        }
    }
}
