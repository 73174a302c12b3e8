import Postgres

/// Which indexes and keys of a group's tables are dropped for the load, and built again after it.
///
/// They are where that takes less time, and where it leaves no trace: what would not come back exactly as it was stays, and so
/// does what the load itself needs.
struct RebuildRules {
    let catalog: DatabaseCatalog
    let group: LoadGroup
    let choices: RebuildChoices
    let states: [Relation.OID: TargetState]
    let found: Found
    /// The constraints that are not valid, and that rows of the set may violate: they are dropped for that reason.
    let unchecked: Set<UInt32>
    /// The jobs that load a table, when something is to be dropped.
    private let loads: [Relation.OID: [RestoreJob]]
    /// The tables that are emptied in the transaction.
    private let emptied: Set<Relation.OID>

    init(
        catalog: DatabaseCatalog,
        group: LoadGroup,
        choices: RebuildChoices,
        states: [Relation.OID: TargetState],
        found: Found,
        unchecked: Set<UInt32>
    ) {
        (self.catalog, self.group, self.choices, self.states, self.found) = (catalog, group, choices, states, found)
        self.unchecked = unchecked
        var loads: [Relation.OID: [RestoreJob]] = [:]
        if group.jobs.contains(where: { choices[$0].isWanted }) {
            for job in group.jobs {
                for carrier in catalog.carriers(of: job.relation) { loads[carrier.oid, default: []].append(job) }
            }
        }
        self.loads = loads
        emptied = Set(loads.isEmpty ? [] : group.truncated.flatMap(catalog.carriers).map(\.oid))
    }

    /// What the target has.
    struct Found {
        private let constraints: [UInt32: TableConstraint]
        private let constraintsOfTables: [Relation.OID: [TableConstraint]]
        private let indexesOfTables: [Relation.OID: [TableIndex]]

        init(_ constraints: [TableConstraint], _ indexes: [TableIndex]) {
            self.constraints = Dictionary(constraints.map { ($0.oid, $0) }, uniquingKeysWith: { first, _ in first })
            constraintsOfTables = Dictionary(grouping: constraints, by: \.table)
            indexesOfTables = Dictionary(grouping: indexes, by: \.table)
        }

        func constraint(_ oid: UInt32) -> TableConstraint? { constraints[oid] }

        func constraints(of tables: [Relation]) -> [TableConstraint] {
            tables.flatMap { constraintsOfTables[$0.oid] ?? [] }
        }

        func indexes(of tables: [Relation]) -> [TableIndex] { tables.flatMap { indexesOfTables[$0.oid] ?? [] } }
    }

    /// What becomes of the indexes and keys of one job's tables.
    struct Conclusion {
        var parts = RebuiltParts()
        var findings: [Finding] = []
    }

    /// Decides it for one job.
    ///
    /// - Parameter job: One of the group.
    /// - Returns: What is dropped, and what the user should know.
    func conclude(_ job: RestoreJob) -> Conclusion {
        let choice = choices[job]
        guard choice.isWanted else { return Conclusion() }
        let carriers = catalog.carriers(of: job.relation)
        let keys = found.constraints(of: carriers).filter {
            $0.referenced != nil && $0.isValidated && $0.isEnforced
        }
        let ownIndexes = found.indexes(of: carriers)
        guard !keys.isEmpty && choice.foreignKeys != .no || !ownIndexes.isEmpty && choice.indexes != .no else {
            return Conclusion()
        }
        guard carriers.allSatisfy({ states[$0.oid]?.isOwned == true }) else {
            return Conclusion(findings: [Self.notOwned(job, choice)])
        }
        var conclusion = Conclusion()
        if choice.foreignKeys != .no { add(keys, job, choice, &conclusion) }
        if choice.indexes != .no { add(ownIndexes, job, choice, &conclusion) }
        if !conclusion.parts.isEmpty { conclusion.findings.append(Self.announcement(conclusion.parts, of: job)) }
        return conclusion
    }

    private func add(_ keys: [TableConstraint], _ job: RestoreJob, _ choice: RebuildChoice, _ result: inout Conclusion)
    {
        for key in keys {
            guard let reason = obstacle(key) else {
                result.parts.add(key)
                continue
            }
            result.findings.append(Self.kept("foreign key \(key.name)", reason, job, choice.foreignKeys))
        }
    }

