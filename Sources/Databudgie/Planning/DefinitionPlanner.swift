import Postgres
import Storage

/// Finds the tables whose definitions are part of a backup.
struct DefinitionPlanner {
    let catalog: DatabaseCatalog

    /// The tables of each entry that asks for definitions.
    ///
    /// The partitions of a partitioned table belong to it, because its rows are in them.
    /// - Parameter entries: In order of appearance.
    /// - Returns: One group for each entry; none for an entry that matches nothing.
    func groups(_ entries: [TableOptions]) -> [DefinitionGroup] {
        let selection = TableSelection(catalog: catalog)
        return entries.compactMap { options in
            guard options.includesDefinition, let name = options.name else { return nil }
            let matched = selection.match(name, excluding: options.exclude).relations
            let partitions = matched.filter { $0.kind == .partitionedTable }.flatMap { catalog.descendants(of: $0.oid) }
            let all = Set(matched.map(\.oid) + partitions).compactMap { catalog[$0] }.sorted { $0.name < $1.name }
            return all.isEmpty ? nil : DefinitionGroup(options: options, relations: all)
        }
    }

    /// The tables of all groups, each once, referenced ones first: the order in which databudgie 2.9.3 creates them.
    func order(_ groups: [DefinitionGroup]) -> [Relation] {
        var seen: Set<Relation.OID> = []
        let relations = groups.flatMap(\.relations).filter { seen.insert($0.oid).inserted }
        // A parent comes before its children by its name or because its children do not exist without it.
        let parentsFirst = relations.sorted { catalog.lineage(of: $0.oid).count < catalog.lineage(of: $1.oid).count }
        return JobOrder(catalog: catalog).components(of: parentsFirst.map(\.oid)).flatMap { $0 }.map {
            parentsFirst[$0]
        }
    }
}
