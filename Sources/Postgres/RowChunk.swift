/// A run of whole rows as COPY wrote them.
public struct RowChunk: Sendable, Equatable {
    /// The rows' bytes, one after another.
    public var bytes: [UInt8]
    /// How many rows there are; a header line counts as one.
    public var rows: Int

    /// Creates a chunk.
    ///
    /// - Parameters:
    ///   - bytes: The rows' bytes.
    ///   - rows: How many rows there are; a header line counts as one.
    public init(bytes: [UInt8], rows: Int) {
        self.bytes = bytes
        self.rows = rows
    }
}
