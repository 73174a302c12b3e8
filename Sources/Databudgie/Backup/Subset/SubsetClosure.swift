/// Finds rows for a subset, one step at a time.
protocol SubsetSteps: Sendable {
    /// The rows with which a subset begins.
    ///
    /// - Parameters:
    ///   - number: Which of the plan's starts.
    ///   - receive: Takes rows as they arrive, some of them perhaps twice.
    /// - Throws: What the receiver throws, and why rows cannot be found.
    func start(_ number: Int, _ receive: ([RowAddress]) throws -> Void) async throws

    /// The rows that an arc leads to.
    ///
    /// - Parameters:
    ///   - arc: A reference in one direction.
    ///   - leaf: The table that holds the rows from which it leads.
    ///   - rows: These rows; nil: all of the table.
    ///   - receive: Takes rows as they arrive, some of them perhaps twice.
    /// - Throws: What the receiver throws, and why rows cannot be found.
    func step(
        _ arc: SubsetGraph.Arc,
        from leaf: SubsetGraph.Leaf,
        _ rows: [RowPlace]?,
        _ receive: ([RowAddress]) throws -> Void
    ) async throws

    /// The rows that several arcs lead to, and from these to others, and so on.
    ///
    /// - Parameters:
    ///   - arcs: References, each in one direction.
    ///   - rows: The rows from which they lead.
    ///   - receive: Takes rows as they arrive, each with the number of an arc that leads to it.
    /// - Returns: False when there were too many of them, so some may be missing.
    /// - Throws: What the receiver throws, and why rows cannot be found.
    func chains(
        _ arcs: [SubsetGraph.Arc],
        from rows: [RowAddress],
        _ receive: (Int, RowAddress) throws -> Void
    ) async throws -> Bool

    /// Which rows refer to which ones.
    ///
    /// - Parameters:
    ///   - edge: The number of the reference.
    ///   - leaf: The table that holds the referring rows.
    ///   - rows: These rows; nil: all of the table.
    ///   - receive: Takes a row, the number of the element by which it refers, from 1, and the row that it refers to, which
    ///     is nil when there is none; the number is 0 for what is not an array.
    /// - Throws: What the receiver throws, and why rows cannot be found.
    func pairs(
        _ edge: Int,
        from leaf: SubsetGraph.Leaf,
        _ rows: [RowPlace]?,
        _ receive: (RowAddress, Int, RowAddress?) throws -> Void
    ) async throws
}

/// Numbers of elements of arrays, from 1, by the rows that have them.
typealias SubsetElements = [Relation.OID: [RowPlace: Set<Int>]]

/// The rows of a subset.
struct SubsetRows: Sendable {
    /// The chosen rows, and all rows of the subset but those of whole tables, by the tables that hold them.
    var chosen: RowSets = [:]
    var kept: RowSets = [:]
    /// By start: how many rows it has chosen that no other one had chosen before.
    var starts: [Int]
    /// By reference: how many rows it has brought, as parents and as children.
    var parents: [Int]
    var children: [Int]
    /// By reference: rows whose parent is not part of the subset, and of these the ones whose parent another tenant has.
    var severed: [Int: RowSets] = [:]
    var crossing: [Int: RowSets] = [:]
    /// By reference that is an array: the elements of these rows that lead to no row of the subset.
    var elements: [Int: SubsetElements] = [:]

    /// How many rows a table has in the subset.
    func count(_ rows: RowSets, in leaves: [SubsetGraph.Leaf]) -> Int {
        leaves.reduce(0) { $0 + (rows[$1.relation]?.count ?? 0) }
    }

    /// How many rows are chosen or linked.
    var total: Int { kept.values.reduce(0) { $0 + $1.count } }
}

/// How many rows a statement begins with.
struct SubsetBatchSizes: Sendable {
    var usual = 25_000
    /// Where no index helps, so that the table is read few times.
    var withoutIndex = 1_000_000
    /// Rounds of a cycle after which chains are followed by the server, if the last round found few rows.
    var rounds = 32
    var rowsOfShortRound = 1_000
}

