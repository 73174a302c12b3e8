import Postgres

/// Which columns of a reference become NULL when it is cut: those of which nothing else needs the value.
struct SubsetCuts {
    let catalog: DatabaseCatalog
    let keys: KeyCatalog
    let tables: SubsetTables
    /// All references whose values have to lead somewhere in what is exported.
    let references: [SubsetReferences.Candidate]

    /// The columns that can be cut, and why none can be.
    ///
    /// - Parameter candidate: A reference.
    /// - Returns: The columns; the obstacle follows the words "cannot be cut", and is nil when it can be.
    func columns(_ candidate: SubsetReferences.Candidate) -> (columns: [String], obstacle: String?) {
        guard candidate.settings?.expression == nil else { return ([], ", because it is an expression") }
        guard candidate.settings?.isArray != true else {
            // Of an array only those elements are lost that lead nowhere.
            let obstacle = ", because its column is an array and the table is not part of the run"
            return ([], candidate.parent == nil ? obstacle : nil)
        }
        var obstacles: [String] = []
        let allowed = candidate.columns.map(\.child).filter { column in
            let obstacle = obstacle(column, candidate)
            if let obstacle { obstacles.append(obstacle) }
            return obstacle == nil
        }
        let (columns, full) = withoutHalves(allowed, candidate)
        if let full { obstacles.append(full) }
        // Under MATCH FULL all columns of a reference are NULL, or none is.
        let isHalf = candidate.isMatchFull && columns.count < candidate.columns.count
        guard columns.isEmpty || isHalf else { return (columns, nil) }
        let special = obstacles.first { !$0.isEmpty }
        let plain =
            candidate.isMatchFull && candidate.columns.count > 1
            ? "with MATCH FULL all of its columns must allow NULL" : "no column of it allows NULL"
        return ([], ": " + (special ?? plain))
    }

    /// Why a column cannot become NULL; empty when that is because it does not allow it.
    private func obstacle(_ column: String, _ candidate: SubsetReferences.Candidate) -> String? {
        // A partition can forbid what the whole table allows.
        let holders = [candidate.childTable] + candidate.child.leaves.map(\.relation)
        let allows = holders.allSatisfy { holder in
            catalog[holder]?.columns.contains { $0.name.hasBytes(of: column) && !$0.isNotNull && !$0.isGenerated }
                == true
        }
        guard allows else { return "" }
        // Another row would lose the one that it refers to.
        let referring = references.first { reference in
            reference.parent?.node == candidate.child.node
                && reference.columns.contains { $0.parent.hasBytes(of: column) }
        }
        if let referring { return "\(referring.label) refers to \(column)" }
        let tree = tree(of: candidate)
        let isKey = tree.contains { table in
            guard let key = keys.partitionKeys[table] else { return false }
            // By hash a row finds another partition, unless it is restored to one.
            let findsAnother = key.isHash && catalog[tables.nodes[candidate.child.node].relation]?.isPartition != true
            return !findsAnother && key.columns.contains { $0.hasBytes(of: column) }
        }
        if isKey { return "\(column) is part of the partition key" }
        let isUnique = tree.contains { table in
            keys.indexes[table, default: []].contains { index in
                index.nullsAreEqual && index.columns.contains { $0?.hasBytes(of: column) == true }
            }
        }
        return isUnique ? "\(column) is unique with NULLS NOT DISTINCT" : nil
    }

    /// Columns without those that another reference needs, because under MATCH FULL it cannot be half NULL.
    private func withoutHalves(
        _ columns: [String],
        _ candidate: SubsetReferences.Candidate
    ) -> (columns: [String], obstacle: String?) {
        let tree = tree(of: candidate)
        let full = keys.references.filter { key in
            let isItself = key.child == candidate.childTable && candidate.constraint?.hasBytes(of: key.name) == true
            return key.isMatchFull && key.columns.count > 1 && tree.contains(key.child) && !isItself
        }
        var (columns, obstacle) = (columns, String?.none)
        func isCut(_ column: String) -> Bool { columns.contains { $0.hasBytes(of: column) } }
        while let half = full.first(where: { key in
            key.columns.contains { isCut($0.child) } && !key.columns.allSatisfy { isCut($0.child) }
        }) {
            columns.removeAll { column in half.columns.contains { $0.child.hasBytes(of: column) } }
            obstacle = "\(half.name) is MATCH FULL and has other columns as well"
        }
        return (columns, obstacle)
    }

    /// The table with its partitions, and what it is a partition of.
    private func tree(of candidate: SubsetReferences.Candidate) -> Set<Relation.OID> {
        let (node, child) = (tables.nodes[candidate.child.node].relation, candidate.childTable)
        let isTree = catalog[node]?.kind == .partitionedTable || catalog[node]?.isPartition == true
        guard isTree else { return [child] }
        let own = catalog[child]?.kind == .partitionedTable ? catalog.descendants(of: child) : []
        return Set([child] + catalog.lineage(of: node) + catalog.lineage(of: child) + own)
    }
}
