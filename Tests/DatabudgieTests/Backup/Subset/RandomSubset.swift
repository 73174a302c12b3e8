import DatabudgieTestSupport
import Postgres

@testable import Databudgie

/// Tables, rows and references by chance, and what a subset of them is by the rules alone.
struct RandomSubset: Sendable {
    /// A pair of rows over a reference.
    struct Relationship: Hashable, Sendable {
        let child: RowAddress
        let parent: RowAddress
    }

    let plan: SubsetPlan
    /// By leaf.
    let rows: [Relation.OID: [RowPlace]]
    /// By reference.
    let pairs: [[Relationship]]
    /// References of these rows lead to no row.
    let orphans: [Set<RowAddress>]
    /// By reference: which children its conditions permit, in their order.
    let permitted: [[RowAddress: Int]]
    let starts: [[RowAddress]]

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var leaf: Relation.OID = 100
        var rows: [Relation.OID: [RowPlace]] = [:]
        let nodes = (0..<Int.random(in: 2...6, using: &random)).map { number in
            let leaves = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                leaf += 1
                var places: Set<RowPlace> = []
                for _ in 0..<Int.random(in: 0...7, using: &random) {
                    places.insert(
                        RowPlace(
                            block: UInt32.random(in: 0...130, using: &random),
                            offset: UInt16.random(in: 1...291, using: &random)
                        )
                    )
                }
                rows[leaf] = places.sorted()
                return SubsetGraph.Leaf(
                    relation: leaf,
                    name: QualifiedName(schema: "public", name: "t\(number)_\(leaf)"),
                    isReadable: true
                )
            }
            return SubsetGraph.Node(
                relation: Relation.OID(number + 1),
                name: QualifiedName(schema: "public", name: "t\(number)"),
                isPartitioned: leaves.count > 1,
                leaves: leaves,
                primaryKey: [],
                isWhole: Int.random(in: 0..<8, using: &random) == 0
            )
        }
        func addresses(_ node: Int) -> [RowAddress] {
            nodes[node].leaves.flatMap { leaf in
                rows[leaf.relation, default: []].map { RowAddress(table: leaf.relation, place: $0) }
            }
        }
        var edges: [SubsetGraph.Edge] = []
        var pairs: [[Relationship]] = []
        var orphans: [Set<RowAddress>] = []
        var permitted: [[RowAddress: Int]] = []
        for number in 0..<Int.random(in: 1...9, using: &random) {
            let (child, parent) = (
                Int.random(in: nodes.indices, using: &random), Int.random(in: nodes.indices, using: &random)
            )
            let isConstraint = Int.random(in: 0..<3, using: &random) > 0
            let edge = Self.edge(number, nodes, child, parent, isConstraint, &random)
            edges.append(edge)
            var related: [Relationship] = []
            var lost: Set<RowAddress> = []
            let parents = addresses(parent)
            for row in addresses(child) {
                guard Int.random(in: 0..<4, using: &random) > 0 else { continue }
                let count = isConstraint ? 1 : Int.random(in: 0...2, using: &random)
                let chosen = parents.shuffled(using: &random).prefix(count)
                if chosen.isEmpty, !isConstraint { lost.insert(row) }
                related += chosen.map { Relationship(child: row, parent: $0) }
            }
            pairs.append(related)
            orphans.append(lost)
            let passing = addresses(child).filter { _ in Int.random(in: 0..<5, using: &random) > 0 }
                .shuffled(using: &random)
            permitted.append(Dictionary(uniqueKeysWithValues: passing.enumerated().map { ($0.element, $0.offset) }))
        }
        let graph = SubsetGraph(nodes: nodes, edges: edges)
        let starting = (0..<Int.random(in: 1...2, using: &random)).map { _ in
            Int.random(in: nodes.indices, using: &random)
        }
        starts = starting.map { node in addresses(node).filter { _ in Int.random(in: 0..<4, using: &random) == 0 } }
        let tenants = Int.random(in: 0..<3, using: &random) == 0 ? Int.random(in: nodes.indices, using: &random) : nil
        let crossing = SubsetSettings.Crossing.allCases.randomElement(using: &random) ?? .error
        plan = SubsetPlan(
            graph: graph,
            starts: starting.map {
                SubsetPlan.Start(node: $0, rows: SubsetStart(nodes[$0].name.description, allowsNone: true))
            },
            leaving: [],
            scoped: tenants.map { graph.reached(from: [$0], over: graph.choosing) } ?? [],
            settings: SubsetSettings(
                start: [],
                tenants: tenants.map { nodes[$0].name.description },
                crossing: crossing
            )
        )
        (self.rows, self.pairs, self.orphans, self.permitted) = (rows, pairs, orphans, permitted)
    }

    private static func edge(
        _ number: Int,
        _ nodes: [SubsetGraph.Node],
        _ child: Int,
        _ parent: Int,
        _ isConstraint: Bool,
        _ random: inout SeededGenerator
    ) -> SubsetGraph.Edge {
        func end(_ node: Int) -> SubsetGraph.End {
            SubsetGraph.End(
                node: node,
                name: nodes[node].name,
                isPartitioned: nodes[node].isPartitioned,
                leaves: nodes[node].leaves
            )
        }
        let words: [SubsetReference.Follow] = [.both, .both, .both, .parents, .through, .cut, .ignore]
        return SubsetGraph.Edge(
            name: "e\(number)",
            child: end(child),
            parent: end(parent),
            columns: [],
            expression: nil,
            isArray: false,
            condition: nil,
            follow: words.randomElement(using: &random) ?? .both,
            children: SubsetGraph.Children(limit: Int.random(in: 0..<3, using: &random) == 0 ? 1 : nil),
            isUnique: isConstraint,
            isValidated: isConstraint,
            nullableColumns: ["c"],
            hasParentIndex: Bool.random(using: &random),
            hasChildIndex: Bool.random(using: &random)
        )
    }

    private init(_ other: RandomSubset, _ plan: SubsetPlan, starts: [[RowAddress]], edges: [Int]? = nil) {
        (self.plan, self.starts) = (plan, starts)
        let edges = edges ?? Array(other.pairs.indices)
        rows = other.rows
        (pairs, orphans) = (edges.map { other.pairs[$0] }, edges.map { other.orphans[$0] })
        permitted = edges.map { other.permitted[$0] }
    }

    /// The same with its references in another order, and that order.
    func reordered(seed: UInt64) -> (subset: RandomSubset, edges: [Int]) {
        var random = SeededGenerator(seed: seed)
        let edges = plan.graph.edges.indices.shuffled(using: &random)
        var plan = plan
        plan.graph = SubsetGraph(nodes: plan.graph.nodes, edges: edges.map { plan.graph.edges[$0] })
        return (RandomSubset(self, plan, starts: starts, edges: edges), edges)
    }

    /// The same with all references of one kind followed in another way.
    func following(_ follow: SubsetReference.Follow, insteadOf other: SubsetReference.Follow) -> RandomSubset {
        var plan = plan
        let edges = plan.graph.edges.map { edge in
            guard edge.follow == other else { return edge }
            var changed = edge
            changed.follow = follow
            return changed
        }
        plan.graph = SubsetGraph(nodes: plan.graph.nodes, edges: edges)
        return RandomSubset(self, plan, starts: starts)
    }

    /// The same without tenants.
    var withoutWalls: RandomSubset {
        var settings = plan.settings
        settings.tenants = nil
        let plan = SubsetPlan(graph: plan.graph, starts: plan.starts, leaving: [], scoped: [], settings: settings)
        return RandomSubset(self, plan, starts: starts)
    }

    /// The same without the rows of the first start.
    var withoutFirstStart: RandomSubset { RandomSubset(self, plan, starts: [[]] + starts.dropFirst()) }

    /// The same with starts that select nothing.
    func withoutRowsOfStart(allowsNone: Bool) -> RandomSubset {
        let starts = plan.starts.map { start in
            SubsetPlan.Start(node: start.node, rows: SubsetStart("public.t0", allowsNone: allowsNone))
        }
        let plan = SubsetPlan(
            graph: plan.graph,
            starts: starts,
            leaving: [],
            scoped: plan.scoped,
            settings: plan.settings
        )
        return RandomSubset(self, plan, starts: starts.map { _ in [] })
    }

    /// The same with a limit.
    func limited(to maximum: Int) -> RandomSubset {
        var settings = plan.settings
        settings.maximumRows = maximum
        let plan = SubsetPlan(
            graph: plan.graph,
            starts: plan.starts,
            leaving: [],
            scoped: plan.scoped,
            settings: settings
        )
        return RandomSubset(self, plan, starts: starts)
    }

    /// The children that follow a parent.
    func children(_ edge: Int, of parent: RowAddress) -> [RowAddress] {
        let all = pairs[edge].filter { $0.parent == parent }.map(\.child)
            .filter { permitted[edge][$0] != nil }
            .sorted { permitted[edge][$0, default: 0] < permitted[edge][$1, default: 0] }
        return Array(all.prefix(plan.graph.edges[edge].children.limit ?? .max))
    }
}

