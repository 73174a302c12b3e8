import Postgres

/// Plans a subset: finds its tables, its references and what it begins with, and everything that is wrong with them.
struct SubsetPlanner {
    let catalog: DatabaseCatalog
    let settings: SubsetSettings

    /// Plans a subset.
    ///
    /// - Parameter jobs: All jobs of the run.
    /// - Returns: The plan, with what the user should know.
    /// - Throws: ``DatabudgieError`` with all problems.
    func plan(_ jobs: [BackupJob]) throws(DatabudgieError) -> SubsetPlan {
        guard let keys = catalog.keys else {
            throw DatabudgieError(.internalInconsistency, "the keys of the tables were not read")
        }
        let tables = SubsetTables(catalog, keys, jobs: jobs)
        var findings = jobs.flatMap(finding)
        let references = SubsetReferences(catalog: catalog, keys: keys, tables: tables, settings: settings).find()
        findings += references.findings
        var graph = SubsetGraph(nodes: wholeNodes(tables, jobs, &findings), edges: references.edges)
        let starts = starts(tables, &findings)
        let tenants = tenants(tables, &findings)
        var leaving = references.leaving
        findings += self.leaving(leaving)
        // Without a start everything would be unconnected.
        if !starts.isEmpty {
            let first = Set(starts.map(\.node))
            graph = resolvingUnconnected(graph, first, &findings)
            includeInherited(&graph, &leaving, jobs)
            findings += unreached(graph, first) + unaddressable(graph, leaving, tables, first)
        }
        let columns = columnsWithoutIndex(graph, Set(starts.map(\.node)))
        findings += columns.map { .note("no index on \($0): each pass reads the table") }
        findings += inherited(graph)
        try findings.throwProblems(.configuration)
        return SubsetPlan(
            graph: graph,
            starts: starts,
            leaving: leaving,
            scoped: tenants.map { graph.reached(from: [$0], over: graph.choosing) } ?? [],
            settings: settings,
            checks: checks(graph, keys),
            columnsWithoutIndex: columns,
            findings: findings
        )
    }

    private func checks(_ graph: SubsetGraph, _ keys: KeyCatalog) -> [Relation.OID: [CutCheck]] {
        graph.nodes.flatMap(\.leaves).map(\.relation).reduce(into: [:]) { result, table in
            result[table] = keys.checks[table, default: []].map { check in
                CutCheck(
                    name: check.name,
                    columns: check.columns.map { ($0, keys.types[table]?[ByteKey($0)]?.name ?? "text") },
                    expression: check.expression
                )
            }
        }
    }

    /// What is wrong with a job of a subset, or is special about it.
    private func finding(_ job: BackupJob) -> [Finding] {
        guard job.includesRows else { return [] }
        guard job.isSubsetTable else {
            guard settings.tenants != nil else {
                return [
                    .warning("it is exported as it is, because a subset follows references of tables only", of: job.id)
                ]
            }
            let isNamed = settings.whole.contains { matches($0, job) }
            let message =
                "it is exported as it is, because a subset follows references of tables only: it can have rows of any tenant"
            return isNamed
                ? [] : [.problem(message, of: job.id, hint: "name it under 'whole' of 'subset', or exclude it")]
        }
        var findings: [Finding] = []
        if case .custom = job.query {
            findings.append(
                .problem("it has a query of its own", of: job.id, hint: "write its condition under 'start' of 'subset'")
            )
        }
        if job.skipsIfExists {
            findings.append(
                .problem(
                    "it has 'skip_if_exists', but rows of another moment do not fit a subset",
                    of: job.id,
                    hint: "remove it"
                )
            )
        }
        return findings
    }

    private func matches(_ name: String, _ job: BackupJob) -> Bool {
        guard let label = job.relation?.name.description ?? job.tableName else { return false }
        let pattern = TableSelection.pattern(for: name, in: catalog.defaultSchema)
        return label.hasBytes(of: pattern) || label.hasBytes(of: name) || Glob(pattern).matches(label)
    }

    private func wholeNodes(
        _ tables: SubsetTables,
        _ jobs: [BackupJob],
        _ findings: inout [Finding]
    ) -> [SubsetGraph.Node] {
        var nodes = tables.nodes
        for name in settings.whole {
            let named = tables.named(name)
            for node in named { nodes[node].isWhole = true }
            guard named.isEmpty, !jobs.contains(where: { !$0.isSubsetTable && matches(name, $0) }) else { continue }
            findings.append(
                .problem("subset.whole: '\(name)' matches no table of the run", hint: tables.suggestion(for: name))
            )
        }
        return nodes
    }

