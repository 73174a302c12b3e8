/// Orders jobs by the foreign keys between their tables.
struct JobOrder {
    let catalog: DatabaseCatalog

    /// Groups jobs so that referenced tables come first; otherwise the order of the list decides.
    ///
    /// A foreign key of a partitioned table counts for the jobs of all its partitions, and a partition's for the job of
    /// its root, which carries the partition's rows.
    /// - Parameter relations: The table of each job; nil for a job without one.
    /// - Returns: Indices in the list; several in one group refer to one another in a cycle.
    func components(of relations: [Relation.OID?]) -> [[Int]] {
        DependencyOrder.components(count: relations.count, references: references(between: relations))
    }

    /// For each job the jobs that it refers to, without itself, in ascending order.
    func references(between relations: [Relation.OID?]) -> [[Int]] {
        var references: [Set<Int>] = Array(repeating: [], count: relations.count)
        for link in links(between: relations) {
            for job in link.referencing { references[job].formUnion(link.referenced) }
        }
        return references.enumerated().map { job, others in others.subtracting([job]).sorted() }
    }

    /// A foreign key with the jobs that carry rows of its two tables.
    struct Link {
        let key: ForeignKey
        let referencing: [Int]
        let referenced: [Int]
    }

    /// The foreign keys that decide the order of jobs.
    ///
    /// - Parameter relations: The table of each job; nil for a job without one.
    /// - Returns: The keys in the order of the catalog, without those that have no job at one of their ends.
    func links(between relations: [Relation.OID?]) -> [Link] {
        var jobs: [Relation.OID: [Int]] = [:]
        for (job, relation) in relations.enumerated() {
            if let relation { jobs[relation, default: []].append(job) }
        }
        func jobsThatCarry(_ oid: Relation.OID) -> [Int] {
            guard let relation = catalog[oid], relation.isPartition || relation.kind == .partitionedTable else {
                return jobs[oid, default: []]
            }
            return catalog.family(of: oid).flatMap { jobs[$0, default: []] }
        }
        return catalog.foreignKeys.filter { !$0.isInherited }.compactMap { key in
            let referenced = jobsThatCarry(key.referenced)
            guard !referenced.isEmpty else { return nil }
            let referencing = jobsThatCarry(key.referencing)
            return referencing.isEmpty ? nil : Link(key: key, referencing: referencing, referenced: referenced)
        }
    }
}
