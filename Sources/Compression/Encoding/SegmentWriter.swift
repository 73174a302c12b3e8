import Synchronization

/// Writes rows as segments that can each be read without the others.
///
/// Rows are pushed in and compressed bytes come out, a piece at a time and in order; the pieces joined are the file.
/// In a compressed file a last segment without content has the totals, and the first one announces it: what was cut off at
/// the end of a segment is found out when the file is read.
/// Memory stays at a few megabytes, whatever the amount of data. The same calls give the same bytes each time.
/// Calls block until they have compressed their bytes: make them from `@concurrent` functions.
///
/// It is a class, so the iterator of a sequence can keep it, and `Sendable`, so ``segments`` can be read from elsewhere
/// afterwards. A lock guards its state, which costs nothing at the size of a chunk.
public final class SegmentWriter: Sendable {
    /// The size of a segment's content at which it ends by default: 16 MiB, in bytes.
    public static let standardSegmentSize: Int64 = 16 * 1024 * 1024

    fileprivate struct State {
        var encoder: (any StreamEncoder)?
        var segments: [Segment] = []
        var current = Segment(offset: 0, bytes: 0, uncompressedBytes: 0, rows: 0)
        var isFinished = false
    }

    private let segmentSize: Int64
    private let part: FilePart
    private let state: Mutex<State>

    /// Creates a writer for one file, or for a part of it.
    ///
    /// - Parameters:
    ///   - format: The format of the file; nil passes bytes through unchanged, in segments of whole rows all the same.
    ///   - level: One of the format's levels; nil is its standard one.
    ///   - segmentSize: The size of a segment's content at which it ends, in bytes.
    ///   - part: What of the file it writes; the offsets of its segments are those within the part.
    /// - Throws: An error with code `unsupported` if the format has no such level, or `libraryFailure` if there is not enough
    ///   memory.
    public convenience init(
        format: CompressionFormat?,
        level: Int? = nil,
        segmentSize: Int64 = SegmentWriter.standardSegmentSize,
        part: FilePart = .whole
    ) throws(CompressionError) {
        try self.init(format: format, level: level, segmentSize: segmentSize, part: part, scratchSize: 256 * 1024)
    }

    init(
        format: CompressionFormat?,
        level: Int? = nil,
        segmentSize: Int64,
        part: FilePart = .whole,
        scratchSize: Int
    ) throws(CompressionError) {
        (self.segmentSize, self.part) = (segmentSize, part)
        let level = try format?.checked(level) ?? 0
        let encoder: (any StreamEncoder)? =
            switch format {
            case .gzip: GzipEncoder(level: level, scratchSize: scratchSize, isFirst: part != .later)
            case .zstd: try ZstdEncoder(level: level, scratchSize: scratchSize, isFirst: part != .later)
            case nil: nil
            }
        state = Mutex(State(encoder: encoder))
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
    /// - Returns: The compressed bytes that are ready, which may be none, and the segment if it ends with them.
    /// - Throws: An error with code `libraryFailure`.
    /// - Precondition: `finish()` was not called.
    public func append(_ bytes: [UInt8], rows: Int) throws(CompressionError) -> EncodedBytes {
        try state.withLock { state throws(CompressionError) in
            precondition(!state.isFinished, "append after finish")
            state.current.uncompressedBytes += Int64(bytes.count)
            state.current.rows += rows
            return try state.encode(bytes, endsSegment: state.current.uncompressedBytes >= segmentSize)
        }
    }

    /// Ends the file.
    ///
    /// - Returns: What follows in the file: the compressed bytes that were held back, with the segment that they end, unless
    ///   it had ended before; then, in a compressed file, the segment with the totals. If nothing was appended, they are a
    ///   valid file of zero bytes of content. Of a part that is not the whole file, no totals.
    /// - Throws: An error with code `libraryFailure`.
    public func finish() throws(CompressionError) -> [EncodedBytes] {
        try state.withLock { state throws(CompressionError) in
            guard !state.isFinished else { return [] }
            state.isFinished = true
            var output: [EncodedBytes] = []
            let isEmptyFile = state.segments.isEmpty && state.encoder != nil && part != .later
            if state.current.uncompressedBytes > 0 || state.current.rows > 0 || isEmptyFile {
                output.append(try state.encode([], endsSegment: true))
            }
            if let encoder = state.encoder, part == .whole {
                output.append(state.end(with: type(of: encoder).lastSegment(state.totals)))
            }
            return output
        }
    }

    /// The last segment of a file whose parts several writers have written.
    ///
    /// - Parameters:
    ///   - format: The format of the file.
    ///   - totals: What the parts hold together.
    /// - Returns: The bytes that follow the last part; none in a file that is not compressed.
    public static func end(of format: CompressionFormat?, _ totals: FileTotals) -> [UInt8] {
        switch format {
        case .gzip: GzipEncoder.lastSegment(totals)
        case .zstd: ZstdEncoder.lastSegment(totals)
        case nil: []
        }
    }
}

/// What of a file a ``SegmentWriter`` writes.
///
/// The first part, all later ones in their order, and what ``SegmentWriter/end(of:_:)`` returns are a file that cannot be
/// told from one that a single writer has written.
public enum FilePart: Sendable {
    /// All of it.
    case whole
    /// Its beginning, which announces the totals.
    case first
    /// What follows; without rows it has no bytes.
    case later
}

extension CompressionFormat {
    /// The level to use.
    fileprivate func checked(_ level: Int?) throws(CompressionError) -> Int {
        let level = level ?? standardLevel
        guard levels.contains(level) else {
            throw CompressionError(
                code: .unsupported,
                message: "\(rawValue) has no level \(level)",
                hint: "use one from \(levels.lowerBound) to \(levels.upperBound)",
                offset: nil
            )
        }
        return level
    }
}

extension SegmentWriter.State {
    /// Compresses bytes of the current segment, and records the segment if it ends with them.
    fileprivate mutating func encode(_ bytes: [UInt8], endsSegment: Bool) throws(CompressionError) -> EncodedBytes {
        var output: [UInt8] = []
        if let encoder {
            try encoder.encode(bytes, endsSegment: endsSegment, to: &output)
        } else {
            output = bytes
        }
        guard !endsSegment else { return end(with: output) }
        current.bytes += Int64(output.count)
        return EncodedBytes(bytes: output)
    }

    /// Records the current segment, which ends with these bytes.
    fileprivate mutating func end(with output: [UInt8]) -> EncodedBytes {
        current.bytes += Int64(output.count)
        let ended = current
        segments.append(ended)
        current = Segment(offset: ended.offset + ended.bytes, bytes: 0, uncompressedBytes: 0, rows: 0)
        return EncodedBytes(bytes: output, endedSegment: ended)
    }

    /// What the segments that are complete hold together.
    fileprivate var totals: FileTotals {
        segments.reduce(into: FileTotals(rows: 0, bytes: 0)) { totals, segment in
            totals.rows += Int64(segment.rows)
            totals.bytes += segment.uncompressedBytes
        }
    }
}
