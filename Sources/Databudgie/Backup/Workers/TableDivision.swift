import Postgres

/// Divides large tables into ranges of blocks, so that several members export one.
struct TableDivision {
    let connection: Connection
    let catalog: DatabaseCatalog
    /// How many members there are.
    let members: Int
    /// A range has at least so many bytes of its table, TOAST included.
    let rangeSize: Int64

    /// The first major version whose scans read a range of blocks, and only that.
    static let firstVersion = 14
    /// So many ranges for each member leave little to wait for at the end.
    private static let rangesPerMember = 8

    /// Into how many ranges a table is divided at most.
    ///
    /// - Parameters:
    ///   - job: Exports the table.
    ///   - bytes: Its size; nil when it is not known.
    ///   - isSubset: The run exports some rows, by their addresses.
    /// - Returns: 1 for what is not divided.
    func count(_ job: BackupJob, _ bytes: Int64?, isSubset: Bool) -> Int {
        guard members > 1, !isSubset, let bytes, connection.server.majorVersion >= Self.firstVersion,
            job.isDivisible(in: catalog)
        else { return 1 }
        return max(1, Int(min(Int64(members * Self.rangesPerMember), bytes / max(1, rangeSize))))
    }

    /// The order in which members take jobs and ranges: the biggest first, so that no member is left with one at the end.
    ///
    /// - Parameters:
    ///   - jobs: With the sizes of their tables, nil for those that are not known: such a job may take long.
    ///   - isSubset: The run exports some rows, by their addresses.
    /// - Returns: Ranges of a table are neighbours, in their order.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func pieces(of jobs: [(job: BackupJob, bytes: Int64?)], isSubset: Bool) async throws -> [JobPiece] {
        guard members > 1 else {
            return jobs.map(\.job).sorted { $0.id.number < $1.id.number }.map { .whole($0) }
        }
        let counts = jobs.map { count($0.job, $0.bytes, isSubset: isSubset) }
        let blocks = try await TableSizeReader(connection: connection).blocks(
            of: zip(jobs, counts).compactMap { job, count in count > 1 ? job.job.relation?.oid : nil }
        )
        var pieces: [(bytes: Int64, pieces: [JobPiece])] = []
        for ((job, bytes), count) in zip(jobs, counts) {
            let heap = count > 1 ? job.relation.flatMap { blocks[$0.oid] } : nil
            let ranges = BlockRange.ranges(of: heap ?? 0, count: count)
            guard ranges.count > 1 else {
                pieces.append((bytes ?? .max, [.whole(job)]))
                continue
            }
            let split = SplitJob(job, ranges)
            pieces.append(((bytes ?? 0) / Int64(ranges.count), ranges.indices.map { .range(split, $0) }))
        }
        let order = pieces.indices.sorted { (pieces[$1].bytes, $0) < (pieces[$0].bytes, $1) }
        return order.flatMap { pieces[$0].pieces }
    }
}
