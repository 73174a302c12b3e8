public import Compression

/// A segment of a data file with its hash.
public struct HashedSegment: Sendable, Equatable {
    /// Where the segment is in the file, and what it holds.
    public let segment: Segment
    /// SHA-256 of the segment's bytes as they are stored (FIPS 180-4), 32 bytes.
    public let sha256: [UInt8]
}
