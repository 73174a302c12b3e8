import Postgres
import Storage

/// Finds the tables whose definitions are part of a backup.
struct DefinitionPlanner {
    let catalog: DatabaseCatalog

    /// Files of two entries go to the same places when both templates are the same.
    private struct Places: Hashable {
        let location: ByteKey
        let filename: ByteKey
    }

    /// The tables of the entries that ask for definitions.
    ///
    /// The partitions of a partitioned table belong to it, because its rows are in them. A glob finds views, materialized
    /// views and foreign tables too: without them the restored tables would not be the database that they were in.
    /// - Parameter entries: In order of appearance.
    /// - Returns: One group for all entries whose definitions go to the same places; none when nothing matches.
    func groups(_ entries: [TableOptions]) -> [DefinitionGroup] {
        let selection = TableSelection(catalog: catalog)
        var groups: [DefinitionGroup] = []
        var positions: [Places: Int] = [:]
        for options in entries where options.includesDefinition {
            guard let name = options.name else { continue }
            let named = selection.match(name, excluding: options.exclude).relations
            let derived = selection.derived(name, excluding: options.exclude)
            let partitions = named.filter { $0.kind == .partitionedTable }.flatMap { catalog.descendants(of: $0.oid) }
            let group = DefinitionGroup(
                options: options,
                names: [selection.pattern(for: name)],
                relations: (named + derived + partitions.compactMap { catalog[$0] }),
                derived: Set(derived.map(\.oid)).subtracting(named.map(\.oid)),
                coverage: [
                    SchemaCoverage(name, excluding: options.exclude, defaultSchema: catalog.defaultSchema)
                ]
            )
            let places = Places(
                location: ByteKey(options.location.description),
                filename: ByteKey(options.filename.description)
            )
            if let position = positions[places] {
                groups[position].add(group)
            } else {
                positions[places] = groups.count
                groups.append(group)
            }
        }
        guard groups.contains(where: { !$0.relations.isEmpty }) else { return [] }
        return groups.map(\.withoutRepetitions)
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

extension DefinitionGroup {
    /// Adds the tables of another entry to the same places.
    fileprivate mutating func add(_ other: DefinitionGroup) {
        let (named, others) = (Set(relations.map(\.oid)), Set(other.relations.map(\.oid)))
        // Named in one of the entries is named.
        derived = derived.subtracting(others.subtracting(other.derived))
            .union(other.derived.subtracting(named.subtracting(derived)))
        names += other.names
        relations += other.relations
        coverage += other.coverage
    }

    fileprivate var withoutRepetitions: DefinitionGroup {
        var group = self
        var seen: Set<Relation.OID> = []
        group.relations = relations.filter { seen.insert($0.oid).inserted }.sorted { $0.name < $1.name }
        return group
    }
}
