import Postgres

/// The tables of a run whose rows a subset chooses.
struct SubsetTables {
    private let catalog: DatabaseCatalog
    private let keys: KeyCatalog
    let nodes: [SubsetGraph.Node]
    private let numbers: [Relation.OID: Int]

    /// - Parameters:
    ///   - catalog: Of the run's snapshot.
    ///   - keys: Of the same moment.
    ///   - jobs: All jobs of the run.
    init(_ catalog: DatabaseCatalog, _ keys: KeyCatalog, jobs: [BackupJob]) {
        (self.catalog, self.keys) = (catalog, keys)
        let named = Set(jobs.filter(\.isSubsetTable).compactMap(\.relation?.oid))
        // The rows of a partition belong to its root, when that is part of the run as well.
        let roots = catalog.relations.filter { relation in
            named.contains(relation.oid)
                && named.isDisjoint(with: Self.partitionLineage(of: relation.oid, catalog).dropFirst())
        }
        nodes = roots.map { relation in
            SubsetGraph.Node(
                relation: relation.oid,
                name: relation.name,
                isPartitioned: relation.kind == .partitionedTable,
                leaves: Self.leaves(of: relation, catalog),
                primaryKey: keys.primaryKey(of: relation.oid).map { column in
                    let type = keys.types[relation.oid]?[ByteKey(column)]
                    return SubsetGraph.KeyColumn(name: column, dependsOnTimeZone: type?.dependsOnTimeZone ?? false)
                }
            )
        }
        numbers = Dictionary(uniqueKeysWithValues: roots.enumerated().map { ($0.element.oid, $0.offset) })
    }

    /// What a constraint's table is in the run: a node, a partition of one, or, when only partitions of it are part of the run,
    /// several nodes.
    ///
    /// - Returns: The ends, and whether they have all rows of the table.
    func ends(of table: Relation.OID) -> (ends: [SubsetGraph.End], isWhole: Bool) {
        guard let relation = catalog[table] else { return ([], true) }
        for ancestor in Self.partitionLineage(of: table, catalog) {
            guard let node = numbers[ancestor] else { continue }
            return ([end(relation, node)], true)
        }
        let parts = nodes.indices.filter {
            Self.partitionLineage(of: nodes[$0].relation, catalog).contains(table)
        }
        let held = Set(parts.flatMap { nodes[$0].leaves.map(\.relation) })
        let isWhole = Self.leaves(of: relation, catalog).allSatisfy { held.contains($0.relation) }
        return (parts.compactMap { part in catalog[nodes[part].relation].map { end($0, part) } }, isWhole)
    }

    private func end(_ relation: Relation, _ node: Int) -> SubsetGraph.End {
        SubsetGraph.End(
            node: node,
            name: relation.name,
            isPartitioned: relation.kind == .partitionedTable,
            leaves: Self.leaves(of: relation, catalog)
        )
    }

    /// Why the rows of tables have no addresses that stay; nil when they have.
    func obstacle(_ leaves: [SubsetGraph.Leaf]) -> String? {
        for leaf in leaves {
            if let method = keys.accessMethods[leaf.relation] {
                return "the access method '\(method)' keeps the rows of \(leaf.name.label)"
            }
            guard catalog[leaf.relation]?.kind == .foreignTable else { continue }
            return catalog[leaf.relation]?.isPartition == true
                ? "its partition \(leaf.name.label) is a foreign table"
                : "\(leaf.name.label), which inherits from it, is a foreign table"
        }
        return nil
    }

    /// The nodes that a name or a glob stands for.
    func named(_ name: String) -> [Int] {
        let pattern = TableSelection.pattern(for: name, in: catalog.defaultSchema)
        let exact = nodes.indices.filter { nodes[$0].name.description.hasBytes(of: pattern) }
        guard exact.isEmpty else { return exact }
        let glob = Glob(pattern)
        guard glob.hasWildcards else { return [] }
        return nodes.indices.filter { glob.matches(nodes[$0].name.description) }
    }

    /// The name of the nearest node, as a hint.
    func suggestion(for name: String) -> String? {
        let pattern = TableSelection.pattern(for: name, in: catalog.defaultSchema)
        return KeySuggestion.nearest(to: pattern, among: nodes.map(\.name.description)).map { "did you mean '\($0)'?" }
    }

    private static func leaves(of relation: Relation, _ catalog: DatabaseCatalog) -> [SubsetGraph.Leaf] {
        let tables =
            relation.kind == .partitionedTable
            ? catalog.descendants(of: relation.oid).compactMap { catalog[$0] }.filter { $0.kind != .partitionedTable }
            : [relation]
        return leaves(tables)
    }

    static func leaves(_ tables: [Relation]) -> [SubsetGraph.Leaf] {
        tables.sorted { $0.name < $1.name }.map {
            SubsetGraph.Leaf(relation: $0.oid, name: $0.name, isReadable: $0.isReadable)
        }
    }

    /// A table, then what it is a partition of, and so on; not what it inherits from.
    private static func partitionLineage(of table: Relation.OID, _ catalog: DatabaseCatalog) -> [Relation.OID] {
        var lineage = [table]
        while let last = lineage.last, let relation = catalog[last], relation.isPartition,
            let parent = relation.parents.first
        {
            lineage.append(parent)
        }
        return lineage
    }
}

extension BackupJob {
    /// The rows of a table itself are exported, so that a subset of them can be.
    var isSubsetTable: Bool {
        includesRows && (relation?.kind == .table || relation?.kind == .partitionedTable)
    }
}
