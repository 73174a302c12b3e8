import Synchronization

/// A compressor of rows into segments that can each be read without the others.
///
/// Rows are pushed in and compressed bytes come out, a piece at a time and in order; the pieces joined are the file.
/// Memory stays at a few megabytes, whatever the amount of data. The same calls give the same bytes each time.
/// Calls block until they have compressed their bytes: make them from `@concurrent` functions.
///
/// It is a class so that it can be kept in the iterator of a sequence, and `Sendable` so that `segments` can be asked for
/// from elsewhere afterwards; a lock guards its state, which costs nothing at a chunk's size.
public final class SegmentEncoder: Sendable {
    /// The size of a segment's content at which it ends, unless told otherwise: 16 MiB, in bytes.
    public static let standardSegmentSize: Int64 = 16 * 1024 * 1024

    fileprivate struct State {
        var compressor: (any SegmentCompressor)?
        var segments: [Segment] = []
        var current = Segment(offset: 0, bytes: 0, uncompressedBytes: 0, rows: 0)
        var isFinished = false
    }

    private let segmentSize: Int64
    private let state: Mutex<State>

    /// Makes an encoder for one file.
    ///
    /// - Parameters:
    ///   - format: The format of the file; nil passes bytes through unchanged and still counts segments.
    ///   - segmentSize: The size of a segment's content at which it ends, in bytes.
    /// - Throws: An error with code `libraryFailure` when memory is short.
    public convenience init(
        format: CompressionFormat?,
        segmentSize: Int64 = SegmentEncoder.standardSegmentSize
    ) throws(CompressionError) {
        try self.init(format: format, segmentSize: segmentSize, scratchSize: 256 * 1024)
    }

    init(format: CompressionFormat?, segmentSize: Int64, scratchSize: Int) throws(CompressionError) {
        self.segmentSize = segmentSize
        let compressor: (any SegmentCompressor)? =
            switch format {
            case .gzip: GzipCompressor(scratchSize: scratchSize)
            case .zstd: try ZstdCompressor(scratchSize: scratchSize)
            case nil: nil
            }
        state = Mutex(State(compressor: compressor))
    }

    /// The segments that are complete, in the order of the file; all of them after `finish()`.
    public var segments: [Segment] { state.withLock { $0.segments } }

    /// Compresses rows.
    ///
    /// A segment ends with these rows when its content has reached the segment size.
    ///
    /// - Parameters:
    ///   - bytes: Whole rows, at best some 256 KiB of them.
    ///   - rows: The number of rows in `bytes`.
    /// - Returns: The compressed bytes that are ready, which may be none.
    /// - Throws: An error with code `libraryFailure`.
    /// - Precondition: `finish()` was not called.
    public func append(_ bytes: [UInt8], rows: Int) throws(CompressionError) -> [UInt8] {
        try state.withLock { state throws(CompressionError) in
            precondition(!state.isFinished, "append after finish")
            state.current.uncompressedBytes += Int64(bytes.count)
            state.current.rows += rows
            return try state.compress(bytes, endsSegment: state.current.uncompressedBytes >= segmentSize)
        }
    }

    /// Ends the file.
    ///
    /// - Returns: The compressed bytes that were held back. Where nothing was appended that is a valid file of zero bytes
    ///   of content.
    /// - Throws: An error with code `libraryFailure`.
    public func finish() throws(CompressionError) -> [UInt8] {
        try state.withLock { state throws(CompressionError) in
            guard !state.isFinished else { return [] }
            state.isFinished = true
            let isEmptyFile = state.segments.isEmpty && state.compressor != nil
            guard state.current.uncompressedBytes > 0 || state.current.rows > 0 || isEmptyFile else { return [] }
            return try state.compress([], endsSegment: true)
        }
    }
}

extension SegmentEncoder.State {
    /// Compresses bytes of the current segment, and notes the segment when it ends with them.
    fileprivate mutating func compress(_ bytes: [UInt8], endsSegment: Bool) throws(CompressionError) -> [UInt8] {
        var output: [UInt8] = []
        if let compressor {
            try compressor.compress(bytes, endsSegment: endsSegment, to: &output)
        } else {
            output = bytes
        }
        current.bytes += Int64(output.count)
        if endsSegment {
            segments.append(current)
            current = Segment(offset: current.offset + current.bytes, bytes: 0, uncompressedBytes: 0, rows: 0)
        }
        return output
    }
}
