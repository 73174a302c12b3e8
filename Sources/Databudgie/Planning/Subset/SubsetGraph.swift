import Postgres

/// The tables of a subset and the references between them.
struct SubsetGraph: Sendable {
    /// A table of the run; its rows may be in partitions.
    struct Node: Sendable {
        let relation: Relation.OID
        let name: QualifiedName
        let isPartitioned: Bool
        /// The tables that hold its rows, in the order of their names; itself when it is not partitioned, and those that inherit
        /// from it when their rows are exported with its own.
        var leaves: [Leaf]
        let primaryKey: [KeyColumn]
        /// All of its rows are part of the subset.
        var isWhole = false

        /// Rows of tables that inherit from it are exported with its own.
        var includesInherited: Bool { !isPartitioned && leaves.count > 1 }
    }

    /// A table that holds rows.
    struct Leaf: Sendable {
        let relation: Relation.OID
        let name: QualifiedName
        /// The role may read it, and not only the table that it is a partition of.
        let isReadable: Bool
    }

    /// A column of a primary key.
    struct KeyColumn: Sendable {
        let name: String
        /// Its text is that of UTC whatever the time zone of the session is.
        let dependsOnTimeZone: Bool
    }

    /// One end of a reference: a table of the run, or a partition of one.
    struct End: Sendable {
        let node: Int
        let name: QualifiedName
        let isPartitioned: Bool
        var leaves: [Leaf]
    }

    /// A reference: rows of the child refer to rows of the parent.
    struct Edge: Sendable {
        /// `public.orders.customer_id`, or `public.lines(order_id, no)`.
        let name: String
        var child: End
        let parent: End
        let columns: [Comparison]
        /// An SQL expression of the user's in place of the child's column.
        let expression: String?
        /// The child's column is an array of references.
        let isArray: Bool
        /// An SQL condition of the user's; the reference is one when it is true.
        let condition: String?
        var follow: SubsetReference.Follow
        /// Which of the referring rows are chosen.
        var children: Children
        /// Each child has one parent at most, so one that was found from its parent needs no look at it.
        let isUnique: Bool
        /// The same for references of one constraint or name that lead to the parts of one table: a row finds what it refers to in
        /// one of them.
        var group: Int?
        /// Each child needs all the rows that it refers to: together they have its period.
        var needsAllParents = false
        /// The server vouches that each parent exists.
        var isValidated: Bool
        /// The columns of the child that become NULL when the reference is cut; empty when it cannot be.
        let nullableColumns: [String]
        /// Why it cannot be cut, to follow the words; nil when it can.
        var obstacle: String?
        /// Indexes help to find parents by their keys, and children by their references.
        let hasParentIndex: Bool
        let hasChildIndex: Bool
        /// The table that has the constraint, and its name; nil for a reference without one.
        var constraint: Constraint?
    }

    /// A foreign key of the database.
    struct Constraint: Sendable {
        let table: Relation.OID
        let name: String
    }

    /// A column that refers, the one that it refers to, and how they are compared.
    struct Comparison: Sendable {
        let child: String
        let parent: String
        /// As in `operator("pg_catalog".=)`, the parent on its left.
        let comparison: String
        var childCast: String?
        var parentCast: String?
        /// The collation for the child's column, when it has another one.
        var collation: String?
    }

    /// Which of the rows that refer to a chosen row are chosen.
    struct Children: Sendable {
        var condition: String?
        var limit: Int?
        var order: String?
        var sample: SubsetSample?
    }

    let nodes: [Node]
    let edges: [Edge]

    /// The node to which the rows of a table belong.
    let owners: [Relation.OID: Int]

    init(nodes: [Node], edges: [Edge]) {
        (self.nodes, self.edges) = (nodes, edges)
        owners = Dictionary(
            nodes.indices.flatMap { node in nodes[node].leaves.map { ($0.relation, node) } },
            uniquingKeysWith: { first, _ in first }
        )
    }
}

extension SubsetGraph {
    /// A reference in one direction.
    struct Arc: Sendable, Hashable {
        /// The number of the edge.
        let edge: Int
        /// From parents to the rows that refer to them.
        let isDownward: Bool
    }

    /// Arcs over which chosen rows choose others: to the children, and to the parents of `through`.
    var choosing: [Arc] {
        edges.indices.compactMap { edge in
            switch edges[edge].follow {
            case .both: Arc(edge: edge, isDownward: true)
            case .through: Arc(edge: edge, isDownward: false)
            case .parents, .cut, .ignore: nil
            }
        }
    }

    /// Arcs over which rows need their parents.
    var linking: [Arc] {
        edges.indices.compactMap { edge in
            switch edges[edge].follow {
            case .both, .parents, .through: Arc(edge: edge, isDownward: false)
            case .cut, .ignore: nil
            }
        }
    }

    /// An edge with the others of its group, in their order.
    func group(of edge: Int) -> [Int] {
        guard let group = edges[edge].group else { return [edge] }
        return edges.indices.filter { edges[$0].group == group }
    }

    /// The same references, each followed to all children.
    var withoutRestrictions: SubsetGraph {
        let edges = edges.map { edge in
            var edge = edge
            edge.children = Children()
            return edge
        }
        return SubsetGraph(nodes: nodes, edges: edges)
    }

    /// The same references, for some of which the server does not vouch.
    func withoutVouching(for numbers: Set<Int>) -> SubsetGraph {
        var edges = edges
        for number in numbers { edges[number].isValidated = false }
        return SubsetGraph(nodes: nodes, edges: edges)
    }

    /// The table that holds the rows of an address.
    func leaf(of table: Relation.OID) -> Leaf? {
        owners[table].flatMap { nodes[$0].leaves.first { $0.relation == table } }
    }

    /// The end from which an arc leads.
    func source(of arc: Arc) -> End { arc.isDownward ? edges[arc.edge].parent : edges[arc.edge].child }

    /// The end to which an arc leads.
    func target(of arc: Arc) -> End { arc.isDownward ? edges[arc.edge].child : edges[arc.edge].parent }

    /// The nodes that arcs lead to, from some of them, these included.
    func reached(from nodes: Set<Int>, over arcs: [Arc]) -> Set<Int> {
        let neighbours = Dictionary(grouping: arcs) { source(of: $0).node }
        var (found, rest) = (nodes, Array(nodes))
        while let node = rest.popLast() {
            for arc in neighbours[node, default: []] {
                let target = target(of: arc).node
                if found.insert(target).inserted { rest.append(target) }
            }
        }
        return found
    }

    /// The nodes that a chain of references in either direction connects with some of them, these included.
    func connected(with nodes: Set<Int>) -> Set<Int> {
        let followed = edges.indices.filter { edges[$0].follow != .ignore }
        return reached(
            from: nodes,
            over: followed.flatMap { [Arc(edge: $0, isDownward: true), Arc(edge: $0, isDownward: false)] }
        )
    }
}
