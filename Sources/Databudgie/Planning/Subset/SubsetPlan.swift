/// What a subset begins with, and the graph along which it is completed: computed before anything is read.
struct SubsetPlan: Sendable {
    /// A table with the rows that are chosen there.
    struct Start: Sendable {
        let node: Int
        let rows: SubsetStart
    }

    var graph: SubsetGraph
    let starts: [Start]
    /// References to tables that are not part of the run: their rows are counted.
    let leaving: [LeavingReference]
    /// Tables that belong to a tenant; empty without tenants.
    let scoped: Set<Int>
    let settings: SubsetSettings
    /// By table: the CHECK constraints that rows with cut references must satisfy.
    var checks: [Relation.OID: [CutCheck]] = [:]
    /// Columns that lead no index, as in `public.messages(sender_id)`: each pass over their reference reads the table.
    var columnsWithoutIndex: [String] = []
    /// What the user should know.
    var findings: [Finding] = []

    /// Whether a row of another tenant must not be part of the subset.
    var hasWalls: Bool { settings.tenants != nil && settings.crossing != .include }

    /// References over which a row of another tenant could be reached.
    func crosses(_ edge: Int) -> Bool {
        let parent = graph.edges[edge].parent.node
        return scoped.contains(parent) && !graph.nodes[parent].isWhole
    }

    /// The arcs over which rows need their parents, without those at which a wall stands.
    var linking: [SubsetGraph.Arc] {
        hasWalls ? graph.linking.filter { !crosses($0.edge) } : graph.linking
    }

    /// References that are not followed where the parent is not part of the subset, and are looked at in the end.
    var severed: [Int] {
        graph.edges.indices.filter { edge in
            switch graph.edges[edge].follow {
            case .cut: true
            case .both, .parents, .through: hasWalls && crosses(edge)
            case .ignore: false
            }
        }
    }
}

/// A reference to a table that is not part of the run.
struct LeavingReference: Sendable {
    /// `public.orders.customer_id`.
    let name: String
    var child: SubsetGraph.End
    /// The table that it refers to.
    let parent: String
    let columns: [String]
    /// An SQL expression of the user's in place of the columns.
    var expression: String?
    /// The column is an array of references.
    var isArray = false
    let condition: String?
    let follow: SubsetReference.Follow
    let nullableColumns: [String]

    /// Its statements contain SQL of the user's.
    var hasUserText: Bool { condition != nil || expression != nil }
}

/// A CHECK constraint of a table of which references can be cut.
struct CutCheck: Sendable {
    let name: String
    /// The columns in it, with their types as SQL.
    let columns: [(name: String, type: String)]
    let expression: String
}
