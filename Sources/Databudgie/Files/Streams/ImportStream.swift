import Compression
import Crypto
import Storage

/// The CSV of a data file on its way in: decompressed, without a byte order mark, and counted.
///
/// Decompressing, counting and filtering run where the stream is pulled: in the task that feeds the COPY, not on the
/// connection's executor.
struct ImportStream: Sendable {
    private let bytes: StorageBytes
    private let path: StoragePath
    private let header: CSVHeader
    private let meter: TransferMeter
    private let segments: [SetRecord.Segment]
    private let part: FilePart
    private let counter: RecordCount

    /// - Parameters:
    ///   - bytes: The file as it is stored, or some of its segments.
    ///   - path: The file's path, for errors.
    ///   - header: The file's header.
    ///   - meter: Counts what passes.
    ///   - segments: What is recorded of the segments that are read; empty when nothing is.
    ///   - part: What of the file is read; later parts have no header.
    init(
        _ bytes: StorageBytes,
        of path: StoragePath,
        header: CSVHeader,
        meter: TransferMeter,
        segments: [SetRecord.Segment] = [],
        part: FilePart = .whole
    ) {
        self.bytes = bytes
        self.path = path
        self.header = header
        self.meter = meter
        self.segments = segments
        self.part = part
        counter = RecordCount(endsWithCarriageReturn: header.endsWithCarriageReturn)
    }

    /// The number of rows that have passed, without the header; all of them when the stream has ended.
    var rows: Int { counter.state.count - (part == .later ? 0 : 1) }

    /// The records, header first, unless it is in another part of the file.
    ///
    /// - Parameter keeps: For each column whether it is passed on.
    /// - Returns: Chunks of any size, not cut at records. The sequence throws `CompressionError` when the file is damaged, and
    ///   ``DatabudgieError`` when it is incomplete or has another number of rows than its end says.
    func records(keeping keeps: [Bool]) -> some AsyncSequence<[UInt8], any Error> & Sendable {
        CSVRecords(
            base: RecordedBytes(base: bytes, check: SegmentHashes(segments, of: path), meter: meter)
                .decompressed(isWholeFile: part == .whole),
            filter: keeps.contains(false)
                ? CSVColumnFilter(keeping: keeps, endsWithCarriageReturn: header.endsWithCarriageReturn) : nil,
            check: RecordCheck(path: path, counter: counter),
            meter: meter,
            mark: ByteOrderMark(isExpected: part != .later)
        )
    }
}

/// The number of records that passed; read when the stream has ended.
///
/// Filled from the task that feeds the COPY, and read by its caller afterwards.
private final class RecordCount: @unchecked Sendable {
    // Proof of safety: the only writer is the iterator that the COPY pulls, and the reader reads after the COPY has
    // returned, which happens after the iterator's last call.
    private var counter: CSVRecordCounter

    init(endsWithCarriageReturn: Bool) {
        counter = CSVRecordCounter(endsWithCarriageReturn: endsWithCarriageReturn)
    }

    var state: CSVRecordCounter { counter }

    func add(_ bytes: [UInt8]) {
        counter.add(bytes)
    }
}

/// Refuses a file of which the server would not see all rows, or that does not have all of them.
private struct RecordCheck: Sendable {
    let path: StoragePath
    let counter: RecordCount

    /// Counts bytes that are about to be sent.
    func add(_ bytes: [UInt8]) throws(DatabudgieError) {
        counter.add(bytes)
        guard let record = counter.state.endMarkerRecord else { return }
        throw DatabudgieError(
            .dataFile,
            "\(path): record \(record) is only \\., which servers before version 18 take for the end of the data",
            hint: "quote it as \"\\.\", or remove it if the data ends there"
        )
    }

    /// Checks the file at its end.
    ///
    /// - Parameter totals: What the file says that it holds; nil if it does not say.
    /// - Throws: ``DatabudgieError`` that names the file.
    func end(_ totals: FileTotals?) throws(DatabudgieError) {
        let state = counter.state
        guard !state.isInQuotes else {
            throw DatabudgieError(
                .dataFile,
                "\(path): the file ends inside quotes: it is cut off, or a quote is missing",
                hint: "use another backup, or correct the file"
            )
        }
        guard state.endsWithLineBreak else {
            throw DatabudgieError(
                .dataFile,
                "\(path): the last line has no line break, so it may be cut off",
                hint: "use another backup, or end the line if it is complete"
            )
        }
        guard totals == nil || totals?.rows == Int64(state.count) else {
            throw DatabudgieError(
                .dataFile,
                "\(path): the file has \(state.count) records, and its end says \(totals?.rows ?? 0)",
                hint: "copy the file again from its source, or use another backup"
            )
        }
    }
}

/// Compares the bytes of a file with the recorded hashes of its segments.
private struct SegmentHashes {
    private let path: StoragePath
    private var segments: ArraySlice<SetRecord.Segment>
    private let isRecorded: Bool
    private var hash = SHA256()
    private var missingBytes: Int64

