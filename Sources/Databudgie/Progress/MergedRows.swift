/// What became of the rows of a file that were merged with those of a table.
public struct MergedRows: Sendable, Hashable {
    /// Rows that were added.
    public let inserted: Int
    /// Rows of the table that were changed; nil when such rows are skipped.
    public let updated: Int?
    /// Rows that the table has as they are in the file; nil when such rows are skipped.
    public let unchanged: Int?
    /// Rows whose keys the table has, and that were not loaded; nil when such rows are updated.
    public let skipped: Int?

    /// Counts the rows of a file that updates rows of its table.
    ///
    /// - Parameters:
    ///   - rows: The rows of the file.
    ///   - inserted: Those that were added.
    ///   - updated: Those that have changed a row of the table.
    /// - Returns: The counts; the other rows are unchanged.
    static func upserted(_ rows: Int, inserted: Int, updated: Int) -> MergedRows {
        MergedRows(inserted: inserted, updated: updated, unchanged: max(0, rows - inserted - updated), skipped: nil)
    }

    /// Counts the rows of a file that only adds rows.
    ///
    /// - Parameters:
    ///   - rows: The rows of the file.
    ///   - inserted: Those that were added.
    /// - Returns: The counts; the other rows were skipped.
    static func inserted(_ rows: Int, inserted: Int) -> MergedRows {
        MergedRows(inserted: inserted, updated: nil, unchanged: nil, skipped: max(0, rows - inserted))
    }
}
