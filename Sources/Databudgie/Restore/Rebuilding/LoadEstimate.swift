import Storage

/// Whether a load is so large that indexes and keys cost more row by row than all at once.
struct LoadEstimate {
    let catalog: DatabaseCatalog
    var minimumRows = Self.standardMinimum

    /// Below that many rows nothing is gained: a row's keys cost the server a few microseconds each, and what is dropped has to
    /// be locked, also for those who read tables that keys point to.
    static let standardMinimum = 100_000
    /// The share of the rows of a table, once they are loaded, from which it is cheaper to build all of an index again.
    static let minimumShare = 0.3
    /// What a row takes in a file, and how much smaller it is when it is compressed, when nothing else is known.
    private static let rowSize = 60
    private static let compression = 4

    /// Compares what is loaded into a table with what is there.
    ///
    /// - Parameter jobs: All loads of one table in a transaction.
    /// - Returns: Whether its indexes and keys are better built again.
    func isWorthwhile(_ jobs: [RestoreJob]) -> Bool {
        let loaded = jobs.map(Self.rows).reduce(0, +)
        guard loaded >= minimumRows, let job = jobs.first else { return false }
        guard !jobs.contains(where: \.isEmptied) else { return true }
        // Of a table that was never analyzed nothing is known.
        guard let present = present(job.relation) else { return false }
        return Double(loaded) >= Double(present) * Self.minimumShare
    }

    /// Whether a file has so many rows that what is done once for all of them costs nothing.
    func isLarge(_ job: RestoreJob) -> Bool { Self.rows(job) >= minimumRows }

    private func present(_ relation: Relation) -> Int? {
        let leaves = ([relation] + catalog.descendants(of: relation.oid).compactMap { catalog[$0] })
            .filter { relation.kind == .partitionedTable ? $0.kind == .table : $0.oid == relation.oid }
        let rows = leaves.compactMap(\.estimatedRows)
        return rows.count == leaves.count ? rows.reduce(0, +) : nil
    }

    /// The rows of a file: as its set has them, or as many as its size suggests.
    private static func rows(_ job: RestoreJob) -> Int {
        // More than any table has, and few enough to be added up.
        let limit = 1 << 40
        if let rows = job.candidate?.source.part?.rows { return min(rows, limit) }
        let isPlain = job.file.path.description.utf8.suffix(4).elementsEqual(".csv".utf8)
        let (bytes, isLarge) = Int(clamping: job.file.size).multipliedReportingOverflow(by: isPlain ? 1 : compression)
        return isLarge ? limit : min(bytes / rowSize, limit)
    }
}
