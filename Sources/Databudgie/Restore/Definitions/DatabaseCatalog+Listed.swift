import Postgres

extension DatabaseCatalog {
    /// Tables of which only the names are known; their OIDs are their places in the list.
    ///
    /// - Parameters:
    ///   - names: The tables' names, each once.
    ///   - defaultSchema: The schema of names without a dot.
    init(listed names: [QualifiedName], defaultSchema: String) {
        let relations = names.enumerated().map { number, name in
            Relation(
                oid: Relation.OID(number),
                name: name,
                kind: .table,
                isPartition: false,
                parents: [],
                children: [],
                columns: [],
                estimatedRows: nil,
                sequences: [],
                isReadable: true
            )
        }
        self.init(defaultSchema: defaultSchema, relations: relations, foreignKeys: [])
    }
}
