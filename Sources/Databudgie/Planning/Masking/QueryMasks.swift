import Postgres

/// Decides what becomes of the columns of a query's result.
struct QueryMasks {
    typealias ID = ColumnCatalog.ID

    let masks: ColumnMasks
    let policy: MaskingConfiguration.Policy
    let rules: MaskRules

    /// - Parameters:
    ///   - job: Its query is one of the user's.
    ///   - query: What it returns.
    /// - Returns: The columns with their masks, and what is wrong with them.
    func columns(
        of job: BackupJob,
        _ query: [MaskPlanner.QueryColumn]
    ) -> (columns: [MaskedColumn], findings: [MaskFinding]) {
        var findings: [MaskFinding] = []
        let names = Set(query.map { ByteKey($0.name) })
        let columns = query.map { column -> MaskedColumn in
            let name = "\(job.id.name).\(column.name)"
            let choice = choice(column, of: job, name)
            if let finding = choice.finding { findings.append(finding) }
            var value = MaskedValue(sql: "t.\(quotedIdentifier(column.name))", type: column.type)
            value.foldsCase = choice.decision?.foldsCase ?? false
            value.emailDigits = choice.decision?.emailDigits ?? MaskRoom.emailDigits
            guard let rule = choice.rule, rule.mask.kind != .keep else {
                return MaskedColumn(name: column.name, value: value, mask: choice.rule?.mask)
            }
            if let finding = problem(rule, column.type, names, name) { findings.append(finding) }
            return MaskedColumn(name: column.name, value: value, mask: rule.mask)
        }
        return (columns, findings)
    }

    private typealias Choice = (rule: ColumnMasks.Rule?, decision: ColumnMasks.Decision?, finding: MaskFinding?)

    /// The mask of the column's own name, of the table's column of that name, or of the column that it is; without one, what
    /// keeps it.
    private func choice(_ column: MaskPlanner.QueryColumn, of job: BackupJob, _ name: String) -> Choice {
        let named = job.relation.flatMap { relation in
            masks.columns.columns[relation.oid, default: []].first { $0.name.hasBytes(of: column.name) }
                .map { ID(relation: relation.oid, number: $0.number) }
        }
        let ids = [named, column.origin].compactMap(\.self)
        if let contradiction = ids.lazy.compactMap({ masks.conflicts[$0] }).first {
            let rules = contradiction.rules.map { "\(masks.name(of: $0.column)) has \($0.rule.mask.name)" }
            let message = "columns with the same values have different masks: \(rules.listed())"
            return (nil, nil, MaskFinding(.conflict, name, message))
        }
        var rules = rules
        let own = rules.match(name)
        if case .rule(let rule, isExact: true) = own, rule.mask.kind != .keep { return (rule, nil, nil) }
        if let decision = ids.compactMap({ masks.decisions[$0] }).first(where: { $0.mask.kind != .keep }) {
            return (decision.rule, decision, nil)
        }
        switch ids.compactMap({ masks.ambiguous[$0] }).first.map(MaskRules.Match.ambiguous) ?? own {
        case .rule(let rule, let isExact) where isExact || rule.mask.kind != .keep: return (rule, nil, nil)
        case .ambiguous(let rules):
            let message = "several rules give it different masks: \(rules.map { "'\($0.columns)'" }.listed())"
            return (nil, nil, MaskFinding(.ambiguous, name, message, suggestion: "write a rule with its exact name"))
        case .rule, .nothing:
            if let kept = keeping(column, own) { return kept }
            return (
                nil, nil,
                MaskFinding(
                    .unclassified,
                    name,
                    column.origin == nil ? "no rule, and the query computes it" : "no rule",
                    suggestion: "add one, or keep it by this name",
                    isProblem: policy == .strict
                )
            )
        }
    }

    /// What keeps a column that is one of a table under its own name; nil for others: their names are no reason to keep them.
    private func keeping(_ column: MaskPlanner.QueryColumn, _ own: MaskRules.Match) -> Choice? {
        guard let origin = column.origin, let facts = masks.columns[origin], !holdsMaskedValues(origin, facts) else {
            return nil
        }
        if let decision = masks.decisions[origin] { return (decision.rule, decision, nil) }
        guard case .rule(let rule, _) = own, facts.name.hasBytes(of: column.name) else { return nil }
        return (rule, nil, nil)
    }

    /// Whether a column is generated from a table's columns of which some are masked.
    private func holdsMaskedValues(_ id: ID, _ column: ColumnFacts) -> Bool {
        column.isGenerated
            && masks.columns.columns[id.relation, default: []].contains { other in
                let decision = masks.decisions[ID(relation: id.relation, number: other.number)]
                return decision.map { $0.mask.kind != .keep } ?? false
            }
    }

    private func problem(
        _ rule: ColumnMasks.Rule,
        _ type: ColumnType,
        _ names: Set<ByteKey>,
        _ name: String
    ) -> MaskFinding? {
        guard MaskFit.fits(rule.mask, type) else {
            return MaskFinding(
                .wrongType,
                name,
                "the mask '\(rule.mask.name)' is not for \(type.label)",
                suggestion: "use \(MaskFit.masks(for: type).joined(separator: ", "))",
                place: rule.place
            )
        }
        return rule.mask.columnsUsed.first { !names.contains(ByteKey($0)) }.map {
            MaskFinding(
                .unmatchedRule,
                name,
                "'by' names the column '\($0)', which the query does not return",
                place: rule.place
            )
        }
    }
}
