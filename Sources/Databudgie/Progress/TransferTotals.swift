/// Counts of one or more jobs that are running or done.
public struct TransferTotals: Sendable, Hashable {
    /// No rows and no bytes.
    public static let zero = TransferTotals()

    /// Data rows, without the header.
    public var rows: Int
    /// Bytes of CSV, uncompressed.
    public var bytes: Int64
    /// Bytes of the data files, as stored.
    public var fileBytes: Int64

    /// Creates counts.
    ///
    /// - Parameters:
    ///   - rows: Data rows, without the header.
    ///   - bytes: Bytes of CSV, uncompressed.
    ///   - fileBytes: Bytes of the data files, as stored.
    public init(rows: Int = 0, bytes: Int64 = 0, fileBytes: Int64 = 0) {
        self.rows = rows
        self.bytes = bytes
        self.fileBytes = fileBytes
    }

    /// The sum of two counts.
    public static func + (left: TransferTotals, right: TransferTotals) -> TransferTotals {
        TransferTotals(
            rows: left.rows + right.rows,
            bytes: left.bytes + right.bytes,
            fileBytes: left.fileBytes + right.fileBytes
        )
    }
}
