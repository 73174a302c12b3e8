/// The tables that have to be truncated with others, because they refer to them: those that `truncate: cascade` empties,
/// and those that have no rows.
///
/// They are named in the command instead of CASCADE, so no table is emptied that was not announced: when a foreign
/// key is added meanwhile, the server refuses the command.
struct CascadeReach {
    private let catalog: DatabaseCatalog
    private let referrers: [Relation.OID: [ForeignKey]]

    init(catalog: DatabaseCatalog) {
        self.catalog = catalog
        referrers = Dictionary(grouping: catalog.foreignKeys, by: \.referenced)
    }

    /// Follows foreign keys against their direction until nothing new is found.
    ///
    /// - Parameters:
    ///   - origins: Tables that are truncated.
    ///   - ends: Tables whose own referrers are not followed.
    /// - Returns: The tables that refer to them, directly or through others, partitions and the origins' own among them.
    func tables(from origins: [Relation.OID], until ends: Set<Relation.OID> = []) -> Set<Relation.OID> {
        var found = origins.flatMap(withPartitions)
        var seen = Set(found)
        let first = seen
        var index = 0
        while index < found.count {
            guard first.contains(found[index]) || !ends.contains(found[index]) else {
                index += 1
                continue
            }
            for key in referrers[found[index], default: []] {
                found += withPartitions(key.referencing).filter { seen.insert($0).inserted }
            }
            index += 1
        }
        return seen
    }

    /// The shortest way by which one table refers to others.
    ///
    /// - Parameters:
    ///   - target: The table, or partitioned table.
    ///   - origins: Tables that are truncated.
    /// - Returns: Foreign keys, from the one that points to an origin to the one of the target; empty when there is no way.
    func path(to target: Relation.OID, from origins: Set<Relation.OID>) -> [ForeignKey] {
        let targets = Set(withPartitions(target))
        var found = origins.sorted()
        var arrivals: [Relation.OID: ForeignKey] = [:]
        var index = 0
        while index < found.count {
            for key in referrers[found[index], default: []] {
                for oid in withPartitions(key.referencing) where !origins.contains(oid) && arrivals[oid] == nil {
                    arrivals[oid] = key
                    found.append(oid)
                }
            }
            index += 1
        }
        var path: [ForeignKey] = []
        var current = found.first(where: targets.contains)
        while let oid = current, let key = arrivals[oid] {
            path.insert(key, at: 0)
            current = key.referenced
        }
        return path
    }

    /// A table and, when it is partitioned, all of its partitions.
    func withPartitions(_ oid: Relation.OID) -> [Relation.OID] {
        catalog[oid]?.kind == .partitionedTable ? [oid] + catalog.descendants(of: oid) : [oid]
    }
}
