import Postgres

/// Finds the tables that others refer to (`follow_foreign_keys`).
struct DependencyTables {
    private let catalog: DatabaseCatalog
    private let keys: [Relation.OID: [ForeignKey]]

    init(catalog: DatabaseCatalog) {
        self.catalog = catalog
        keys = Dictionary(grouping: catalog.foreignKeys, by: \.referencing)
    }

    /// One table that an entry stands for.
    struct Owner {
        let options: TableOptions
        let relation: Relation
        /// Its name where the files are.
        let storedName: QualifiedName
        /// Under which other names tables are restored; nil keeps all names.
        let renaming: TableRenaming?

        init(
            options: TableOptions,
            relation: Relation,
            storedName: QualifiedName? = nil,
            renaming: TableRenaming? = nil
        ) {
            (self.options, self.relation, self.renaming) = (options, relation, renaming)
            self.storedName = storedName ?? relation.name
        }
    }

    /// The tables that are included, each once in a run, as in databudgie 2.9.3.
    ///
    /// A table that has an entry of its own, or whose partitioned table has one, is not included. The files of one that
    /// several tables refer to are below the first of them: the one nearest to the tables that refer to nothing.
    /// - Parameter owners: All tables that the entries stand for.
    /// - Returns: In the order in which they were found.
    /// - Throws: `StorageError` for a location that is not a path.
    func included(by owners: [Owner]) throws -> [DependencyTable] {
        let following = owners.indices.filter { owners[$0].options.followsForeignKeys }
        guard !following.isEmpty else { return [] }
        let depths = depths()
        let order = following.sorted { first, second in
            let (left, right) = (owners[first].relation, owners[second].relation)
            return (depths[left.oid, default: 0], left.name, first)
                < (depths[right.oid, default: 0], right.name, second)
        }
        let named = Set(owners.map(\.relation.oid))
        var found: [Relation.OID] = []
        var places: [Relation.OID: [Int]] = [:]
        var origins: [Relation.OID: ForeignKey] = [:]
        for owner in order {
            for (oid, key) in references(of: owners[owner].relation.oid)
            where named.isDisjoint(with: catalog.lineage(of: oid)) {
                if places[oid] == nil {
                    found.append(oid)
                    origins[oid] = key
                }
                places[oid, default: []].append(owner)
            }
        }
        return try found.compactMap { oid -> DependencyTable? in
            guard let relation = catalog[oid], relation.name != catalog.manifest, let owner = places[oid]?.first,
                let key = origins[oid],
                let storedName = owners[owner].renaming.map({ $0.sources(of: relation.name).first }) ?? relation.name
            else { return nil }
            let options = try places[oid, default: []].flatMap {
                try owners[$0].options.places(
                    of: storedName.description,
                    below: catalog.component(of: owners[$0].storedName)
                )
            }
            return DependencyTable(
                relation: relation,
                storedName: storedName,
                owner: owner,
                key: key,
                options: options[0],
                otherOptions: Array(options.dropFirst())
            )
        }
    }

    /// All tables that a table refers to, over any number of foreign keys, without itself, each with the key that led to it.
    private func references(of oid: Relation.OID) -> [(oid: Relation.OID, key: ForeignKey)] {
        var found = [oid]
        var origins: [ForeignKey] = []
        var seen: Set = [oid]
        var index = 0
        while index < found.count {
            // The rows of a partitioned table are in its partitions, which may have foreign keys of their own.
            let isPartitioned = catalog[found[index]]?.kind == .partitionedTable
            let carriers = [found[index]] + (isPartitioned ? catalog.descendants(of: found[index]) : [])
            for key in carriers.flatMap({ keys[$0, default: []] }) {
                let referenced = whole(key)
                // A partition's reference to another one, or to its root, stays within the table.
                guard !carriers.contains(referenced), seen.insert(referenced).inserted else { continue }
                found.append(referenced)
                origins.append(key)
            }
            index += 1
        }
        return zip(found.dropFirst(), origins).map { (oid: $0, key: $1) }
    }

    /// The table that a key points to; the server keeps copies of a key for each partition of a partitioned table.
    private func whole(_ key: ForeignKey) -> Relation.OID {
        guard key.isInherited, catalog[key.referenced]?.isPartition == true else { return key.referenced }
        return catalog.lineage(of: key.referenced).last ?? key.referenced
    }

    /// For each table the length of the longest chain of references that begins there; a cycle counts as one table.
    private func depths() -> [Relation.OID: Int] {
        let oids = catalog.relations.map(\.oid)
        let positions = Dictionary(uniqueKeysWithValues: oids.enumerated().map { ($0.element, $0.offset) })
        let references = oids.map { oid in
            Set(keys[oid, default: []].compactMap { positions[$0.referenced] }).sorted()
        }
        var depths = Array(repeating: 0, count: oids.count)
        for component in DependencyOrder.components(count: oids.count, references: references) {
            let depth = 1 + (component.flatMap { references[$0] }.map { depths[$0] }.max() ?? 0)
            for member in component { depths[member] = depth }
        }
        return Dictionary(uniqueKeysWithValues: zip(oids, depths))
    }
}
