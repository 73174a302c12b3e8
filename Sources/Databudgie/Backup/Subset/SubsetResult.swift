/// The rows of a subset, and what has become of references.
struct SubsetResult: Sendable {
    let plan: SubsetPlan
    var rows: SubsetRows
    /// References that are NULL in the file where the row that is referred to is not part of the subset.
    var cuts: [Cut] = []
    /// By reference: rows that refer to a row that does not exist.
    var orphans: [Int] = []
    /// Whole tables whose rows are listed in ``rows`` nevertheless, because some of them are changed.
    var listedNodes: Set<Int> = []

    /// Rows that refer to a row that does not exist are counted, because the server does not vouch for the reference.
    func countsOrphans(_ edge: Int) -> Bool {
        let edge = plan.graph.edges[edge]
        return !edge.isValidated && edge.follow != .ignore && edge.follow != .cut
    }

    /// Rows of which columns become NULL.
    struct Cut: Sendable {
        /// The number of the reference; nil when it leads out of the run.
        let edge: Int?
        let rows: RowSets
        let columns: [String]
        /// Of an array not all of it, but these elements are missing.
        var elements: SubsetElements = [:]
    }

    /// Rows of one table that are exported by the same statement.
    struct Part: Sendable {
        let leaf: SubsetGraph.Leaf
        let node: Int
        let rows: RowSet
        /// The columns that are NULL.
        let nulls: [String]
        /// Columns that are arrays without some elements, which are missing in these rows.
        var arrays: [(column: String, elements: [RowPlace: Set<Int>])] = []
    }

    /// What the rows of a part have in common.
    private struct Change: Hashable, Comparable {
        var nulls: [ByteKey] = []
        var arrays: [ByteKey] = []

        static func < (first: Change, second: Change) -> Bool {
            first.nulls == second.nulls
                ? first.arrays.lexicographicallyPrecedes(second.arrays)
                : first.nulls.lexicographicallyPrecedes(second.nulls)
        }
    }

    /// What is exported of a table.
    ///
    /// - Parameter leaves: The tables that hold its rows.
    /// - Returns: Its rows in the order of their addresses, those with other columns in parts of their own; nil when all of
    ///   its rows are exported as they are.
    func parts(of leaves: [Relation.OID]) -> [Part]? {
        guard isListed(leaves) else { return nil }
        let (graph, leaves) = (plan.graph, includingInherited(leaves))
        let nodes = Set(leaves.compactMap { graph.owners[$0] })
        return nodes.sorted().flatMap { node in
            graph.nodes[node].leaves.filter { leaves.contains($0.relation) }.flatMap { parts(of: $0, node) }
        }
    }

    /// Tables with those that inherit from them, where their rows are exported together.
    private func includingInherited(_ leaves: [Relation.OID]) -> Set<Relation.OID> {
        Set(leaves).union(
            leaves.flatMap { leaf -> [Relation.OID] in
                guard let node = plan.graph.owners[leaf].map({ plan.graph.nodes[$0] }), node.relation == leaf,
                    node.includesInherited
                else { return [] }
                return node.leaves.map(\.relation)
            }
        )
    }

    /// Whether the rows that are exported of tables are known one by one.
    private func isListed(_ leaves: [Relation.OID]) -> Bool {
        leaves.compactMap { plan.graph.owners[$0] }.allSatisfy {
            !plan.graph.nodes[$0].isWhole || listedNodes.contains($0)
        }
    }

    private func parts(of leaf: SubsetGraph.Leaf, _ node: Int) -> [Part] {
        guard let kept = rows.kept[leaf.relation], !kept.isEmpty else { return [] }
        let cuts = cuts.filter { $0.rows[leaf.relation]?.isEmpty == false }
        guard !cuts.isEmpty else { return [Part(leaf: leaf, node: node, rows: kept, nulls: [])] }
        var parts: [Change: RowSet] = [:]
        for row in kept {
            let changed = cuts.filter { $0.rows[leaf.relation]?.contains(row) == true }
            func columns(_ cuts: [Cut]) -> [ByteKey] { Set(cuts.flatMap(\.columns).map { ByteKey($0) }).sorted() }
            let change = Change(
                nulls: columns(changed.filter(\.elements.isEmpty)),
                arrays: columns(changed.filter { !$0.elements.isEmpty })
            )
            parts[change, default: RowSet()].insert(row)
        }
        return parts.sorted { $0.key < $1.key }.map { change, rows in
            let arrays = change.arrays.map { column in
                let elements = cuts.filter { $0.columns.map { ByteKey($0) } == [column] }
                    .compactMap { $0.elements[leaf.relation] }
                return (
                    column: column.string,
                    elements: elements.dropFirst().reduce(elements.first ?? [:]) { $0.merging($1) { $0.union($1) } }
                )
            }
            return Part(leaf: leaf, node: node, rows: rows, nulls: change.nulls.map(\.string), arrays: arrays)
        }
    }

    /// How many rows of a table are chosen, and how many are in the subset at all; nil for all of a whole table.
    func counts(of leaves: [Relation.OID]) -> (chosen: Int, kept: Int?) {
        guard isListed(leaves) else { return (leaves.reduce(0) { $0 + (rows.chosen[$1]?.count ?? 0) }, nil) }
        let leaves = includingInherited(leaves)
        let chosen = leaves.reduce(0) { $0 + (rows.chosen[$1]?.count ?? 0) }
        return (chosen, leaves.reduce(0) { $0 + (rows.kept[$1]?.count ?? 0) })
    }
}

extension SubsetResult {
    /// What brought the rows of a table of the run.
    func sources(of relation: Relation.OID) -> [RunPlan.SubsetSource] {
        let graph = plan.graph
        guard let node = graph.nodes.firstIndex(where: { $0.relation == relation }) else { return [] }
        let starts = plan.starts.indices.filter { plan.starts[$0].node == node }.reduce(0) { $0 + rows.starts[$1] }
        var sources: [RunPlan.SubsetSource] = graph.nodes[node].isWhole ? [.init(kind: .whole)] : []
        if starts > 0 { sources.append(.init(kind: .start, rows: starts)) }
        for (number, edge) in graph.edges.enumerated() {
            if edge.child.node == node, rows.children[number] > 0 {
                sources.append(.init(kind: .children, reference: edge.name, rows: rows.children[number]))
            }
            if edge.parent.node == node, rows.parents[number] > 0 {
                sources.append(.init(kind: .parents, reference: edge.name, rows: rows.parents[number]))
            }
        }
        return sources
    }
}

extension DatabaseCatalog {
    /// The tables that hold the rows of a table: its partitions, or itself.
    func holders(of relation: Relation) -> [Relation.OID] {
        guard relation.kind == .partitionedTable else { return [relation.oid] }
        return descendants(of: relation.oid).filter { self[$0]?.kind != .partitionedTable }
    }
}
