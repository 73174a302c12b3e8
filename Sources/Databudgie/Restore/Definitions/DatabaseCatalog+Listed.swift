import Postgres

extension DatabaseCatalog {
    /// Tables of which only the names, and the partitions, are known; their OIDs follow from their places in the list.
    ///
    /// - Parameters:
    ///   - names: The tables' names, each once.
    ///   - defaultSchema: The schema of names without a dot.
    ///   - schemas: Schemas that count though they may have no table.
    ///   - partitions: The partitions of each partitioned table.
    init(
        listed names: [QualifiedName],
        defaultSchema: String,
        schemas: [String] = [],
        partitions: [QualifiedName: [QualifiedName]] = [:]
    ) {
        let relations = Relation.listed(names, partitions: partitions, kinds: [:], from: 0)
        self.init(defaultSchema: defaultSchema, relations: relations, schemas: schemas, foreignKeys: [])
    }

    /// The catalog as definitions will have changed it, as far as names say it: enough to know which files are read.
    ///
    /// - Parameters:
    ///   - names: The tables and views that will be created, whether they exist or not.
    ///   - definitions: What creates them.
    /// - Returns: Those that stay as they are, and the new ones.
    func expecting(_ names: [QualifiedName], from definitions: StoredDefinitions) -> DatabaseCatalog {
        let created = Set(names)
        // Above those of the server's tables.
        let first = Relation.OID.max - Relation.OID(names.count)
        let new = Relation.listed(names, partitions: definitions.families, kinds: definitions.kinds, from: first)
        let kept = relations.filter { !created.contains($0.name) }
        let known = Set(kept.map(\.oid))
        var catalog = DatabaseCatalog(
            defaultSchema: defaultSchema,
            relations: kept + new,
            foreignKeys: foreignKeys.filter { known.contains($0.referencing) && known.contains($0.referenced) }
        )
        catalog.manifest = manifest
        return catalog
    }
}

extension Relation {
    fileprivate static func listed(
        _ names: [QualifiedName],
        partitions: [QualifiedName: [QualifiedName]],
        kinds: [QualifiedName: Kind],
        from first: OID
    ) -> [Relation] {
        let oids = Dictionary(
            names.enumerated().map { ($1, first + OID($0)) },
            uniquingKeysWith: { first, _ in first }
        )
        var parents: [QualifiedName: OID] = [:]
        for (root, children) in partitions {
            for child in children { parents[child] = oids[root] }
        }
        return names.enumerated().map { number, name in
            Relation(
                oid: first + OID(number),
                name: name,
                kind: kinds[name] ?? (partitions[name] == nil ? .table : .partitionedTable),
                isPartition: parents[name] != nil,
                parents: parents[name].map { [$0] } ?? [],
                children: (partitions[name] ?? []).compactMap { oids[$0] },
                columns: [],
                estimatedRows: nil,
                sequences: [],
                isReadable: true
            )
        }
    }
}
