import Postgres

/// Finds the references between the tables of a subset: foreign keys, and what the configuration adds.
struct SubsetReferences {
    /// A reference before it is known what the configuration says about it.
    struct Candidate {
        /// How it may be named: `public.orders.customer_id`, its constraint, `public.lines(order_id,no)`.
        var names: [String]
        let child: SubsetGraph.End
        let childTable: Relation.OID
        /// Nil when it is not part of the run.
        let parent: SubsetGraph.End?
        let parentTable: Relation.OID
        let columns: [KeyCatalog.Pair]
        /// The name of the foreign key; nil for a reference without one.
        var constraint: String?
        var isConstraint: Bool { constraint != nil }
        /// The server vouches for all of its rows.
        var isValidated = true
        var isMatchFull = false
        var isPeriod = false
        /// Those of one child whose parents are parts of one table.
        var group: Int?
        /// What the configuration says, with the exact name if there is one.
        var settings: SubsetReference?
    }

    let catalog: DatabaseCatalog
    let keys: KeyCatalog
    let tables: SubsetTables
    let settings: SubsetSettings

    /// What was found.
    struct Found {
        var edges: [SubsetGraph.Edge] = []
        var leaving: [LeavingReference] = []
        var findings: [Finding] = []
    }

    /// All references, in the order of their constraints and then of the configuration.
    func find() -> Found {
        var result = Found()
        var candidates = constraints(&result.findings)
        for reference in settings.references {
            if reference.target == nil {
                apply(reference, to: &candidates, &result.findings)
            } else {
                add(reference, to: &candidates, &result.findings)
            }
        }
        let cuts = SubsetCuts(
            catalog: catalog,
            keys: keys,
            tables: tables,
            references: candidates.filter { follow($0) != .ignore }
        )
        for candidate in candidates { finish(candidate, cuts, &result) }
        return result
    }

    private func follow(_ candidate: Candidate) -> SubsetReference.Follow {
        let isRestricted = candidate.settings?.restrictsChildren == true
        return candidate.settings?.follow ?? (settings.includesChildren || isRestricted ? .both : .parents)
    }

    private func constraints(_ findings: inout [Finding]) -> [Candidate] {
        var candidates: [Candidate] = []
        for reference in keys.references {
            let (children, parents) = (tables.ends(of: reference.child), tables.ends(of: reference.parent))
            if !children.ends.isEmpty, !parents.ends.isEmpty, !parents.isWhole, let parent = catalog[reference.parent] {
                findings.append(
                    Finding(
                        settings.tenants == nil ? .warning : .problem,
                        "only some partitions of \(parent.name.label), which it refers to, are part of the run",
                        table: children.ends[0].name.label,
                        hint: "name \(parent.name.label) instead of its partitions"
                    )
                )
            }
            for child in children.ends {
                let group = candidates.count
                for parent in parents.ends.isEmpty ? [nil] : parents.ends.map(Optional.some) {
                    var candidate = Candidate(
                        names: [],
                        child: child,
                        childTable: reference.child,
                        parent: parent,
                        parentTable: reference.parent,
                        columns: reference.columns,
                        constraint: reference.name,
                        isValidated: reference.isValidated && parents.isWhole,
                        isMatchFull: reference.isMatchFull,
                        isPeriod: reference.isPeriod
                    )
                    candidate.names = names(of: candidate, constraint: reference.name)
                    if parents.ends.count > 1 { candidate.group = group }
                    candidates.append(candidate)
                }
            }
        }
        return candidates
    }

    private func names(of candidate: Candidate, constraint: String?) -> [String] {
        let columns = candidate.columns.map(\.child)
        // A foreign key of a partition alone may be named by the whole table, too.
        let tables = [candidate.child.name.description, tables.nodes[candidate.child.node].name.description]
        return tables.flatMap { table in
            (columns.count == 1 ? ["\(table).\(columns[0])"] : []) + ["\(table)(\(columns.joined(separator: ",")))"]
                + (constraint.map { ["\(table).\($0)"] } ?? [])
        }
    }

    /// Gives what is said about foreign keys to those that it names.
    private func apply(_ reference: SubsetReference, to candidates: inout [Candidate], _ findings: inout [Finding]) {
        let name = ReferenceName(reference.name, in: catalog.defaultSchema)
        let matched = candidates.indices.filter { candidates[$0].isConstraint && name.matches(candidates[$0].names) }
        for index in matched { candidates[index].give(reference, in: catalog.defaultSchema) }
        guard matched.isEmpty else { return }
        guard !name.isGlob, let table = name.table, let last = name.last else {
            findings.append(.problem("subset.references: '\(reference.name)' matches no foreign key of the run"))
            return
        }
        guard let node = tables.named(table).first else {
            findings.append(
                .problem(
                    "subset.references: '\(reference.name)' names a column of no table of the run",
                    hint: tables.suggestion(for: table)
                )
            )
            return
        }
        findings.append(
            .problem(
                "subset.references: \(tables.nodes[node].name.label) has no foreign key on \(last)",
                hint: "for a reference without a constraint add 'to'"
            )
        )
    }