/// The subset by the rules alone: all of them applied to all pairs until nothing changes.
struct BruteForceSubset {
    enum State: Comparable { case linked, chosen }

    private(set) var states: [RowAddress: State] = [:]
    /// By reference: rows whose reference becomes NULL, and rows that refer to another tenant's.
    private(set) var severed: [Int: Set<RowAddress>] = [:]
    private(set) var crossing: [Int: Set<RowAddress>] = [:]

    init(_ subset: RandomSubset) {
        let (plan, graph) = (subset.plan, subset.plan.graph)
        var isChanged = true
        func raise(_ row: RowAddress, to state: State) {
            guard states[row].map({ $0 < state }) ?? true else { return }
            states[row] = state
            isChanged = true
        }
        for row in subset.starts.joined() { raise(row, to: .chosen) }
        for node in graph.nodes where node.isWhole {
            for leaf in node.leaves {
                for place in subset.rows[leaf.relation, default: []] {
                    raise(RowAddress(table: leaf.relation, place: place), to: .linked)
                }
            }
        }
        while isChanged {
            isChanged = false
            for (number, edge) in graph.edges.enumerated() {
                let isWalled = plan.hasWalls && plan.crosses(number)
                for pair in subset.pairs[number] {
                    if edge.follow == .both, states[pair.parent] == .chosen,
                        subset.children(number, of: pair.parent).contains(pair.child)
                    {
                        raise(pair.child, to: .chosen)
                    }
                    guard let state = states[pair.child] else { continue }
                    if edge.follow == .through, state == .chosen { raise(pair.parent, to: .chosen) }
                    if [.both, .parents, .through].contains(edge.follow), !isWalled { raise(pair.parent, to: .linked) }
                }
            }
        }
        for (number, edge) in graph.edges.enumerated() {
            let isWalled = plan.hasWalls && plan.crosses(number) && edge.follow != .ignore
            for row in states.keys {
                let parents = subset.pairs[number].filter { $0.child == row }.map(\.parent)
                let isOrphan = subset.orphans[number].contains(row)
                if edge.follow == .cut, isOrphan || !parents.isEmpty && parents.allSatisfy({ states[$0] == nil }) {
                    severed[number, default: []].insert(row)
                } else if isWalled, edge.follow != .cut, parents.contains(where: { states[$0] == nil }) {
                    crossing[number, default: []].insert(row)
                }
            }
        }
    }
}

