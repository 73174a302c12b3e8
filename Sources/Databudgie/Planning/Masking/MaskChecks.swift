/// Finds what is wrong with the masks of columns, before anything is read.
struct MaskChecks {
    typealias ID = ColumnCatalog.ID

    let masks: ColumnMasks
    let policy: MaskingConfiguration.Policy
    private let keyColumns: Set<ID>
    /// The columns that others refer to, each with the name of a reference.
    private let referred: [ID: String]
    private let indexes: [Relation.OID: [UniqueIndex]]

    private var isStrict: Bool { policy == .strict }

    init(_ masks: ColumnMasks, policy: MaskingConfiguration.Policy) {
        (self.masks, self.policy) = (masks, policy)
        keyColumns = Set(masks.links.filter { $0.key != nil }.flatMap { [$0.from, $0.to] })
        referred = Dictionary(
            masks.links.compactMap { link in link.key.map { (link.to, $0) } },
            uniquingKeysWith: { first, _ in first }
        )
        indexes = Dictionary(grouping: masks.columns.uniqueIndexes, by: \.relation)
    }

    /// What is wrong with the columns of relations, in their order.
    func findings(of relations: [Relation]) -> [MaskFinding] {
        var conflicts: Set<ID> = []
        return relations.flatMap { relation -> [MaskFinding] in
            let facts = masks.columns.columns[relation.oid, default: []].filter { !$0.isGenerated }
            let hasMasks = facts.contains { isMasked(ID(relation: relation.oid, number: $0.number)) }
            return facts.flatMap { column -> [MaskFinding] in
                let id = ID(relation: relation.oid, number: column.number)
                if let conflict = masks.conflicts[id] {
                    guard let first = conflict.members.first, conflicts.insert(first).inserted else { return [] }
                    return [contradiction(id, conflict)]
                }
                guard let decision = masks.decisions[id] else { return [undecided(id, column, hasMasks: hasMasks)] }
                return findings(id, column, decision)
            }
        }
    }

    private func isMasked(_ id: ID) -> Bool {
        guard let decision = masks.decisions[id] else { return false }
        return decision.mask.kind != .keep
    }

    /// Rules that match nothing.
    var unusedRules: [MaskFinding] {
        masks.unused.map { rule in
            MaskFinding(
                .unmatchedRule,
                nil,
                "the rule '\(rule.columns)' matches no column",
                suggestion: "rules are exact names or globs over schema.table.column",
                place: rule.place,
                isProblem: isStrict
            )
        }
    }

    /// References by expressions whose values are those of masked columns: they lead nowhere in the set.
    var expressions: [MaskFinding] {
        masks.expressions.compactMap { expression in
            guard let column = expression.columns.first(where: isMasked) else { return nil }
            return MaskFinding(
                .conflict,
                expression.name,
                "the expression of this reference has values of \(masks.name(of: column)), which is masked",
                suggestion: "keep \(masks.name(of: column)), or mask what the expression reads",
                isProblem: false
            )
        }
    }

    private func contradiction(_ id: ID, _ conflict: ColumnMasks.Conflict) -> MaskFinding {
        var seen: [Mask] = []
        let different = conflict.rules.filter { entry in
            guard !seen.contains(entry.rule.mask) else { return false }
            seen.append(entry.rule.mask)
            return true
        }
        let rules = different.map { "\(masks.name(of: $0.column)) has \($0.rule.mask.name)" }
        return MaskFinding(
            .conflict,
            masks.name(of: id),
            "columns with the same values have different masks: \(rules.listed())",
            suggestion: "give them one mask; an exact name on one of them beats globs on the others",
            place: different.last?.rule.place
        )
    }

    private func undecided(_ id: ID, _ column: ColumnFacts, hasMasks: Bool) -> MaskFinding {
        let name = masks.name(of: id)
        if let rules = masks.ambiguous[id] {
            let masks = rules.map { "'\($0.columns)' (\($0.mask.name))" }.listed()
            return MaskFinding(
                .ambiguous,
                name,
                "several rules give it different masks: \(masks)",
                suggestion: "write a rule with its exact name",
                place: rules.last?.place
            )
        }
        let suggestion = MaskSuggestion.of(column)
        if !isStrict, hasMasks, column.type.mayHoldCopies {
            return MaskFinding(
                .mayHoldCopies,
                name,
                "no rule, and a \(column.type.label) may hold copies of masked values",
                suggestion: "mask it, or keep it; suggestion: \(suggestion)",
                isProblem: false
            )
        }
        return MaskFinding(
            .unclassified,
            name,
            "no rule",
            suggestion: "add one, or keep it; suggestion: \(suggestion)",
            isProblem: isStrict
        )
    }

