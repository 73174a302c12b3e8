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

    /// The rule of the table's column of that name, or of the column that it is; a mask beats what keeps it.
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
        let decisions = ids.compactMap { masks.decisions[$0] }
        if let decision = decisions.first(where: { $0.mask.kind != .keep }) ?? decisions.first {
            return (decision.rule, decision, nil)
        }
        let ambiguous = ids.compactMap { masks.ambiguous[$0] }.first
        var rules = rules
        switch ambiguous.map(MaskRules.Match.ambiguous) ?? rules.match(name) {
        case .rule(let rule, _): return (rule, nil, nil)
        case .ambiguous(let rules):
            let message = "several rules give it different masks: \(rules.map { "'\($0.columns)'" }.listed())"
            return (nil, nil, MaskFinding(.ambiguous, name, message, suggestion: "write a rule with its exact name"))
        case .nothing:
            return (
                nil, nil,
                MaskFinding(
                    .unclassified,
                    name,
                    ids.isEmpty ? "no rule, and the query computes it" : "no rule",
                    suggestion: "add one, or keep it",
                    isProblem: policy == .strict
                )
            )
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
