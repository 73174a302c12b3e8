/// The tables of a plan and the foreign keys between them, to be drawn.
///
/// An arrow leads from a table to the one that it refers to. Tables that are restored together are framed.
public struct PlanGraph: Sendable {
    /// A box.
    struct Node {
        /// What is written in it.
        let lines: [String]
        /// The table is not loaded, but emptied along with others.
        let isReached: Bool
        /// The frame that it is in, by its place among all frames.
        var frame: Int?
    }

    /// An arrow between two boxes, by their places.
    struct Edge {
        let tail: Int
        let head: Int
        let label: String
    }

    private(set) var nodes: [Node] = []
    private(set) var edges: [Edge] = []
    /// What is written above each frame.
    private(set) var frames: [String] = []
    /// How many tables were left out, because they would be too many to draw.
    public private(set) var omitted = 0

    /// The graph of a plan.
    public init(_ plan: RunPlan) {
        var positions: [JobID: Int] = [:]
        for (number, table) in plan.tables.enumerated() {
            positions[table.job] = nodes.count
            let rows = table.rows.map { (plan.kind == .backup ? "about " : "") + counted($0, "row") }
            nodes.append(
                Node(lines: ["\(number + 1). \(table.job)"] + [rows].compactMap(\.self), isReached: false)
            )
        }
        for key in plan.foreignKeys {
            guard let tail = positions[key.job], let head = positions[key.referenced] else { continue }
            edges.append(Edge(tail: tail, head: head, label: key.key.columns.joined(separator: ", ")))
        }
        for group in plan.groups { add(group, positions) }
    }

    private mutating func add(_ group: RunPlan.Group, _ positions: [JobID: Int]) {
        let members = group.tables.compactMap { positions[$0] }
        guard members.count > 1 || !group.reach.isEmpty else { return }
        for member in members { nodes[member].frame = frames.count }
        var byName = Dictionary(
            zip(group.tables.map { ByteKey($0.name) }, members),
            uniquingKeysWith: { first, _ in first }
        )
        for (names, word) in [(group.cascaded, "emptied too"), (group.emptyReferrers, "must be empty")] {
            for name in names where byName[ByteKey(name)] == nil {
                byName[ByteKey(name)] = nodes.count
                nodes.append(Node(lines: [name, word], isReached: true, frame: frames.count))
            }
        }
        for key in group.reach {
            guard let tail = byName[ByteKey(key.table)], let head = byName[ByteKey(key.referenced)] else { continue }
            edges.append(Edge(tail: tail, head: head, label: key.key.columns.joined(separator: ", ")))
        }
        frames.append("group \(group.number + 1): one transaction")
    }

    /// The same graph with fewer tables: those that have arrows or frames are kept first.
    ///
    /// - Parameter limit: The most tables; arrows are at most twice as many.
    /// - Returns: The graph, which knows how many tables it lacks.
    public func limited(to limit: Int) -> PlanGraph {
        guard nodes.count > limit || edges.count > 2 * limit else { return self }
        let connected = Set(edges.flatMap { [$0.tail, $0.head] })
        let isWorthy = { (index: Int) in connected.contains(index) || nodes[index].frame != nil }
        let kept = (nodes.indices.filter(isWorthy) + nodes.indices.filter { !isWorthy($0) }).prefix(limit).sorted()
        let positions = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($0.element, $0.offset) })
        var graph = self
        graph.nodes = kept.map { nodes[$0] }
        graph.edges = edges.compactMap { edge in
            guard let tail = positions[edge.tail], let head = positions[edge.head] else { return nil }
            return Edge(tail: tail, head: head, label: edge.label)
        }.prefix(2 * limit).map(\.self)
        graph.omitted = nodes.count - kept.count
        return graph
    }
}
