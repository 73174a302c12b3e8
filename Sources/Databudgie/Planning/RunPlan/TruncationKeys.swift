/// Finds the foreign keys because of which TRUNCATE has to name tables that are not loaded.
struct TruncationKeys {
    private let catalog: DatabaseCatalog
    private let keys: [Relation.OID: [ForeignKey]]
    private let cascade: CascadeReach

    init(catalog: DatabaseCatalog) {
        self.catalog = catalog
        keys = Dictionary(grouping: catalog.foreignKeys, by: \.referencing)
        cascade = CascadeReach(catalog: catalog)
    }

    /// The keys of one group, from tables that no entry empties to tables that are emptied.
    func keys(of group: LoadGroup) -> [RunPlan.Reach] {
        let reached = group.cascaded + group.emptyReferrers
        guard !reached.isEmpty else { return [] }
        var owners: [Relation.OID: Relation] = [:]
        for relation in group.truncated {
            for oid in cascade.withPartitions(relation.oid) { owners[oid] = relation }
        }
        return reached.flatMap { relation in
            cascade.withPartitions(relation.oid).flatMap { keys[$0, default: []] }.filter { !$0.isInherited }
                .compactMap { key in
                    guard let referenced = owners[key.referenced], referenced.oid != relation.oid,
                        let reference = KeyReference(key, in: catalog)
                    else { return nil }
                    return RunPlan.Reach(
                        table: relation.name.label,
                        referenced: referenced.name.label,
                        key: reference
                    )
                }
        }
    }
}