    /// Adds what refers without a constraint; where there is a constraint for the same, it is what is meant.
    private func add(_ reference: SubsetReference, to candidates: inout [Candidate], _ findings: inout [Finding]) {
        let name = ReferenceName(reference.name, in: catalog.defaultSchema)
        let target = ReferenceName(reference.target ?? "", in: catalog.defaultSchema)
        guard let parentTable = target.table.flatMap({ catalog.named($0).first }), let parentColumns = target.columns,
            parentColumns.allSatisfy(parentTable.hasColumn)
        else {
            findings.append(
                .problem(
                    "subset.references: '\(reference.name)' refers to '\(reference.target ?? "")', which is not a column of a table",
                    hint: target.table.flatMap(tables.suggestion)
                )
            )
            return
        }
        var children = referring(name, reference, besides: (parentTable.oid, parentColumns))
        if name.isGlob, !children.isEmpty {
            children.removeAll { child in child.columns.allSatisfy { isNamed($0, of: child.table) } }
            if children.isEmpty { return }
        }
        guard !children.isEmpty, children.allSatisfy({ $0.columns.count == parentColumns.count }) else {
            findings.append(
                .problem(
                    children.isEmpty
                        ? "subset.references: '\(reference.name)' matches no column of the run"
                        : "subset.references: '\(reference.name)' and '\(reference.target ?? "")' have different numbers of "
                            + "columns",
                    hint: children.isEmpty ? name.table.flatMap(tables.suggestion) : nil
                )
            )
            return
        }
        let isPlain = reference.condition == nil && reference.expression == nil && !reference.isArray
        for child in children {
            let ends = tables.ends(of: child.table).ends
            // Partitions can have keys of their own.
            let known = candidates.indices.filter { index in
                let candidate = candidates[index]
                return isPlain && candidate.isConstraint && ends.contains { $0.node == candidate.child.node }
                    && candidate.parentTable == parentTable.oid
                    && candidate.columns.map { ByteKey($0.child) } == child.columns.map { ByteKey($0) }
                    && candidate.columns.map { ByteKey($0.parent) } == parentColumns.map { ByteKey($0) }
            }
            for index in known { candidates[index].give(reference, in: catalog.defaultSchema) }
            let covered = Set(known.flatMap { candidates[$0].child.leaves.map(\.relation) })
            let isCovered = ends.flatMap(\.leaves).allSatisfy { covered.contains($0.relation) }
            guard known.isEmpty || !isCovered else { continue }
            candidates += virtual(reference, child, parentTable.oid, parentColumns, group: candidates.count)
        }
    }

    /// Whether a column has a reference by its own name, which is stronger than a glob.
    private func isNamed(_ column: String, of table: Relation.OID) -> Bool {
        settings.references.contains { reference in
            let name = ReferenceName(reference.name, in: catalog.defaultSchema)
            guard reference.target != nil, reference.expression == nil, !name.isGlob, let named = name.table,
                let columns = name.columns, columns.count == 1, columns[0].hasBytes(of: column)
            else { return false }
            return tables.named(named).contains { tables.nodes[$0].relation == table }
        }
    }

    /// The columns that a name stands for, which may be several for a glob; never the target itself.
    private func referring(
        _ name: ReferenceName,
        _ reference: SubsetReference,
        besides target: (table: Relation.OID, columns: [String])
    ) -> [(table: Relation.OID, columns: [String])] {
        guard name.isGlob else {
            guard let table = name.table, let columns = name.columns, let node = tables.named(table).first else {
                return []
            }
            let (oid, relation) = (tables.nodes[node].relation, catalog[tables.nodes[node].relation])
            // The name of an expression is a mere label.
            let exists = reference.expression != nil || columns.allSatisfy { relation?.hasColumn($0) == true }
            return exists ? [(oid, columns)] : []
        }
        return tables.nodes.flatMap { node in
            (catalog[node.relation]?.columns ?? []).filter { column in
                let isTarget = node.relation == target.table && target.columns.contains { $0.hasBytes(of: column.name) }
                return !isTarget && name.matches(["\(node.name).\(column.name)"])
            }.map { (node.relation, [$0.name]) }
        }
    }

