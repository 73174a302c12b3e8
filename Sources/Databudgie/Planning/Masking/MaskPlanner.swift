import Postgres

/// Decides what becomes of each column of a backup.
struct MaskPlanner {
    typealias ID = ColumnCatalog.ID

    let configuration: MaskingConfiguration
    let catalog: DatabaseCatalog
    let columns: ColumnCatalog
    /// Of the subset that is exported; nil: there is none.
    var references: SubsetGraph?

    /// A column of a query's result.
    struct QueryColumn: Sendable {
        let name: String
        let type: ColumnType
        /// The column of a table that it is; nil when it is computed.
        let origin: ID?
    }

    /// - Parameters:
    ///   - jobs: All jobs of the backup.
    ///   - queries: What the queries of the user's return, by the number of the job in the list.
    /// - Returns: The masks of each job, and what was found.
    func plan(_ jobs: [BackupJob], queries: [Int: [QueryColumn]]) -> MaskPlan {
        var rules = MaskRules(configuration.rules)
        let computed = queries.sorted { $0.key < $1.key }.flatMap { number, columns in
            columns.map { "\(jobs[number].id.name).\($0.name)" }
        }
        let masks = ColumnMasks(&rules, catalog, columns, references: references, others: computed)
        let checks = MaskChecks(masks, policy: configuration.policy)
        let tables = jobs.filter { $0.includesRows && $0.isOfTable }.compactMap(\.relation)
        var findings = checks.unusedRules + checks.expressions + checks.findings(of: tables)
        var statements: [MaskedColumns?] = []
        var counts: [MaskPlan.Counts] = []
        for (number, job) in jobs.enumerated() {
            guard job.includesRows else {
                statements.append(nil)
                counts.append(MaskPlan.Counts([]))
                continue
            }
            let chosen: [MaskedColumn]
            if let query = queries[number] {
                let result = QueryMasks(masks: masks, policy: configuration.policy, rules: rules).columns(
                    of: job,
                    query
                )
                findings += result.findings
                chosen = result.columns
            } else {
                chosen = job.isOfTable ? job.relation.map { tableColumns($0, masks) } ?? [] : []
            }
            statements.append(MaskedColumns(chosen))
            counts.append(MaskPlan.Counts(chosen))
        }
        findings += keyFindings(statements)
        return MaskPlan(statements: statements, findings: findings, masks: masks, counts: counts)
    }

    /// Masks that differ in every run are not what somebody wants who masks strictly.
    private func keyFindings(_ statements: [MaskedColumns?]) -> [MaskFinding] {
        guard configuration.key == nil, configuration.policy == .strict,
            statements.contains(where: { $0?.isKeyed == true })
        else { return [] }
        return [
            MaskFinding(
                .noKey,
                nil,
                "masking.key is not set, so masks would differ in every run",
                suggestion: "set it, or write 'key: random'"
            )
        ]
    }

    /// The columns of a table that are exported: the server computes generated ones again, and theirs would hold raw values.
    private func tableColumns(_ relation: Relation, _ masks: ColumnMasks) -> [MaskedColumn] {
        columns.columns[relation.oid, default: []].map { column in
            let decision = masks.decisions[ID(relation: relation.oid, number: column.number)]
            var value = MaskedValue(sql: "t.\(quotedIdentifier(column.name))", type: column.type)
            value.isNotNull = column.isNotNull
            value.foldsCase = decision?.foldsCase ?? false
            value.emailDigits = decision?.emailDigits ?? MaskRoom.emailDigits
            return MaskedColumn(
                name: column.name,
                value: value,
                mask: decision?.mask,
                isExported: !column.isGenerated
            )
        }
    }
}

/// The masks of a backup's jobs.
struct MaskPlan: Sendable {
    /// For each job; nil when it is exported as it is.
    let statements: [MaskedColumns?]
    let findings: [MaskFinding]
    /// What becomes of each column of the database.
    let masks: ColumnMasks
    /// For each job.
    let counts: [Counts]

    /// How many columns are exported, and how.
    struct Counts: Sendable {
        let columns: Int
        let masked: Int
        let kept: Int

        init(_ columns: [MaskedColumn]) {
            let exported = columns.filter(\.isExported)
            self.columns = exported.count
            masked = exported.count { $0.isMasked }
            kept = exported.count { $0.mask != nil && !$0.isMasked }
        }
    }

    /// The columns that no rule masks or keeps.
    var unclassified: [MaskFinding] {
        findings.filter { $0.code == .unclassified || $0.code == .mayHoldCopies }
    }
}

extension BackupJob {
    /// All rows of a table or view are exported, rather than what a query makes of them.
    var isOfTable: Bool { if case .table = query.source { true } else { false } }
}