/// The least set of rows that has what is chosen and is closed under references.
///
/// A row is linked, or chosen, which is more. The start is chosen. Rows that refer to a chosen one are chosen (`both`), and so
/// is the one that a chosen one refers to (`through`); what any row of the set refers to is linked. Linked rows bring no
/// children. All rules add rows, and each is about a row or a pair of rows, so the order in which they are applied does not
/// matter. Two phases are enough: in the second one, which links parents, nothing more is chosen.
struct SubsetClosure<Steps: SubsetSteps> {
    private let plan: SubsetPlan
    private let steps: Steps
    private let batchSizes: SubsetBatchSizes
    private(set) var rows: SubsetRows
    /// By reference: children that were found from their parents, which are therefore part of the subset.
    private var satisfied: [Int: RowSets] = [:]
    /// By group of references that need all parents: rows one of whose parents is not part of the subset.
    private var groupsUnkept: [Int: RowSets] = [:]
    /// Nodes all of whose rows are there.
    private let wholeNodes: Set<Int>
    /// Rows of whole tables that count towards the limit.
    private let wholeRows: Int
    /// How each row was found; nil when nobody asks.
    private(set) var trace: SubsetTrace?

    private var graph: SubsetGraph { plan.graph }

    /// - Parameters:
    ///   - plan: What to begin with, and what to follow.
    ///   - steps: Finds rows.
    ///   - batchSizes: How many rows a statement begins with.
    ///   - wholeRows: How many rows the whole tables have, for the limit.
    ///   - keepsTrace: It is wanted how each row is found.
    init(
        _ plan: SubsetPlan,
        _ steps: Steps,
        batchSizes: SubsetBatchSizes = SubsetBatchSizes(),
        wholeRows: Int = 0,
        keepsTrace: Bool = false
    ) {
        (self.plan, self.steps, self.batchSizes, self.wholeRows) = (plan, steps, batchSizes, wholeRows)
        trace = keepsTrace ? SubsetTrace() : nil
        let zeros = Array(repeating: 0, count: plan.graph.edges.count)
        let starts = Array(repeating: 0, count: plan.starts.count)
        rows = SubsetRows(starts: starts, parents: zeros, children: zeros)
        wholeNodes = Set(plan.graph.nodes.indices.filter { plan.graph.nodes[$0].isWhole })
    }

    /// Computes the set.
    ///
    /// - Throws: ``DatabudgieError`` when a start selects nothing, or when there are too many rows; what the steps throw.
    mutating func run() async throws {
        let empty = try await choose()
        guard empty.isEmpty else { throw DatabudgieError(.nothingToDo, empty) }
        try await complete(graph.choosing, isChoosing: true)
        rows.kept = rows.chosen
        for (leaf, node) in graph.owners where wholeNodes.contains(node) { rows.kept[leaf] = nil }
        try await complete(plan.linking, isChoosing: false)
        try await findSevered()
    }

    /// Chooses the rows of the start.
    private mutating func choose() async throws -> [Finding] {
        var problems: [Finding] = []
        for (number, start) in plan.starts.enumerated() {
            var isEmpty = true
            let steps = steps
            try await steps.start(number) { found in
                if !found.isEmpty { isEmpty = false }
                for row in found where rows.chosen[row.table, default: RowSet()].insert(row.place) {
                    rows.starts[number] += 1
                    trace?.add(row)
                }
                try checkLimit()
            }
            trace?.endStep(nil)
            guard isEmpty, !start.rows.allowsNone else { continue }
            problems.append(
                .problem(
                    "the start of the subset selects no row",
                    of: graph.nodes[start.node].name.label,
                    hint: "correct its condition, or add 'allow_empty: true' to it"
                )
            )
        }
        return problems
    }

