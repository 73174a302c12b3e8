/// The tables that have to be emptied with others, because they refer to them (`truncate: cascade`).
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
    /// - Parameter origins: Tables that are truncated with cascade.
    /// - Returns: The tables that refer to them, directly or through others, partitions and the origins' own among them.
    func tables(from origins: [Relation.OID]) -> Set<Relation.OID> {
        var found = origins.flatMap(withPartitions)
        var seen = Set(found)
        var index = 0
        while index < found.count {
            for key in referrers[found[index], default: []] {
                found += withPartitions(key.referencing).filter { seen.insert($0).inserted }
            }
            index += 1
        }
        return seen
    }

    /// A table and, when it is partitioned, all of its partitions.
    func withPartitions(_ oid: Relation.OID) -> [Relation.OID] {
        catalog[oid]?.kind == .partitionedTable ? [oid] + catalog.descendants(of: oid) : [oid]
    }
}