    private func starts(_ tables: SubsetTables, _ findings: inout [Finding]) -> [SubsetPlan.Start] {
        settings.start.flatMap { start in
            let named = tables.named(start.table)
            if named.isEmpty {
                findings.append(
                    .problem(
                        "subset.start: '\(start.table)' matches no table of the run",
                        hint: tables.suggestion(for: start.table)
                    )
                )
            }
            if start.sample != nil {
                findings += named.filter { tables.nodes[$0].primaryKey.isEmpty }.map {
                    .problem("it has no primary key, which 'sample' needs", of: tables.nodes[$0].name.label)
                }
            }
            return named.map { SubsetPlan.Start(node: $0, rows: start) }
        }
    }

    private func tenants(_ tables: SubsetTables, _ findings: inout [Finding]) -> Int? {
        guard let name = settings.tenants else { return nil }
        let named = tables.named(name)
        guard named.count == 1 else {
            findings.append(
                .problem(
                    "subset.tenants: '\(name)' matches \(named.isEmpty ? "no table" : "\(named.count) tables") of the run",
                    hint: named.isEmpty ? tables.suggestion(for: name) : "name one table"
                )
            )
            return nil
        }
        return named[0]
    }

    private func leaving(_ references: [LeavingReference]) -> [Finding] {
        guard settings.tenants != nil else { return [] }
        return references.filter { $0.follow != .cut && $0.follow != .ignore }.map {
            .problem(
                "\($0.name) refers to \($0.parent), which is not part of the run: its rows can be of any tenant",
                hint: "add \($0.parent) to 'tables', or set the reference to cut or ignore"
            )
        }
    }

    /// Tables that no chain of references connects with the start: by the graph alone.
    private func resolvingUnconnected(
        _ graph: SubsetGraph,
        _ first: Set<Int>,
        _ findings: inout [Finding]
    ) -> SubsetGraph {
        let connected = graph.connected(with: first)
        let others = graph.nodes.indices.filter { !connected.contains($0) && !graph.nodes[$0].isWhole }
        guard !others.isEmpty else { return graph }
        let names = others.map { graph.nodes[$0].name.label }
        switch settings.unconnectedOrDefault {
        case .whole:
            var nodes = graph.nodes
            for other in others { nodes[other].isWhole = true }
            findings += names.map {
                .note("no reference connects it with the start, so all of its rows are exported", of: $0)
            }
            return SubsetGraph(nodes: nodes, edges: graph.edges)
        case .empty:
            let them = names.count == 1 ? "it" : "them"
            findings.append(
                .warning(
                    "no row of \(names.joined(separator: ", ")) is exported, because no reference connects \(them) with the "
                        + "start"
                )
            )
        case .error:
            let tables = others.map { other in
                let rows = catalog[graph.nodes[other].relation]?.estimatedRows
                return graph.nodes[other].name.label + (rows.map { " (about \(counted($0, "row")))" } ?? "")
            }
            let start = first.sorted().map { graph.nodes[$0].name.label }.joined(separator: ", ")
            findings.append(
                .problem(
                    "no reference leads from \(start) to \(tables.joined(separator: ", "))",
                    hint: "name \(tables.count == 1 ? "it" : "them") under 'whole', or set unconnected: none"
                )
            )
        }
        return graph
    }

    /// Tables that are connected with the start, but of which no row can be part of the subset.
    private func unreached(_ graph: SubsetGraph, _ first: Set<Int>) -> [Finding] {
        let chosen = graph.reached(from: first, over: graph.choosing)
        let whole = graph.nodes.indices.filter { graph.nodes[$0].isWhole }
        let reached = graph.reached(from: chosen.union(whole), over: graph.linking)
        let connected = graph.connected(with: first)
        let empty = graph.nodes.indices.filter { connected.contains($0) && !reached.contains($0) }
        var others: [String] = []
        // By the reference that could be set to `through`.
        var doors: [(edge: String, tables: [String])] = []
        for node in empty {
            let label = graph.nodes[node].name.label
            // A row that is merely linked brings no children; one that is chosen by `through` does.
            let parents = Set(graph.edges.filter { $0.child.node == node && $0.follow == .both }.map(\.parent.node))
            let door = graph.edges.first { edge in
                parents.contains(edge.parent.node) && chosen.contains(edge.child.node)
                    && !chosen.contains(edge.parent.node)
                    && [.both, .parents].contains(edge.follow)
            }
            if let door, let known = doors.firstIndex(where: { $0.edge.hasBytes(of: door.name) }) {
                doors[known].tables.append(label)
            } else if let door {
                doors.append((door.name, [label]))
            } else {
                others.append(label)
            }
        }
        let findings = doors.map { door in
            Finding.warning(
                "no row of \(door.tables.joined(separator: ", ")) is exported, because rows that others refer to bring none "
                    + "that refer to them",
                hint: "set the reference \(door.edge) to through, or name the "
                    + "\(door.tables.count == 1 ? "table" : "tables") under 'whole'"
            )
        }
        guard !others.isEmpty else { return findings }
        return findings + [
            .warning(
                "no row of \(others.joined(separator: ", ")) is exported: no reference is followed to "
                    + (others.count == 1 ? "it" : "them"),
                hint: "name \(others.count == 1 ? "it" : "them") under 'whole' to export all rows"
            )
        ]
    }