    init(_ segments: [SetRecord.Segment], of path: StoragePath) {
        self.path = path
        self.segments = segments[...]
        isRecorded = !segments.isEmpty
        missingBytes = segments.first?.bytes ?? 0
    }

    /// Takes the next bytes of the file.
    ///
    /// - Throws: ``DatabudgieError`` when those of a segment are others than were written.
    mutating func add(_ chunk: [UInt8]) throws(DatabudgieError) {
        guard isRecorded else { return }
        var rest = chunk[...]
        while let segment = segments.first {
            let piece = rest.prefix(Int(min(max(missingBytes, 0), Int64(rest.count))))
            piece.withUnsafeBytes { hash.update(bufferPointer: $0) }
            missingBytes -= Int64(piece.count)
            rest = rest.dropFirst(piece.count)
            guard missingBytes <= 0 else { return }
            guard hexadecimal(hash.finalize()).hasBytes(of: segment.sha256) else { throw damage(segment) }
            segments.removeFirst()
            hash = SHA256()
            missingBytes = segments.first?.bytes ?? 0
        }
        if !rest.isEmpty { throw ended }
    }

    /// Takes the end of the file.
    func end() throws(DatabudgieError) {
        guard segments.isEmpty else { throw ended }
    }

    private func damage(_ segment: SetRecord.Segment) -> DatabudgieError {
        let number = segments.startIndex + 1
        return DatabudgieError(
            .dataFile,
            "\(path), segment \(number) at byte \(segment.offset): its bytes are not those that were written (SHA-256)",
            hint: "copy the file again from its source, or choose another set by --set"
        )
    }

    private var ended: DatabudgieError {
        DatabudgieError(
            .dataFile,
            "\(path) has another size than its segments have in the set record",
            hint: "copy the file and the record again from their source, or choose another set by --set"
        )
    }
}

/// The bytes of a file as they are read, counted, and compared with what is recorded of them.
private struct RecordedBytes<Base: AsyncSequence & Sendable>: AsyncSequence, Sendable where Base.Element == [UInt8] {
    typealias Element = [UInt8]

    let base: Base
    let check: SegmentHashes
    let meter: TransferMeter

    func makeAsyncIterator() -> Iterator {
        Iterator(base: base.makeAsyncIterator(), check: check, meter: meter)
    }

    struct Iterator: AsyncIteratorProtocol {
        var base: Base.AsyncIterator
        var check: SegmentHashes
        let meter: TransferMeter

        mutating func next() async throws -> [UInt8]? {
            guard let chunk = try await base.next(isolation: #isolation) else {
                try check.end()
                return nil
            }
            meter.add(fileBytes: chunk.count)
            try check.add(chunk)
            return chunk
        }
    }
}

/// The CSV as the server gets it: without a byte order mark and without generated columns, checked on the way.
private struct CSVRecords<Base: AsyncSequence & Sendable>: AsyncSequence, Sendable where Base.Element == [UInt8] {
    typealias Element = [UInt8]

    let base: DecompressedBytes<Base>
    let filter: CSVColumnFilter?
    let check: RecordCheck
    let meter: TransferMeter
    let mark: ByteOrderMark

    func makeAsyncIterator() -> Iterator {
        Iterator(base: base.makeAsyncIterator(), filter: filter, check: check, meter: meter, mark: mark)
    }

    struct Iterator: AsyncIteratorProtocol {
        var base: DecompressedBytes<Base>.AsyncIterator
        var filter: CSVColumnFilter?
        let check: RecordCheck
        let meter: TransferMeter
        var mark: ByteOrderMark

        mutating func next() async throws -> [UInt8]? {
            guard let chunk = try await base.next(isolation: #isolation) else {
                try check.end(base.totals)
                return nil
            }
            meter.add(bytes: chunk.count)
            let bytes = mark.removed(from: chunk)
            try check.add(bytes)
            return filter?.filter(bytes) ?? bytes
        }
    }
}

/// Takes a byte order mark off the beginning of a stream, however it is cut into chunks.
private struct ByteOrderMark {
    private var expected: ArraySlice<UInt8>

    /// - Parameter isExpected: False in the middle of a file, where the same bytes are a character of a value.
    init(isExpected: Bool) {
        expected = isExpected ? CSVHeader.byteOrderMark[...] : []
    }

    mutating func removed(from chunk: [UInt8]) -> [UInt8] {
        guard !expected.isEmpty else { return chunk }
        var rest = chunk[...]
        while let byte = rest.first, let next = expected.first {
            guard byte == next else {
                // Not a mark after all; only a file that begins like one is affected, and no UTF-8 file does.
                expected = []
                return chunk
            }
            rest.removeFirst()
            expected.removeFirst()
        }
        return Array(rest)
    }
}