    private func checkLimit() throws {
        guard let limit = plan.settings.maximumRows else { return }
        let chosen = rows.chosen.lazy.filter { !wholeNodes.contains(graph.owners[$0.key] ?? -1) }
        let total = wholeRows + max(rows.total, chosen.reduce(0) { $0 + $1.value.count })
        guard total > limit else { return }
        let brought = graph.edges.indices.map { (edge: $0, rows: rows.parents[$0] + rows.children[$0]) }
            .filter { $0.rows > 0 }.sorted { ($0.rows, $1.edge) > ($1.rows, $0.edge) }.prefix(3)
            .map { "\(graph.edges[$0.edge].name) brought \($0.rows)" }
        let whole = wholeRows > 0 ? ["whole tables have \(wholeRows)"] : []
        let reasons = brought + whole
        throw DatabudgieError(
            .database,
            "the subset has more than \(limit) rows"
                + (reasons.isEmpty ? "" : ": \(reasons.joined(separator: ", "))"),
            hint: "give the reference a limit, or set it to parents, or raise 'max_rows'"
        )
    }
}

extension SubsetClosure {
    /// Follows arcs until they lead to no more rows.
    private mutating func complete(_ arcs: [SubsetGraph.Arc], isChoosing: Bool) async throws {
        // All rows of a whole table are there already, but its chosen rows may bring children.
        let arcs = isChoosing ? arcs : arcs.filter { !wholeNodes.contains(graph.target(of: $0).node) }
        var sources = Array(repeating: [Int](), count: graph.nodes.count)
        for arc in arcs { sources[graph.target(of: arc).node].append(graph.source(of: arc).node) }
        for component in DependencyOrder.components(count: graph.nodes.count, references: sources) {
            let members = Set(component)
            let outgoing = arcs.filter { members.contains(graph.source(of: $0).node) }
            let inner = outgoing.filter { members.contains(graph.target(of: $0).node) }
            if !inner.isEmpty { try await completeCycle(members, inner, isChoosing: isChoosing) }
            for arc in outgoing where !members.contains(graph.target(of: arc).node) {
                let source = isChoosing ? rows.chosen : rows.kept
                _ = try await follow(arc, source, includesWhole: !isChoosing, isChoosing: isChoosing)
            }
        }
    }

    /// Follows the arcs of a cycle, in rounds that begin with what the last one has found.
    private mutating func completeCycle(
        _ members: Set<Int>,
        _ arcs: [SubsetGraph.Arc],
        isChoosing: Bool
    ) async throws {
        let sets = isChoosing ? rows.chosen : rows.kept
        var frontier = sets.filter { members.contains(graph.owners[$0.key] ?? -1) }
        var round = 0
        var isInterrupted = false
        while round == 0 || !frontier.isEmpty {
            let size = frontier.values.reduce(0) { $0 + $1.count }
            if round > batchSizes.rounds, size <= batchSizes.rowsOfShortRound, !isInterrupted {
                guard let rest = try await followChains(arcs, frontier, isChoosing: isChoosing) else { break }
                // A round in between, because the server may have returned nothing new.
                (frontier, isInterrupted) = (rest, true)
                continue
            }
            isInterrupted = false
            var found: RowSets = [:]
            for arc in arcs {
                let new = try await follow(
                    arc,
                    frontier,
                    includesWhole: round == 0 && !isChoosing,
                    isChoosing: isChoosing
                )
                for (leaf, rows) in new { rows.forEach { found[leaf, default: RowSet()].insert($0) } }
            }
            frontier = found
            round += 1
        }
    }

