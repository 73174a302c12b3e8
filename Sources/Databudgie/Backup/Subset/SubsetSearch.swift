import Postgres

/// Finds the rows of a subset, in the snapshot of the run and before anything is written.
struct SubsetSearch {
    let session: DatabaseSession
    let plan: SubsetPlan
    /// Policies filter the rows of some tables; others are refused when they are exported.
    let appliesRowSecurity: Bool
    /// Columns that are masked, whose values no message may have; nil: none is.
    var masks: ColumnMasks?
    var batchSizes = SubsetBatchSizes()

    private var connection: Connection { session.connection }
    private var graph: SubsetGraph { plan.graph }

    /// Finds the rows.
    ///
    /// - Returns: The rows, and what the user should know about them.
    /// - Throws: ``DatabudgieError`` for conditions that the server refuses, a start that selects nothing, too many rows, and
    ///   references to rows of other tenants; `PostgresError`.
    func run() async throws -> (result: SubsetResult, findings: [Finding]) {
        try await prepared { try await search($0) }
    }

    /// Runs the body with the settings of a search, once the server has accepted what the user has written.
    func prepared<Result: Sendable>(_ body: (ServerSteps) async throws -> Result) async throws -> Result {
        let path = try await connection.query("select pg_catalog.current_setting('search_path') as path").rows.first
        let steps = ServerSteps(
            connection: connection,
            plan: plan,
            searchPath: path?["path"] ?? "",
            hidesValues: session.settings.masking != nil
        )
        return try await connection.withDiscardedSavepoint("subset", settings: settings) {
            try await raiseWorkMemory()
            try await check(steps)
            return try await body(steps)
        }
    }

    /// Estimates of the planner's that fit look-ups of many single rows.
    static let plannerSettings = [
        "jit": "off", "random_page_cost": "1.1", "max_parallel_workers_per_gather": "0",
    ]

    private var settings: [String: String] {
        appliesRowSecurity ? Self.plannerSettings.merging(["row_security": "on"]) { $1 } : Self.plannerSettings
    }

    private func raiseWorkMemory() async throws {
        _ = try await connection.query(
            """
            select pg_catalog.set_config(name, '64MB', true) from pg_catalog.pg_settings
            where name operator(pg_catalog.=) 'work_mem'
                and setting::pg_catalog.int8 operator(pg_catalog.<) 65536::pg_catalog.int8
            """
        )
    }

    /// Lets the server parse what the user has written, so that all mistakes are reported at once.
    private func check(_ steps: ServerSteps) async throws {
        let statements = StepSQL(graph: graph)
        var checks: [(name: String, statement: SubsetStatement)] = plan.starts.map { start in
            ("subset.start: \(graph.nodes[start.node].name.label)", statements.start(start))
        }
        for (number, edge) in graph.edges.enumerated() {
            for isDownward in [false, true] {
                let arc = SubsetGraph.Arc(edge: number, isDownward: isDownward)
                guard let leaf = graph.source(of: arc).leaves.first else { continue }
                let statement = statements.step(arc, from: leaf, isWhole: false)
                guard statement.hasUserText || !edge.isUnique else { continue }
                checks.append(("subset.references: \(edge.name)", statement))
            }
        }
        for reference in plan.leaving {
            guard reference.hasUserText, let leaf = reference.child.leaves.first else { continue }
            let statement = statements.leaving(reference, from: leaf, isWhole: false)
            checks.append(("subset.references: \(reference.name)", statement))
        }
        var problems: [Finding] = []
        for check in checks {
            do {
                try await steps.prepare(check.statement, [])
                _ = try await connection.withSavepoint("subset_check") {
                    try await connection.describe(check.statement.text)
                }
            } catch let error as PostgresError {
                try rethrowUnlessJobFailed(error)
                problems.append(.problem("\(check.name): \(error.fullMessage)", hint: error.hint))
            }
        }
        let distinct = problems.enumerated().filter { number, problem in !problems[..<number].contains(problem) }
        try distinct.map(\.element).throwProblems(.configuration)
    }

