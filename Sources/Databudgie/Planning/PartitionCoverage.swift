/// Which partitions are loaded from the file of their root.
///
/// A root's file has the rows of all its partitions; files of its partitions count only when there is none of the root.
struct PartitionCoverage {
    let catalog: DatabaseCatalog
    /// For each table with a file the entries that ask for it.
    private let entries: [Relation.OID: Set<Int>]

    init(catalog: DatabaseCatalog, candidates: [RestoreCandidate]) {
        self.catalog = catalog
        entries = Dictionary(candidates.map { ($0.relation.oid, [$0.entryNumber]) }) { $0.union($1) }
    }

    /// A glob found the partition, and with it a root that has a file.
    func covers(_ candidate: RestoreCandidate) -> Bool {
        guard candidate.relation.isPartition, !candidate.isExact else { return false }
        return catalog.lineage(of: candidate.relation.oid).dropFirst().contains { ancestor in
            entries[ancestor]?.contains(candidate.entryNumber) == true
        }
    }

    /// The table is partitioned, and at least one of its partitions has a file.
    func hasPartition(of candidate: RestoreCandidate) -> Bool {
        candidate.relation.kind == .partitionedTable
            && catalog.descendants(of: candidate.relation.oid).contains { entries[$0] != nil }
    }
}
