/// What the references of a subset say of columns: those that they relate have the same values, as with foreign keys.
struct ReferenceLinks: Sendable {
    typealias ID = ColumnCatalog.ID

    /// An expression of the user's whose values are those of columns.
    struct Expression: Sendable {
        /// The reference: `public.events.user`.
        let name: String
        let columns: [ID]
    }

    private(set) var links: [ColumnLink] = []
    private(set) var expressions: [Expression] = []

    /// - Parameters:
    ///   - graph: Of the subset; nil: there is none.
    ///   - columns: Of all tables.
    init(_ graph: SubsetGraph?, _ columns: ColumnCatalog) {
        guard let graph else { return }
        func find(_ name: String, _ end: SubsetGraph.End) -> ID? {
            let relation = graph.nodes[end.node].relation
            let column = columns.columns[relation, default: []].first { $0.name.hasBytes(of: name) }
            return column.map { ID(relation: relation, number: $0.number) }
        }
        for edge in graph.edges {
            let parents = edge.columns.compactMap { find($0.parent, edge.parent) }
            guard edge.expression == nil else {
                expressions.append(Expression(name: edge.name, columns: parents))
                continue
            }
            for pair in edge.columns {
                guard let child = find(pair.child, edge.child), let parent = find(pair.parent, edge.parent) else {
                    continue
                }
                links.append(ColumnLink(from: child, to: parent, key: edge.name, isOfElements: edge.isArray))
            }
        }
    }
}
