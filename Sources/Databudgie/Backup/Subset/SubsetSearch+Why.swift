import Postgres

extension SubsetSearch {
    /// Finds out why rows are part of the subset.
    ///
    /// The subset is found as for a backup, with a note of what led to each row; then one statement a reference leads back.
    /// - Parameters:
    ///   - name: The rows, `public.orders:201`.
    ///   - catalog: Of the snapshot.
    /// - Returns: The answer.
    /// - Throws: ``DatabudgieError`` when there is no such row, and as ``run()`` does, without looking for references to rows of
    ///   other tenants; `PostgresError`.
    func why(_ name: String, _ catalog: DatabaseCatalog) async throws -> RowReasons {
        let name = try RowName(name, in: plan.graph, catalog)
        return try await prepared { steps in
            let rows = try await self.rows(of: name, limit: RowReasons.limit + 1)
            var closure = SubsetClosure(plan, steps, batchSizes: batchSizes, keepsTrace: true)
            try await closure.run()
            var free = plan
            // What a reference's conditions leave out as children can be a row that refers.
            free.graph = plan.graph.withoutRestrictions
            let explainer = RowExplainer(
                plan: plan,
                masks: masks,
                steps: ServerSteps(
                    connection: session.connection,
                    plan: free,
                    searchPath: steps.searchPath,
                    hidesValues: steps.hidesValues
                ),
                rows: closure.rows,
                trace: closure.trace ?? SubsetTrace()
            )
            var reasons: [RowReason] = []
            for row in rows.prefix(RowReasons.limit) { reasons.append(try await explainer.reason(for: row)) }
            return RowReasons(reasons: reasons, hasMore: rows.count > RowReasons.limit)
        }
    }

    private func rows(of name: RowName, limit: Int) async throws -> [RowAddress] {
        let statement = StepSQL(graph: plan.graph).rows(of: name, limit: limit)
        let found: [RowAddress]
        do {
            let result = try await session.connection.withSavepoint("row") {
                try await session.connection.query(statement, name.columns.map(\.value))
            }
            found = result.rows.compactMap { row in
                guard let table = row["o"].flatMap(Relation.OID.init), let place = row["r"].flatMap(RowPlace.init)
                else {
                    return nil
                }
                return RowAddress(table: table, place: place)
            }
        } catch let error as PostgresError {
            try rethrowUnlessJobFailed(error)
            throw DatabudgieError(.configuration, "\(name.text): \(error.message)", hint: error.hint, underlying: error)
        }
        guard !found.isEmpty else {
            throw DatabudgieError(.database, "there is no row \(name.text)")
        }
        return found
    }
}

extension RowPlace {
    /// Reads a place as the server writes it; nil when it is something else.
    fileprivate init?(_ text: String) {
        let numbers = text.utf8.dropFirst().dropLast().split(separator: UInt8(ascii: ","))
            .map { String(decoding: $0, as: UTF8.self) }
        guard numbers.count == 2, let block = UInt32(numbers[0]), let offset = UInt16(numbers[1]) else { return nil }
        self.init(block: block, offset: offset)
    }
}

/// Leads from rows of a subset back to those that it begins with.
private struct RowExplainer {
    let plan: SubsetPlan
    let masks: ColumnMasks?
    /// Follow references to all children.
    let steps: ServerSteps
    let rows: SubsetRows
    let trace: SubsetTrace

    private var graph: SubsetGraph { plan.graph }

    func reason(for address: RowAddress) async throws -> RowReason {
        var reason = RowReason(row: try await row(address))
        var current = address
        while let origin = trace.origin(of: current) {
            guard let arc = origin.arc else {
                reason.end = .start
                return reason
            }
            guard let cause = try await cause(of: current, arc, before: origin.time) else {
                throw DatabudgieError(
                    .internalInconsistency,
                    "nothing leads to \(reason.chain.last?.row.name ?? reason.row.name) by \(graph.edges[arc.edge].name)"
                )
            }
            let hop = RowReason.Hop(
                reference: graph.edges[arc.edge].name,
                refers: !arc.isDownward,
                row: try await row(cause)
            )
            reason.chain.append(hop)
            current = cause
        }
        if isWhole(current) { reason.end = .whole }
        return reason
    }

    /// The row from which a reference led to this one: the one that was found first; one of a whole table was always there.
    private func cause(
        of address: RowAddress,
        _ arc: SubsetGraph.Arc,
        before time: SubsetTrace.Time
    ) async throws -> RowAddress? {
        guard let leaf = graph.leaf(of: address.table) else { return nil }
        let back = SubsetGraph.Arc(edge: arc.edge, isDownward: !arc.isDownward)
        var best: (time: SubsetTrace.Time, row: RowAddress)?
        var whole: RowAddress?
        try await steps.step(back, from: leaf, [address.place]) { found in
            for row in found {
                if let origin = trace.origin(of: row, before: time) {
                    if let best, (best.time, best.row) <= (origin.time, row) { continue }
                    best = (origin.time, row)
                } else if isWhole(row) {
                    whole = whole.map { min($0, row) } ?? row
                }
            }
        }
        return best?.row ?? whole
    }

    private func isWhole(_ row: RowAddress) -> Bool {
        graph.owners[row.table].map { graph.nodes[$0].isWhole } ?? false
    }

    private func row(_ address: RowAddress) async throws -> RowReason.Row {
        guard let node = graph.owners[address.table], let leaf = graph.leaf(of: address.table) else {
            throw DatabudgieError(.internalInconsistency, "a row of the table \(address.table) was found")
        }
        let isChosen = rows.chosen[address.table]?.contains(address.place) == true
        let isKept = graph.nodes[node].isWhole || rows.kept[address.table]?.contains(address.place) == true
        return RowReason.Row(
            table: graph.nodes[node].name.label,
            key: masks?.masksPrimaryKey(of: graph.nodes[node]) == true
                ? "ctid \([address.place].arrayText)"
                : try await steps.names(of: node, leaf, [address.place]).first ?? "",
            state: isChosen ? .chosen : isKept ? .linked : nil
        )
    }
}