    private func search(_ steps: ServerSteps) async throws -> (result: SubsetResult, findings: [Finding]) {
        let statements = StepSQL(graph: graph)
        var wholeRows = 0
        if plan.settings.maximumRows != nil {
            for node in graph.nodes.indices where graph.nodes[node].isWhole {
                wholeRows += try await steps.count(statements.count(node))
            }
        }
        var closure = SubsetClosure(plan, steps, batchSizes: batchSizes, wholeRows: wholeRows)
        try await closure.run()
        let hidden = try await hiddenParents()
        var seen = plan
        seen.graph = graph.withoutVouching(for: hidden)
        var result = SubsetResult(plan: seen, rows: closure.rows)
        let crossings = try await crossings(result.rows, steps)
        try crossings.throwProblems(.database)
        var findings = crossings + included(result.rows)
        result.cuts = cuts(result.rows)
        findings += try await leaving(&result, steps)
        findings += try await orphans(&result, hidden, steps)
        try await listCutRows(&result, steps)
        let probe = CutProbe(connection: connection, steps: steps, batchSize: batchSizes.usual)
        try await probe.violations(of: result).throwProblems(.database)
        return (result, findings)
    }

    private func cuts(_ rows: SubsetRows) -> [SubsetResult.Cut] {
        var severed = rows.severed
        if plan.settings.crossing == .cut { severed.merge(rows.crossing) { first, _ in first } }
        return severed.sorted { $0.key < $1.key }.map { number, severed in
            let edge = graph.edges[number]
            return SubsetResult.Cut(
                edge: number,
                rows: severed,
                columns: edge.isArray ? edge.columns.map(\.child) : edge.nullableColumns,
                elements: rows.elements[number] ?? [:]
            )
        }
    }

    /// References to rows of other tenants that the subset meets.
    private func crossings(_ rows: SubsetRows, _ steps: ServerSteps) async throws -> [Finding] {
        guard plan.hasWalls else { return [] }
        var findings: [Finding] = []
        for (number, sets) in rows.crossing.sorted(by: { $0.key < $1.key }) {
            let edge = graph.edges[number]
            let isCut = plan.settings.crossing == .cut
            guard !isCut || edge.nullableColumns.isEmpty && !edge.isArray else { continue }
            let count = sets.values.reduce(0) { $0 + $1.count }
            var names: [String] = []
            let areNamed = masks?.masksPrimaryKey(of: graph.nodes[edge.child.node]) != true
            for leaf in edge.child.leaves where areNamed && names.count < 5 {
                guard let set = sets[leaf.relation] else { continue }
                names += try await steps.names(of: edge.child.node, leaf, Array(set.prefix(5 - names.count)))
            }
            let examples = names.joined(separator: ", ") + (count > names.count ? ", …" : "")
            let rows = "\(count) \(count == 1 ? "row" : "rows")" + (names.isEmpty ? "" : " (\(examples))")
            findings.append(
                isCut
                    ? .problem(
                        "\(edge.name) refers to rows outside of the subset, perhaps of other tenants, in \(rows), and cannot "
                            + "be cut"
                            + (edge.obstacle ?? ""),
                        hint: "set the reference to ignore, or choose crossing: include"
                    )
                    : .problem(
                        "\(edge.name) refers to rows outside of the subset, perhaps of other tenants, in \(rows)",
                        hint: "set the reference to cut, or choose crossing: cut or include"
                    )
            )
        }
        return findings
    }

    /// Rows of other tenants that are part of the subset, because that is what was asked for.
    private func included(_ rows: SubsetRows) -> [Finding] {
        guard plan.settings.tenants != nil, plan.settings.crossing == .include else { return [] }
        return plan.scoped.sorted().compactMap { node in
            let leaves = graph.nodes[node].leaves
            let linked = rows.count(rows.kept, in: leaves) - rows.count(rows.chosen, in: leaves)
            guard linked > 0, !graph.nodes[node].isWhole else { return nil }
            return .warning(
                "\(linked) \(linked == 1 ? "row that may be of another tenant is" : "rows that may be of other tenants are") "
                    + "exported, because others refer to \(linked == 1 ? "it" : "them")",
                of: graph.nodes[node].name.label
            )
        }
    }

