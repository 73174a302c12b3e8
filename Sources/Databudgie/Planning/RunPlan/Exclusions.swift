/// Finds what the entries of a run match and do not move.
struct Exclusions {
    let catalog: DatabaseCatalog
    /// The tables that have a job.
    let selected: Set<Relation.OID>

    /// Looks at all entries.
    ///
    /// - Parameter entries: Of the run.
    /// - Returns: Each table once, in order of schema and name, with the reason.
    func find(_ entries: [TableOptions]) -> [RunPlan.Exclusion] {
        let selection = TableSelection(catalog: catalog)
        var reasons: [Relation.OID: String] = [:]
        for options in entries where !options.exclude.isEmpty {
            guard let name = options.name else { continue }
            let patterns = options.exclude.map { (text: $0, excludes: TableSelection.exclusion([$0])) }
            for relation in selection.match(name, excluding: []).relations
            where reasons[relation.oid] == nil && !selected.contains(relation.oid) {
                guard let pattern = patterns.first(where: { $0.excludes(relation.name) }) else { continue }
                reasons[relation.oid] = "exclude '\(pattern.text)'" + root(of: relation).map { "; \($0)" }.joined()
            }
        }
        for options in entries where options.includesRows {
            guard let name = options.name else { continue }
            for relation in selection.match(name, excluding: options.exclude).relations
            where relation.isPartition && reasons[relation.oid] == nil && !selected.contains(relation.oid) {
                if let reason = root(of: relation).first { reasons[relation.oid] = reason }
            }
        }
        return catalog.relations.compactMap { relation in
            reasons[relation.oid].map { RunPlan.Exclusion(table: relation.name.label, reason: $0) }
        }
    }

    /// That its rows are moved with a partitioned table.
    private func root(of relation: Relation) -> [String] {
        guard relation.isPartition else { return [] }
        return catalog.lineage(of: relation.oid).dropFirst().filter(selected.contains).prefix(1)
            .compactMap { catalog[$0] }.map { "its rows are those of the partitioned table \($0.name.label)" }
    }
}