    private func findings(_ id: ID, _ column: ColumnFacts, _ decision: ColumnMasks.Decision) -> [MaskFinding] {
        let mask = decision.mask
        let name = masks.name(of: id)
        func finding(_ code: MaskFinding.Code, _ message: String, _ suggestion: String?) -> MaskFinding {
            MaskFinding(code, name, message + inheritance(decision), suggestion: suggestion, place: decision.rule.place)
        }
        guard mask.kind != .keep else {
            guard !decision.isExact, column.looksPersonal else { return [] }
            return [
                MaskFinding(
                    .suspiciousKeep,
                    name,
                    "it is kept, and its name says that it is about a person",
                    suggestion: "mask it, or keep it by its exact name; suggestion: \(MaskSuggestion.of(column))",
                    place: decision.rule.place,
                    isProblem: false
                )
            ]
        }
        if let reason = protection(decision) {
            return [finding(.protectedColumn, "\(reason), so it can only be kept", "keep it")]
        }
        guard MaskFit.fits(mask, column.type) else {
            let fitting = MaskFit.masks(for: column.type).joined(separator: ", ")
            return [finding(.wrongType, "the mask '\(mask.name)' is not for \(column.type.label)", "use \(fitting)")]
        }
        var findings: [MaskFinding] = []
        if let missing = missingColumn(mask, id.relation) {
            findings.append(finding(.unmatchedRule, "'by' names the column '\(missing)', which the table lacks", nil))
        }
        if let limit = column.type.textLimit, let longest = MaskRoom.longest(mask, in: column.type), longest > limit {
            findings.append(
                finding(
                    .tooLong,
                    "the mask '\(mask.name)' needs \(longest) characters, and \(limit) have room",
                    "use another mask, or a type with room for \(longest)"
                )
            )
        }
        if mask.kind == .null, column.isNotNull {
            findings.append(
                finding(.notNull, "the mask is NULL, and the column is NOT NULL", "use value, or another mask")
            )
        }
        let others = decision.members.filter { $0 != id }
        let isOfKey = decision.members.contains(where: keyColumns.contains)
        if isOfKey, !others.isEmpty, !mask.columnsUsed.isEmpty || mask.hasUserText {
            let names = others.map(masks.name).listed()
            findings.append(
                finding(
                    .conflict,
                    "the mask depends on other columns of its row, so it would differ from those of \(names)",
                    "use a mask of the value alone"
                )
            )
        }
        if let index = violatedIndex(id, column, decision) {
            let fitting = MaskFit.uniqueMasks(for: column.type).joined(separator: ", ")
            findings.append(
                finding(
                    .notUnique,
                    "the mask '\(mask.name)' may give different values the same one, which the index \(index.name) refuses",
                    "use \(fitting)" + (column.isNotNull || index.nullsAreEqual ? "" : " or null")
                )
            )
        } else if let reference = referred[id], mask.kind != .null, !isInjective(decision, column, id.relation) {
            let fitting = MaskFit.uniqueMasks(for: column.type).joined(separator: ", ")
            findings.append(
                finding(
                    .notUnique,
                    "the mask '\(mask.name)' may give different values the same one, and \(reference) refers to it",
                    "use \(fitting)"
                )
            )
        }
        return findings
    }

    private func inheritance(_ decision: ColumnMasks.Decision) -> String {
        decision.inheritedFrom.map { "; the mask is inherited from \(masks.name(of: $0))" } ?? ""
    }

    /// Why none of the columns with the same values can be masked.
    private func protection(_ decision: ColumnMasks.Decision) -> String? {
        for member in decision.members {
            guard let column = masks.columns[member] else { continue }
            let name = masks.name(of: member)
            if column.isIdentity { return "\(name) is an identity column" }
            if column.ownsSequence { return "a sequence belongs to \(name)" }
            if column.isPartitionKey { return "\(name) is part of a partition key" }
        }
        return nil
    }

    /// A column under `by` that the table does not have.
    private func missingColumn(_ mask: Mask, _ relation: Relation.OID) -> String? {
        let used = mask.columnsUsed
        guard !used.isEmpty else { return nil }
        let names = Set(masks.columns.columns[relation, default: []].map { ByteKey($0.name) })
        return used.first { !names.contains(ByteKey($0)) }
    }

    /// A unique index that equal masks of different values would violate.
    private func violatedIndex(_ id: ID, _ column: ColumnFacts, _ decision: ColumnMasks.Decision) -> UniqueIndex? {
        let relations = Set([id.relation] + masks.catalog.descendants(of: id.relation))
        for member in decision.members where relations.contains(member.relation) {
            guard !isInjective(decision, column, id.relation) else { continue }
            let indexes = indexes[member.relation, default: []].filter { $0.columns.contains(member.number) }
            if let index = indexes.first(where: { decision.mask.kind != .null || $0.isPrimary || $0.nullsAreEqual }) {
                return index
            }
        }
        return nil
    }

    private func isInjective(_ decision: ColumnMasks.Decision, _ column: ColumnFacts, _ table: Relation.OID) -> Bool {
        MaskFit.isInjective(decision.mask, column.type, emailDigits: decision.emailDigits) { isUnique($0, in: table) }
    }

    /// Whether all values of a column differ, and none is NULL.
    private func isUnique(_ name: String, in relation: Relation.OID) -> Bool {
        guard let column = masks.columns.columns[relation, default: []].first(where: { $0.name.hasBytes(of: name) }),
            column.isNotNull
        else { return false }
        return indexes[relation, default: []].contains { $0.isPlain && $0.columns == [column.number] }
    }
}

extension ColumnType {
    /// Values of other columns are often part of its own.
    var mayHoldCopies: Bool {
        switch family {
        case .bytes, .json: true
        case .other: kind != .range && kind != .multirange && !isPlain
        default: false
        }
    }

    /// Types of the server's that hold no text.
    private var isPlain: Bool {
        let names = [
            "interval", "time", "timetz", "money", "bit", "varbit", "cidr", "macaddr", "macaddr8", "oid", "point",
        ]
        return qualified.startsWithBytes(of: "pg_catalog.") && names.contains { name.hasBytes(of: $0) }
    }
}