    private func virtual(
        _ reference: SubsetReference,
        _ child: (table: Relation.OID, columns: [String]),
        _ parentTable: Relation.OID,
        _ parentColumns: [String],
        group: Int
    ) -> [Candidate] {
        let parents = tables.ends(of: parentTable).ends
        return tables.ends(of: child.table).ends.enumerated().flatMap { number, end in
            (parents.isEmpty ? [nil] : parents.map(Optional.some)).map { parent in
                let pairs = zip(child.columns, parentColumns).map { column, parentColumn in
                    let schema = keys.types[parentTable]?[ByteKey(parentColumn)]?.equalitySchema ?? "pg_catalog"
                    return KeyCatalog.Pair(
                        child: column,
                        parent: parentColumn,
                        comparison: "operator(\(quotedIdentifier(schema)).=)"
                    )
                }
                var candidate = Candidate(
                    names: [],
                    child: end,
                    childTable: child.table,
                    parent: parent,
                    parentTable: parentTable,
                    columns: pairs,
                    isValidated: false,
                    settings: reference
                )
                candidate.names = names(of: candidate, constraint: nil)
                if parents.count > 1 { candidate.group = group + number }
                return candidate
            }
        }
    }

    private func finish(_ candidate: Candidate, _ cuts: SubsetCuts, _ result: inout Found) {
        let (settings, follow) = (candidate.settings, follow(candidate))
        let (nullable, obstacle) = cuts.columns(candidate)
        if follow == .cut, let obstacle {
            result.findings.append(.problem("\(candidate.label) cannot be cut\(obstacle)"))
        }
        if settings?.sample != nil, tables.nodes[candidate.child.node].primaryKey.isEmpty {
            let table = tables.nodes[candidate.child.node].name.label
            result.findings.append(.problem("it has no primary key, which 'sample' needs", of: table))
        }
        guard let parent = candidate.parent else {
            let name = catalog[candidate.parentTable]?.name.label ?? "a table"
            result.leaving.append(
                LeavingReference(
                    name: candidate.label,
                    child: candidate.child,
                    parent: name,
                    columns: settings?.expression == nil ? candidate.columns.map(\.child) : [],
                    expression: settings?.expression,
                    isArray: settings?.isArray ?? false,
                    condition: settings?.condition,
                    follow: follow,
                    nullableColumns: nullable
                )
            )
            return
        }
        var edge = edge(candidate, parent, follow, nullable)
        edge.obstacle = obstacle
        result.edges.append(edge)
    }

    private func edge(
        _ candidate: Candidate,
        _ parent: SubsetGraph.End,
        _ follow: SubsetReference.Follow,
        _ nullable: [String]
    ) -> SubsetGraph.Edge {
        let settings = candidate.settings
        let columns = candidate.columns.map { pair in
            let own = keys.types[candidate.childTable]?[ByteKey(pair.child)]?.collation
            let other = keys.types[candidate.parentTable]?[ByteKey(pair.parent)]?.collation
            let differs = own != nil && other != nil && own?.hasBytes(of: other ?? "") == false
            return SubsetGraph.Comparison(
                child: pair.child,
                parent: pair.parent,
                comparison: pair.comparison,
                childCast: pair.childCast,
                parentCast: pair.parentCast,
                collation: differs ? other : nil
            )
        }
        let hasExpressionIndex = keys.indexes[candidate.childTable, default: []].contains {
            $0.columns.first == .some(nil)
        }
        return SubsetGraph.Edge(
            name: candidate.label,
            child: candidate.child,
            parent: parent,
            columns: columns,
            expression: settings?.expression,
            isArray: settings?.isArray ?? false,
            condition: settings?.condition,
            follow: follow,
            children: SubsetGraph.Children(
                condition: settings?.children,
                limit: settings?.limit,
                order: settings?.order,
                sample: settings?.sample
            ),
            isUnique: candidate.isConstraint && !candidate.isPeriod,
            group: candidate.group,
            needsAllParents: candidate.isPeriod,
            isValidated: candidate.isValidated,
            nullableColumns: nullable,
            hasParentIndex: keys.hasIndex(on: candidate.parentTable, leadingWith: columns.map(\.parent)),
            hasChildIndex: settings?.expression != nil
                ? hasExpressionIndex
                : settings?.isArray != true
                    && keys.hasIndex(on: candidate.childTable, leadingWith: columns.map(\.child)),
            constraint: candidate.constraint.map { SubsetGraph.Constraint(table: candidate.childTable, name: $0) }
        )
    }
}

extension SubsetReferences.Candidate {
    /// Its name in messages and in the record.
    var label: String {
        let columns = columns.map(\.child)
        return columns.count == 1
            ? "\(child.name.label).\(columns[0])" : "\(child.name.label)(\(columns.joined(separator: ", ")))"
    }

    /// Takes what the configuration says, unless an exact name has said it already.
    fileprivate mutating func give(_ reference: SubsetReference, in schema: String) {
        let isGlob = ReferenceName(reference.name, in: schema).isGlob
        if isGlob, let known = settings, !ReferenceName(known.name, in: schema).isGlob { return }
        settings = reference
    }
}

extension Relation {
    /// Whether it has a column of these bytes.
    fileprivate func hasColumn(_ name: String) -> Bool { columns.contains { $0.name.hasBytes(of: name) } }
}