    /// Rows that have no addresses can only be exported all together.
    private func unaddressable(
        _ graph: SubsetGraph,
        _ leaving: [LeavingReference],
        _ tables: SubsetTables,
        _ first: Set<Int>
    ) -> [Finding] {
        let chosen = graph.reached(from: first, over: graph.choosing)
        return graph.nodes.indices.compactMap { node in
            // Rows with columns that are cut are exported one by one.
            let isCut =
                graph.edges.contains { $0.child.node == node && $0.follow == .cut }
                || leaving.contains { $0.child.node == node && $0.follow == .cut }
            let leaves = isCut ? graph.nodes[node].leaves : tables.nodes[node].leaves
            guard let obstacle = tables.obstacle(leaves), !graph.nodes[node].isWhole || chosen.contains(node) || isCut
            else { return nil }
            return .problem(
                "a subset of it is not possible: \(obstacle)",
                of: graph.nodes[node].name.label,
                hint: "name it under 'whole' and let no reference lead to it, or exclude it"
            )
        }
    }

    /// Rows of tables that inherit from a whole table are in its file, so its references are theirs, too.
    private func includeInherited(
        _ graph: inout SubsetGraph,
        _ leaving: inout [LeavingReference],
        _ jobs: [BackupJob]
    ) {
        var (nodes, edges) = (graph.nodes, graph.edges)
        for node in nodes.indices where nodes[node].isWhole && !nodes[node].isPartitioned {
            let isRead = jobs.contains { job in
                guard case .table(_, isOnly: let isOnly) = job.query.source, !isOnly else { return false }
                return job.relation?.oid == nodes[node].relation
            }
            let others = catalog.descendants(of: nodes[node].relation).compactMap { catalog[$0] }
            guard isRead, !others.isEmpty else { continue }
            nodes[node].leaves += SubsetTables.leaves(others)
            for edge in edges.indices where edges[edge].child.node == node {
                edges[edge].child.leaves = nodes[node].leaves
                // Foreign keys are not inherited.
                edges[edge].isValidated = false
            }
            for reference in leaving.indices where leaving[reference].child.node == node {
                leaving[reference].child.leaves = nodes[node].leaves
            }
        }
        graph = SubsetGraph(nodes: nodes, edges: edges)
    }

    /// Rows of tables that inherit from a table are not its own, and no foreign key leads to them.
    private func inherited(_ graph: SubsetGraph) -> [Finding] {
        let nodes = Set(graph.nodes.map(\.relation))
        return graph.nodes.filter { !$0.isPartitioned && !$0.isWhole }.flatMap { node in
            catalog.descendants(of: node.relation).filter { !nodes.contains($0) }.compactMap { catalog[$0]?.name }.map {
                .warning(
                    "the subset has only its own rows, and not those of \($0.label), which inherits from it",
                    of: node.name.label,
                    hint: "add \($0.label) to 'tables', or name the table under 'whole'"
                )
            }
        }
    }

    /// Columns by which rows are looked up without an index, each once.
    private func columnsWithoutIndex(_ graph: SubsetGraph, _ first: Set<Int>) -> [String] {
        func label(_ table: QualifiedName, _ columns: [String]) -> String {
            "\(table.label)(\(columns.joined(separator: ", ")))"
        }
        let chosen = graph.reached(from: first, over: graph.choosing)
        let reached = graph.reached(
            from: chosen.union(graph.nodes.indices.filter { graph.nodes[$0].isWhole }),
            over: graph.linking
        )
        var columns: [String] = []
        for edge in graph.edges {
            let (isDownward, isUpward) = (edge.follow == .both, [.both, .parents, .through].contains(edge.follow))
            if isDownward, !edge.hasChildIndex, edge.expression == nil, chosen.contains(edge.parent.node) {
                columns.append(label(edge.child.name, edge.columns.map(\.child)))
            }
            // All rows of a whole table are there already.
            let isLookedUp = reached.contains(edge.child.node) && !graph.nodes[edge.parent.node].isWhole
            if isUpward, !edge.hasParentIndex, isLookedUp {
                columns.append(label(edge.parent.name, edge.columns.map(\.parent)))
            }
        }
        var seen: Set<ByteKey> = []
        return columns.filter { seen.insert(ByteKey($0)).inserted }
    }
}
