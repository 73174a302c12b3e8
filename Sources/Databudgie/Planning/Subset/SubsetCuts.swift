import Postgres

/// Which columns of a reference become NULL when it is cut: those of which nothing else needs the value.
struct SubsetCuts {
    let catalog: DatabaseCatalog
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
        let columns = candidate.columns.map(\.child).filter { column in
            let obstacle = obstacle(column, candidate)
            if let obstacle { obstacles.append(obstacle) }
            return obstacle == nil
        }
        // Under MATCH FULL all columns of a reference are NULL, or none is.
        let isHalf = candidate.isMatchFull && columns.count < candidate.columns.count
        guard columns.isEmpty || isHalf else { return (columns, nil) }
        let special = obstacles.first { !$0.isEmpty }
        let full = candidate.isMatchFull && candidate.columns.count > 1
        let plain = full ? ": with MATCH FULL all of its columns must allow NULL" : ": no column of it allows NULL"
        return ([], special.map { ": " + $0 } ?? plain)
    }

    /// Why a column cannot become NULL; empty when that is because it does not allow it.
    private func obstacle(_ column: String, _ candidate: SubsetReferences.Candidate) -> String? {
        let known = catalog[candidate.childTable]?.columns ?? []
        guard known.contains(where: { $0.name.hasBytes(of: column) && !$0.isNotNull && !$0.isGenerated }) else {
            return ""
        }
        // Another row would lose the one that it refers to.
        let referring = references.first { reference in
            reference.parent?.node == candidate.child.node
                && reference.columns.contains { $0.parent.hasBytes(of: column) }
        }
        return referring.map { "\($0.label) refers to \(column)" }
    }
}
