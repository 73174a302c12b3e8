import Compression
import Crypto
import Postgres
import Storage
import Synchronization

/// The bytes of a data file on their way out: rows as COPY sends them, compressed in segments of whole rows, and hashed.
struct ExportStream<Rows: AsyncSequence & Sendable>: AsyncSequence, Sendable where Rows.Element == RowChunk {
    typealias Element = [UInt8]

    private let rows: Rows
    private let writer: SegmentWriter
    private let hasher = SegmentHasher()
    private let meter: TransferMeter
    private let part: FilePart
    private let estimatedRows: Int?
    private let beforeEnd: @Sendable () async throws -> Void

    /// - Parameters:
    ///   - rows: What COPY sends, the header first: of one command, or of several one after the other.
    ///   - format: The form of the file.
    ///   - part: What of the file it is; later parts have no header.
    ///   - meter: Counts what passes.
    ///   - estimatedRows: How many rows there probably are; nil when that is unknown.
    ///   - beforeEnd: Runs when all rows have arrived; the stream fails with its error, so that no file is published.
    /// - Throws: `CompressionError` when memory is short.
    init(
        _ rows: Rows,
        as format: DataFileFormat,
        part: FilePart = .whole,
        meter: TransferMeter,
        estimatedRows: Int? = nil,
        beforeEnd: @escaping @Sendable () async throws -> Void = {}
    ) throws {
        self.rows = rows
        self.meter = meter
        self.part = part
        self.estimatedRows = estimatedRows
        self.beforeEnd = beforeEnd
        writer = try SegmentWriter(format: format.compression, level: format.level, part: part)
    }

    /// The segments that have passed, all of them when the stream has ended.
    var segments: [HashedSegment] { hasher.segments }

    func makeAsyncIterator() -> Iterator {
        Iterator(
            rows: rows.makeAsyncIterator(),
            writer: writer,
            hasher: hasher,
            meter: meter,
            beforeEnd: beforeEnd,
            isWhole: part == .whole,
            headerRows: part == .later ? 0 : 1
        )
    }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate var rows: Rows.AsyncIterator
        fileprivate let writer: SegmentWriter
        fileprivate let hasher: SegmentHasher
        fileprivate let meter: TransferMeter
        fileprivate let beforeEnd: @Sendable () async throws -> Void
        fileprivate let isWhole: Bool
        /// The header is a row of the stream, but not of the table.
        fileprivate var headerRows: Int
        fileprivate var isFinished = false

        mutating func next() async throws -> [UInt8]? {
            while !isFinished {
                let output: [UInt8]
                if var chunk = try await rows.next(isolation: #isolation) {
                    if headerRows > 0 { chunk.bytes = CSVHeader.quotingByteOrderMark(chunk.bytes) }
                    output = try await Self.encode(chunk, writer, hasher)
                    meter.add(rows: chunk.rows - headerRows, bytes: chunk.bytes.count, fileBytes: output.count)
                    headerRows = 0
                    await FailPoint.reached(.rowsArrived)
                } else {
                    isFinished = true
                    try await beforeEnd()
                    if isWhole { await FailPoint.reached(.dataFileUnpublished) }
                    let last = try writer.finish()
                    last.forEach(hasher.add)
                    output = last.flatMap(\.bytes)
                    meter.add(fileBytes: output.count)
                }
                if !output.isEmpty { return output }
            }
            return nil
        }

        /// Off the caller's actor, because compressing and hashing take most of a job's CPU time.
        @concurrent
        private static func encode(
            _ chunk: RowChunk,
            _ writer: SegmentWriter,
            _ hasher: SegmentHasher
        ) async throws -> [UInt8] {
            let encoded = try writer.append(chunk.bytes, rows: chunk.rows)
            hasher.add(encoded)
            return encoded.bytes
        }
    }
}

extension ExportStream: ForeseeableBytes {
    /// By the size of the rows that have passed, and the number of those that the statistics know.
    ///
    /// A table that has more is larger by nobody knows how much: a quarter is assumed, until the statistics are seen to be of
    /// no use.
    var expectedBytes: Int64? {
        let totals = meter.totals
        guard let estimatedRows, totals.rows > 0, Double(totals.rows) <= Double(estimatedRows) * 1.5 else { return nil }
        let rows = Swift.max(Double(estimatedRows), Double(totals.rows) * 1.25)
        // Far above what any storage takes, and far below what an integer does.
        return Int64(Swift.min(Double(totals.fileBytes) / Double(totals.rows) * rows, 1e18))
    }
}

/// Hashes the stored bytes of each segment as they pass.
///
/// The stages of a stream run in different tasks, hence the lock; it is taken once a chunk.
private final class SegmentHasher: Sendable {
    private struct State {
        var hash = SHA256()
        var segments: [HashedSegment] = []
    }

    private let state = Mutex(State())

    var segments: [HashedSegment] { state.withLock { $0.segments } }

    func add(_ encoded: EncodedBytes) {
        state.withLock { state in
            state.hash.update(data: encoded.bytes)
            guard let segment = encoded.endedSegment else { return }
            state.segments.append(HashedSegment(segment: segment, sha256: Array(state.hash.finalize())))
            state.hash = SHA256()
        }
    }
}
