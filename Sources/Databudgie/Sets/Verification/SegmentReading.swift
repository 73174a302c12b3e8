import Compression

/// Divides the bytes of a file, or of a part of it, into its segments, and checks each of them.
struct SegmentReading {
    private let check: DataFileCheck
    private let segments: [SetRecord.Segment]
    private let compression: CompressionFormat?
    private let end: Int
    /// The number of the segment that is read, or read next, from 0.
    private var number: Int
    private let numbers: Range<Int>
    private var current: SegmentCheck?
    private var recordsBefore: Int

    /// - Parameters:
    ///   - check: Gets what the segments hold.
    ///   - segments: Those of the whole file, one after another.
    ///   - numbers: The numbers of those that are read, from 0.
    ///   - compression: How they are compressed; nil for plain CSV.
    init(
        _ check: DataFileCheck,
        _ segments: [SetRecord.Segment],
        _ numbers: Range<Int>,
        _ compression: CompressionFormat?
    ) {
        (self.check, self.segments, self.numbers, self.compression) = (check, segments, numbers, compression)
        (number, end) = (numbers.lowerBound, numbers.upperBound)
        recordsBefore = segments[..<numbers.lowerBound].reduce(0) { $0 &+ $1.rows }
    }

    /// The bytes of the segments.
    ///
    /// - Parameter size: The file's size, in bytes.
    /// - Returns: Nil when the file ends before them.
    func range(within size: Int64) -> Range<Int64>? {
        guard let first = segments[numbers].first, let last = segments[numbers].last, first.offset < size else {
            return nil
        }
        return first.offset..<min(size, last.offset + last.bytes)
    }

    /// Whether all segments were read.
    var isComplete: Bool { number == end }

    /// Takes the next bytes; those after the last segment do not count.
    ///
    /// - Throws: `CompressionError` when memory is short.
    mutating func add(_ chunk: [UInt8]) throws(CompressionError) {
        var rest = chunk[...]
        var contentBytes = 0
        while !rest.isEmpty, number < end {
            if current == nil { current = try begin() }
            let piece = rest.prefix(Int(min(current?.missingBytes ?? 0, Int64(rest.count))))
            contentBytes += current?.add(piece.count == chunk.count ? chunk : Array(piece)) ?? 0
            rest = rest.dropFirst(piece.count)
            if current?.missingBytes == 0 { endSegment() }
        }
        check.meter.add(bytes: contentBytes, fileBytes: chunk.count - rest.count)
    }

    /// Ends the segment in whose middle the bytes end.
    mutating func finish() {
        if current != nil { endSegment() }
    }

    private func begin() throws(CompressionError) -> SegmentCheck {
        let rows =
            check.level == .rows
            ? SegmentCheck.Rows(columns: check.columns, recordsBefore: recordsBefore, isFirst: number == 0) : nil
        return try SegmentCheck(segments[number], compression: compression, rows: rows)
    }

    private mutating func endSegment() {
        if let contents = current?.end() { check.ended(number, segments[number], contents) }
        recordsBefore = recordsBefore &+ segments[number].rows
        number += 1
        current = nil
    }
}
