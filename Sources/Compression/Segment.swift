/// A run of whole rows inside a data file that can be read without the rest of the file.
///
/// In a compressed file a segment is one gzip member or one zstd frame; the first zstd frame has a skippable one before it,
/// which belongs to its segment. The last segment of a compressed file has no rows: it is where the file's totals are.
public struct Segment: Sendable, Equatable {
    /// The position of the segment's first byte in the file, in bytes.
    public var offset: Int64
    /// The size of the segment in the file, in bytes.
    public var bytes: Int64
    /// The size of the segment's content after decompression, in bytes.
    public var uncompressedBytes: Int64
    /// The number of rows in the segment, as its writer counted them.
    public var rows: Int

    /// Describes a segment.
    ///
    /// - Parameters:
    ///   - offset: The position of its first byte in the file, in bytes.
    ///   - bytes: Its size in the file, in bytes.
    ///   - uncompressedBytes: The size of its content, in bytes.
    ///   - rows: The number of its rows.
    public init(offset: Int64, bytes: Int64, uncompressedBytes: Int64, rows: Int) {
        self.offset = offset
        self.bytes = bytes
        self.uncompressedBytes = uncompressedBytes
        self.rows = rows
    }
}
