/// The next bytes of a data file, as a ``SegmentWriter`` returns them.
///
/// All of the bytes belong to one segment, so the stored bytes of each segment can be hashed as they pass:
///
///     hash.update(data: encoded.bytes)
///     if let segment = encoded.endedSegment {
///         digests.append((segment, hash.finalize()))
///         hash = SHA256()
///     }
public struct EncodedBytes: Sendable, Equatable {
    /// The bytes that follow those of the previous calls in the file; they may be empty.
    public var bytes: [UInt8]
    /// The segment whose last bytes these are; nil as long as it continues.
    public var endedSegment: Segment?

    /// Describes bytes of a file.
    ///
    /// - Parameters:
    ///   - bytes: The bytes, all of one segment.
    ///   - endedSegment: The segment, if it ends with them.
    public init(bytes: [UInt8], endedSegment: Segment? = nil) {
        self.bytes = bytes
        self.endedSegment = endedSegment
    }
}