    /// References that lead out of the run: counted, or cut.
    private func leaving(_ result: inout SubsetResult, _ steps: ServerSteps) async throws -> [Finding] {
        let statements = StepSQL(graph: graph)
        var findings: [Finding] = []
        for reference in plan.leaving where reference.follow != .ignore {
            let isCut = reference.follow == .cut
            var (count, cut): (Int, RowSets) = (0, [:])
            try await forBatches(of: reference.child, result) { leaf, batch in
                guard isCut else {
                    let statement = statements.leaving(reference, from: leaf, isWhole: batch == nil)
                    count += try await steps.count(statement, batch ?? [])
                    return
                }
                let statement = statements.leavingRows(reference, from: leaf, isWhole: batch == nil)
                try await steps.addresses(
                    statement,
                    batch ?? [],
                    { rows in
                        for row in rows { cut[row.table, default: RowSet()].insert(row.place) }
                    }
                )
            }
            if !cut.isEmpty {
                result.cuts.append(SubsetResult.Cut(edge: nil, rows: cut, columns: reference.nullableColumns))
            }
            guard count > 0 else { continue }
            findings.append(
                .warning(
                    "\(reference.name) refers to \(reference.parent), which is not part of the run, in \(count) "
                        + "\(count == 1 ? "row" : "rows")",
                    hint: "add \(reference.parent) to 'tables', or set the reference to "
                        + (reference.nullableColumns.isEmpty ? "ignore" : "cut")
                )
            )
        }
        return findings
    }

    /// References to tables of which policies can hide rows, so that nobody vouches for what is seen.
    private func hiddenParents() async throws -> Set<Int> {
        guard appliesRowSecurity else { return [] }
        let tables = graph.edges.map { edge in
            [graph.nodes[edge.parent.node].relation] + edge.parent.leaves.map(\.relation)
        }
        let filtered = try await connection.query(
            """
            select c.oid from pg_catalog.pg_class c
            where c.oid operator(pg_catalog.=) any ($1::pg_catalog.oid[]) and pg_catalog.row_security_active(c.oid)
            """,
            [Set(tables.joined()).sorted().arrayLiteral]
        ).rows.compactMap { $0["oid"].flatMap(Relation.OID.init) }
        return Set(tables.indices.filter { !Set(tables[$0]).isDisjoint(with: filtered) })
    }

    /// Rows that refer to none, where the server does not vouch for the reference.
    private func orphans(
        _ result: inout SubsetResult,
        _ hidden: Set<Int>,
        _ steps: ServerSteps
    ) async throws -> [Finding] {
        let statements = StepSQL(graph: graph)
        result.orphans = Array(repeating: 0, count: graph.edges.count)
        var findings: [Finding] = []
        for (number, edge) in graph.edges.enumerated() where result.countsOrphans(number) {
            let group = graph.group(of: number)
            guard group[0] == number else { continue }
            var count = 0
            try await forBatches(of: edge.child, result) { leaf, batch in
                let statement = statements.orphans(number, from: leaf, isWhole: batch == nil)
                count += try await steps.count(statement, batch ?? [])
            }
            result.orphans[number] = count
            guard count > 0 else { continue }
            findings.append(
                .warning(
                    "\(edge.name) leads nowhere \(count == 1 ? "once" : "\(count) times"): there is no such row in "
                        + group.map { graph.edges[$0].parent.name.label }.joined(separator: ", ")
                        + (group.contains(where: hidden.contains) ? " that its policies show" : "")
                )
            )
        }
        return findings
    }

    /// Runs the body for all rows of the subset that one end of a reference has; nil means all rows of a table.
    private func forBatches(
        of end: SubsetGraph.End,
        _ result: SubsetResult,
        _ body: (SubsetGraph.Leaf, [RowPlace]?) async throws -> Void
    ) async throws {
        let size = batchSizes.usual
        for leaf in end.leaves {
            guard !graph.nodes[end.node].isWhole else {
                try await body(leaf, nil)
                continue
            }
            var batch: [RowPlace] = []
            for row in result.rows.kept[leaf.relation] ?? RowSet() {
                batch.append(row)
                guard batch.count == size else { continue }
                try await body(leaf, batch)
                batch.removeAll(keepingCapacity: true)
            }
            if !batch.isEmpty { try await body(leaf, batch) }
        }
    }

    /// Lists the rows of whole tables some of which have cut references.
    private func listCutRows(_ result: inout SubsetResult, _ steps: ServerSteps) async throws {
        let tables = Set(result.cuts.flatMap(\.rows.keys))
        let nodes = Set(tables.compactMap { graph.owners[$0] }).filter { graph.nodes[$0].isWhole }
        for node in nodes.sorted() {
            var found: RowSets = [:]
            try await steps.addresses(
                StepSQL(graph: graph).all(node),
                [],
                { rows in
                    for row in rows { found[row.table, default: RowSet()].insert(row.place) }
                }
            )
            result.rows.kept.merge(found) { _, new in new }
            result.listedNodes.insert(node)
        }
    }
}