/// The steps of a random subset, in memory.
struct MemorySteps: SubsetSteps {
    let subset: RandomSubset
    /// The most rows of a chain.
    let limit: Int

    func start(_ number: Int, _ receive: ([RowAddress]) throws -> Void) async throws {
        try receive(subset.starts[number])
    }

    func step(
        _ arc: SubsetGraph.Arc,
        from leaf: SubsetGraph.Leaf,
        _ rows: [RowPlace]?,
        _ receive: ([RowAddress]) throws -> Void
    ) async throws {
        let rows = rows ?? subset.rows[leaf.relation, default: []]
        for row in rows { try receive(neighbours(arc, RowAddress(table: leaf.relation, place: row))) }
    }

    private func neighbours(_ arc: SubsetGraph.Arc, _ row: RowAddress) -> [RowAddress] {
        arc.isDownward
            ? subset.children(arc.edge, of: row)
            : subset.pairs[arc.edge].filter { $0.child == row }.map(\.parent)
    }

    func chains(
        _ arcs: [SubsetGraph.Arc],
        from rows: [RowAddress],
        _ receive: (Int, RowAddress) throws -> Void
    ) async throws -> Bool {
        struct Found: Hashable {
            let arc: Int
            let row: RowAddress
        }
        var (seen, count): (Set<Found>, Int) = ([], 0)
        var rest = rows.map { Found(arc: -1, row: $0) }
        while !rest.isEmpty {
            let current = rest.removeFirst()
            for (number, arc) in arcs.enumerated()
            where subset.plan.graph.owners[current.row.table] == subset.plan.graph.source(of: arc).node {
                for row in neighbours(arc, current.row) where seen.insert(Found(arc: number, row: row)).inserted {
                    guard count < limit else { return false }
                    count += 1
                    try receive(number, row)
                    rest.append(Found(arc: number, row: row))
                }
            }
        }
        return true
    }

    func pairs(
        _ edge: Int,
        from leaf: SubsetGraph.Leaf,
        _ rows: [RowPlace]?,
        _ receive: (RowAddress, Int, RowAddress?) throws -> Void
    ) async throws {
        for place in rows ?? subset.rows[leaf.relation, default: []] {
            let row = RowAddress(table: leaf.relation, place: place)
            for pair in subset.pairs[edge] where pair.child == row { try receive(row, 0, pair.parent) }
            if subset.orphans[edge].contains(row) { try receive(row, 0, nil) }
        }
    }
}