    /// Follows one arc from rows, and returns those that were not in the subset before.
    private mutating func follow(
        _ arc: SubsetGraph.Arc,
        _ sources: RowSets,
        includesWhole: Bool,
        isChoosing: Bool
    ) async throws -> RowSets {
        let end = graph.source(of: arc)
        if wholeNodes.contains(end.node), !isChoosing {
            guard includesWhole else { return [:] }
            var found: RowSets = [:]
            for leaf in end.leaves {
                try await step(arc, leaf, nil, &found, isChoosing: isChoosing)
            }
            return found
        }
        let hasIndex = arc.isDownward ? graph.edges[arc.edge].hasChildIndex : graph.edges[arc.edge].hasParentIndex
        let size = hasIndex ? batchSizes.usual : batchSizes.withoutIndex
        var found: RowSets = [:]
        for leaf in end.leaves {
            guard let set = sources[leaf.relation] else { continue }
            var batch: [RowPlace] = []
            for row in set where needsLook(arc, leaf, row, isChoosing: isChoosing) {
                batch.append(row)
                guard batch.count == size else { continue }
                try await step(arc, leaf, batch, &found, isChoosing: isChoosing)
                batch.removeAll(keepingCapacity: true)
            }
            if !batch.isEmpty { try await step(arc, leaf, batch, &found, isChoosing: isChoosing) }
        }
        return found
    }

    /// The parent of a child that was found from it is there, and so is that of a chosen child of `through`.
    private func needsLook(
        _ arc: SubsetGraph.Arc,
        _ leaf: SubsetGraph.Leaf,
        _ row: RowPlace,
        isChoosing: Bool
    ) -> Bool {
        guard !isChoosing else { return true }
        if satisfied[arc.edge]?[leaf.relation]?.contains(row) == true { return false }
        guard graph.edges[arc.edge].follow == .through else { return true }
        return rows.chosen[leaf.relation]?.contains(row) != true
    }

    private mutating func step(
        _ arc: SubsetGraph.Arc,
        _ leaf: SubsetGraph.Leaf,
        _ batch: [RowPlace]?,
        _ found: inout RowSets,
        isChoosing: Bool
    ) async throws {
        let steps = steps
        try await steps.step(arc, from: leaf, batch) { addresses in
            for address in addresses { add(address, over: arc, &found, isChoosing: isChoosing) }
            try checkLimit()
        }
        trace?.endStep(arc)
    }

    private mutating func add(
        _ address: RowAddress,
        over arc: SubsetGraph.Arc,
        _ found: inout RowSets,
        isChoosing: Bool,
        isChained: Bool = false
    ) {
        if arc.isDownward, graph.edges[arc.edge].isUnique {
            satisfied[arc.edge, default: [:]][address.table, default: RowSet()].insert(address.place)
        }
        let isNew =
            isChoosing
            ? rows.chosen[address.table, default: RowSet()].insert(address.place)
            : rows.kept[address.table, default: RowSet()].insert(address.place)
        guard isNew else { return }
        found[address.table, default: RowSet()].insert(address.place)
        trace?.add(address, chainedBy: isChained ? arc : nil)
        if arc.isDownward { rows.children[arc.edge] += 1 } else { rows.parents[arc.edge] += 1 }
    }

    /// Lets the server follow long chains.
    ///
    /// - Returns: Rows from which they may not have been followed to their end; nil when they have.
    private mutating func followChains(
        _ arcs: [SubsetGraph.Arc],
        _ frontier: RowSets,
        isChoosing: Bool
    ) async throws -> RowSets? {
        let addresses = frontier.flatMap { table, set in set.map { RowAddress(table: table, place: $0) } }
        var found = frontier
        let steps = steps
        let isComplete = try await steps.chains(arcs, from: addresses) { number, address in
            add(address, over: arcs[number], &found, isChoosing: isChoosing, isChained: true)
            try checkLimit()
        }
        trace?.endStep(nil)
        return isComplete ? nil : found
    }
}

extension SubsetClosure {
    /// Finds rows that refer to a row that is not part of the subset, over references that are not followed.
    private mutating func findSevered() async throws {
        for edge in plan.severed {
            for leaf in graph.edges[edge].child.leaves {
                if wholeNodes.contains(graph.edges[edge].child.node) {
                    try await findSevered(edge, leaf, nil)
                    continue
                }
                var batch: [RowPlace] = []
                let isCut = graph.edges[edge].follow == .cut
                for row in rows.kept[leaf.relation] ?? RowSet()
                where isCut || needsLook(SubsetGraph.Arc(edge: edge, isDownward: false), leaf, row, isChoosing: false) {
                    batch.append(row)
                    guard batch.count == batchSizes.usual else { continue }
                    try await findSevered(edge, leaf, batch)
                    batch.removeAll(keepingCapacity: true)
                }
                if !batch.isEmpty { try await findSevered(edge, leaf, batch) }
            }
        }
        joinGroups()
    }

