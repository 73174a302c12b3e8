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
        let blocks = try await blocks(
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

    /// How many blocks tables have now, with what was added since the snapshot.
    ///
    /// Tables of other access methods than heap are missing: their addresses may be no places.
    private func blocks(of tables: [Relation.OID]) async throws -> [Relation.OID: UInt32] {
        guard !tables.isEmpty else { return [:] }
        do {
            let rows = try await connection.withDiscardedSavepoint(
                "table_blocks",
                settings: ["search_path": "", "lock_timeout": "1s"]
            ) {
                try await connection.query(Self.query, [tables.arrayLiteral]).rows
            }
            return Dictionary(
                rows.compactMap { row in
                    row["oid"].flatMap(Relation.OID.init).flatMap { oid in
                        row["blocks"].flatMap(UInt32.init).map { (oid, $0) }
                    }
                },
                uniquingKeysWith: { first, _ in first }
            )
        } catch {
            try rethrowUnlessJobFailed(error)
            return [:]
        }
    }

    private static let query = """
        select c.oid, pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int8 as blocks
        from pg_catalog.pg_class c join pg_catalog.pg_am a on a.oid = c.relam
        where c.oid = any ($1::pg_catalog.oid[]) and c.relkind = 'r'
            and a.amhandler = 'pg_catalog.heap_tableam_handler'::pg_catalog.regproc
        """
}