    private func obstacle(_ key: TableConstraint) -> String? {
        if !key.isOwned { return "the role lacks REFERENCES on the table that it points to" }
        return key.canReturn ? nil : "it could not be put back exactly as it is"
    }

    private func add(_ indexes: [TableIndex], _ job: RestoreJob, _ choice: RebuildChoice, _ result: inout Conclusion) {
        for tree in Self.trees(indexes) {
            let needed = tree.flatMap(\.foreignKeys).map { (oid: $0, key: found.constraint($0)) }
            let reason: String? =
                if let obstacle = tree.lazy.compactMap(\.obstacle).first {
                    obstacle.reason
                } else if tree[0].parent != nil {
                    "it belongs to an index of a partitioned table"
                } else if let needing = needed.first(where: { !canDrop($0.key, pointingTo: job) }) {
                    "\(name(of: needing.key)) needs it"
                } else {
                    nil
                }
            if let reason {
                result.findings.append(Self.kept("index \(tree[0].name.name)", reason, job, choice.indexes))
                continue
            }
            needed.compactMap(\.key).forEach { result.parts.add($0) }
            tree.forEach { result.parts.add($0) }
        }
    }

    private func name(of key: TableConstraint?) -> String {
        guard let key else { return "a foreign key" }
        return "the foreign key \(key.name) of \(catalog[key.table]?.name.label ?? "another table")"
    }

    /// Indexes with their parts in partitions, which are dropped with them: the top of each comes first.
    private static func trees(_ indexes: [TableIndex]) -> [[TableIndex]] {
        let own = Dictionary(indexes.map { ($0.oid, $0) }, uniquingKeysWith: { first, _ in first })
        var trees: [UInt32: [TableIndex]] = [:]
        var tops: [UInt32] = []
        for index in indexes {
            var top = index
            while let parent = top.parent.flatMap({ own[$0] }) { top = parent }
            if trees[top.oid] == nil {
                tops.append(top.oid)
                trees[top.oid] = [top]
            }
            if index.oid != top.oid { trees[top.oid]?.append(index) }
        }
        return tops.compactMap { trees[$0] }
    }

    /// Whether a foreign key can be dropped together with the index that it needs.
    private func canDrop(_ key: TableConstraint?, pointingTo job: RestoreJob) -> Bool {
        guard let key, let table = catalog[key.table], obstacle(key) == nil else { return false }
        let jobs = catalog.carriers(of: table).flatMap { loads[$0.oid] ?? [] }
        guard jobs.isEmpty else {
            // The server checks new rows by a key that is not valid, and nothing does once it is added again after them.
            guard key.isValidated || !key.isEnforced || unchecked.contains(key.oid) else { return false }
            // Empty, or about to be checked as a whole anyway.
            return jobs.allSatisfy { other in
                choices[other].foreignKeys != .no
                    || other.isEmptied && other.foreignKeys == .automatic && !choices[other].isNeeded
            }
        }
        return job.foreignKeys == .rebuild || job.foreignKeys == .automatic && emptied.contains(key.table)
    }

    private static func kept(_ part: String, _ reason: String, _ job: RestoreJob, _ wish: RebuildChoice.Wish) -> Finding
    {
        let message = "the \(part) is kept during the load, because \(reason)"
        return wish == .demanded ? .warning(message, of: job.id) : .note(message, of: job.id)
    }

    private static func notOwned(_ job: RestoreJob, _ choice: RebuildChoice) -> Finding {
        let message =
            "its indexes and foreign keys are kept during the load, because the role does not own the table; with them the "
            + "server takes several times as long"
        guard choice.isDemanded else { return .note(message, of: job.id) }
        return .warning(message, of: job.id, hint: "connect as the table's owner")
    }

    private static func announcement(_ parts: RebuiltParts, of job: RestoreJob) -> Finding {
        func list(_ noun: String, _ plural: String, _ names: [String]) -> String? {
            names.isEmpty ? nil : "\(names.count == 1 ? noun : plural) \(names.listed())"
        }
        let names = [
            list("the foreign key", "the foreign keys", parts.constraints.map(\.name)),
            list("the index", "the indexes", parts.indexes.map(\.name.name)),
        ]
        let isOne = parts.constraints.count + parts.indexes.count == 1
        return .note(
            names.compactMap(\.self).joined(separator: " and ")
                + " \(isOne ? "is" : "are") dropped for the load and built again after it",
            of: job.id
        )
    }
}