    /// Where several references are one, a row that found its parent by one of them is not severed.
    private mutating func joinGroups() {
        for edge in plan.severed where graph.edges[edge].follow == .cut {
            let group = graph.group(of: edge)
            guard group.count > 1, group[0] == edge else { continue }
            let (sets, arrays) = (group.map { rows.severed[$0] ?? [:] }, group.map { rows.elements[$0] ?? [:] })
            for other in group { (rows.severed[other], rows.elements[other]) = (nil, nil) }
            for (table, set) in sets[0] {
                for row in set {
                    guard sets.allSatisfy({ $0[table]?.contains(row) == true }) else { continue }
                    let elements = arrays.map { $0[table]?[row] ?? [] }
                    let lost = elements.dropFirst().reduce(elements[0]) { $0.intersection($1) }
                    if graph.edges[edge].isArray {
                        guard !lost.isEmpty else { continue }
                        rows.elements[edge, default: [:]][table, default: [:]][row] = lost
                    }
                    rows.severed[edge, default: [:]][table, default: RowSet()].insert(row)
                }
            }
            for (table, set) in groupsUnkept[graph.edges[edge].group ?? -1] ?? [:] {
                for row in set { rows.severed[edge, default: [:]][table, default: RowSet()].insert(row) }
            }
        }
    }

    private mutating func findSevered(_ edge: Int, _ leaf: SubsetGraph.Leaf, _ batch: [RowPlace]?) async throws {
        let isCut = graph.edges[edge].follow == .cut
        let isWholeParent = wholeNodes.contains(graph.edges[edge].parent.node)
        var severed: RowSets = [:]
        var joined: RowSets = [:]
        let (steps, kept) = (steps, rows.kept)
        var elements: SubsetElements = [:]
        var joinedElements: SubsetElements = [:]
        let isArray = graph.edges[edge].isArray
        var unkept: RowSets = [:]
        try await steps.pairs(edge, from: leaf, batch) { child, element, parent in
            let isKept = parent.map { isWholeParent || kept[$0.table]?.contains($0.place) == true }
            if isKept == true {
                joined[child.table, default: RowSet()].insert(child.place)
                if isArray { joinedElements[child.table, default: [:]][child.place, default: []].insert(element) }
            } else if isCut || isKept == false {
                severed[child.table, default: RowSet()].insert(child.place)
                if parent != nil { unkept[child.table, default: RowSet()].insert(child.place) }
                if isArray { elements[child.table, default: [:]][child.place, default: []].insert(element) }
            }
        }
        if let group = graph.edges[edge].group, graph.edges[edge].needsAllParents {
            for (table, set) in unkept {
                for row in set { groupsUnkept[group, default: [:]][table, default: RowSet()].insert(row) }
            }
        }
        for (table, rows) in elements {
            for (row, numbers) in rows {
                // Where several rows have the key, one of them is enough.
                let lost = numbers.subtracting(joinedElements[table]?[row] ?? [])
                if !lost.isEmpty { self.rows.elements[edge, default: [:]][table, default: [:]][row] = lost }
            }
        }
        for (table, set) in severed {
            for row in set {
                guard isCut else {
                    rows.crossing[edge, default: [:]][table, default: RowSet()].insert(row)
                    continue
                }
                let isJoined = isArray ? rows.elements[edge]?[table]?[row] == nil : joined[table]?.contains(row) == true
                if isJoined, !graph.edges[edge].needsAllParents { continue }
                rows.severed[edge, default: [:]][table, default: RowSet()].insert(row)
            }
        }
    }
}
