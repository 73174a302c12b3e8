import Postgres

extension DatabaseCatalog {
    /// Tables of which only the names, and the partitions, are known; their OIDs are their places in the list.
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
        let oids = Dictionary(
            names.enumerated().map { ($1, Relation.OID($0)) },
            uniquingKeysWith: { first, _ in first }
        )
        var parents: [QualifiedName: Relation.OID] = [:]
        for (root, children) in partitions {
            for child in children { parents[child] = oids[root] }
        }
        let relations = names.enumerated().map { number, name in
            Relation(
                oid: Relation.OID(number),
                name: name,
                kind: partitions[name] == nil ? .table : .partitionedTable,
                isPartition: parents[name] != nil,
                parents: parents[name].map { [$0] } ?? [],
                children: (partitions[name] ?? []).compactMap { oids[$0] },
                columns: [],
                estimatedRows: nil,
                sequences: [],
                isReadable: true
            )
        }
        self.init(defaultSchema: defaultSchema, relations: relations, schemas: schemas, foreignKeys: [])
    }
}
