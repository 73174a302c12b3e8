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
        var references: [Set<Int>] = Array(repeating: [], count: relations.count)
        for key in catalog.foreignKeys where !key.isInherited {
            let referenced = jobsThatCarry(key.referenced)
            guard !referenced.isEmpty else { continue }
            for job in jobsThatCarry(key.referencing) {
                references[job].formUnion(referenced)
            }
        }
        return references.enumerated().map { job, others in others.subtracting([job]).sorted() }
    }
}
