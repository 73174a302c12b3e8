import Postgres

extension GroupPreparation {
    /// The strongest lock that the transaction takes on each table, in order of schema and name.
    ///
    /// - Parameter keys: The foreign keys of each table: a row is checked by a lock on the row that it refers to.
    /// - Returns: No locks of tables that the run creates.
    func locks(checking keys: [Relation.OID: [ForeignKey]]) -> [RunPlan.Lock] {
        lockModes(checking: keys).compactMap { oid, mode in catalog[oid].map { ($0.name, mode) } }
            .sorted { $0.0 < $1.0 }.map { RunPlan.Lock(table: $0.label, mode: $1.rawValue) }
    }

    /// The strongest lock that the transaction takes on each table.
    ///
    /// - Parameter keys: The foreign keys of each table.
    /// - Returns: No locks of tables that the run creates.
    func lockModes(checking keys: [Relation.OID: [ForeignKey]]) -> [Relation.OID: LockMode] {
        var modes: [Relation.OID: LockMode] = [:]
        func add(_ relation: Relation, _ mode: LockMode) {
            let partitions = relation.kind == .partitionedTable ? catalog.descendants(of: relation.oid) : []
            for oid in [relation.oid] + partitions where mode.strength >= modes[oid]?.strength ?? 0 {
                modes[oid] = mode
            }
        }
        let loaded = loadGroup.jobs.map(\.relation)
        let carriers = loaded.flatMap { [$0.oid] + catalog.descendants(of: $0.oid) }
        for key in carriers.flatMap({ keys[$0, default: []] }) {
            if let relation = catalog[key.referenced] { add(relation, .rowShare) }
        }
        for relation in loaded { add(relation, .rowExclusive) }
        for trigger in triggers { add(trigger.table, .shareRowExclusive) }
        for relation in self.keys.compactMap({ catalog[$0.referencing] }) { add(relation, .accessExclusive) }
        for oid in parts.tables.union(parts.referenced) {
            if let relation = catalog[oid] { add(relation, .accessExclusive) }
        }
        for relation in loadGroup.truncated { add(relation, .accessExclusive) }
        let new = Set(
            loadGroup.jobs.filter(\.isNew).flatMap { [$0.relation.oid] + catalog.descendants(of: $0.relation.oid) }
        )
        return modes.filter { !new.contains($0.key) }
    }
}
