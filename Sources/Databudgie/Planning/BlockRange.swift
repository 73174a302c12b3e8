/// Some blocks of a table, one after the other, whose rows are read by themselves.
///
/// A row has the number of its block in its address, `ctid`. A scan that is not synchronized with others reads a table in the
/// order of addresses, and so do the scans of its ranges (TID range scans, from PostgreSQL 14 on).
struct BlockRange: Sendable, Equatable {
    /// The first block.
    let start: UInt32
    /// The block after the last one; nil: all that follow.
    let end: UInt32?

    /// Ranges of equal size, the last of which is open: what is added to the table later is of no concern to the snapshot, but
    /// what was added just before it is.
    ///
    /// - Parameters:
    ///   - blocks: How many blocks the table has.
    ///   - count: How many ranges there are to be; there are no more of them than blocks.
    /// - Returns: At least one range.
    static func ranges(of blocks: UInt32, count: Int) -> [BlockRange] {
        let count = UInt64(max(1, min(count, Int(blocks))))
        let starts = (0..<count).map { UInt32(truncatingIfNeeded: UInt64(blocks) * $0 / count) }
        return starts.indices.map { index in
            BlockRange(start: starts[index], end: index + 1 < starts.count ? starts[index + 1] : nil)
        }
    }

    /// The condition for the addresses of rows.
    ///
    /// - Parameter column: The column with the address, as SQL.
    /// - Returns: SQL that does not depend on the search path.
    func condition(on column: String) -> String {
        let conditions = [(">=", start)] + (end.map { [("<", $0)] } ?? [])
        return conditions.map { comparison, block in
            "\(column) operator(pg_catalog.\(comparison)) '(\(block),0)'::pg_catalog.tid"
        }.joined(separator: " and ")
    }
}

extension ExportQuery {
    /// The SELECT of some blocks of its table, to be followed by a line break.
    ///
    /// - Parameter range: Which blocks.
    /// - Returns: SQL; nil when it is not the query of a table, whose rows may come in another order, or depend on one another.
    func sql(of range: BlockRange) -> String? {
        switch self {
        case .custom: nil
        case .table: sql + " where " + range.condition(on: "ctid")
        case .masked(.table, let columns) where !columns.hasUserText: sql + "\nwhere " + range.condition(on: "t.ctid")
        case .masked: nil
        }
    }
}

extension BackupJob {
    /// Its rows are those of one table, whose ranges of blocks can be read by themselves.
    ///
    /// A policy may filter rows in any way, and is left alone. What inherits from the table is read with it.
    /// - Parameter catalog: Knows what does.
    /// - Returns: Whether the server can do it is another question.
    func isDivisible(in catalog: DatabaseCatalog) -> Bool {
        guard includesRows, problem == nil, hasPlainText, let relation, relation.kind == .table else { return false }
        if case .table(_, isOnly: true) = query.source { return true }
        return catalog.descendants(of: relation.oid).isEmpty
    }
}
