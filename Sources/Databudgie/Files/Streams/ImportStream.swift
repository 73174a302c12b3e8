import Compression
import Storage

/// The CSV of a data file on its way in: decompressed, without a byte order mark, and counted.
///
/// Decompressing, counting and filtering run where the stream is pulled: in the task that feeds the COPY, not on the
/// connection's executor.
struct ImportStream: Sendable {
    private let bytes: StorageBytes
    private let header: CSVHeader
    private let meter: TransferMeter
    private let counter: RecordCount

    /// - Parameters:
    ///   - bytes: The file as it is stored.
    ///   - header: The file's header.
    ///   - meter: Counts what passes.
    init(_ bytes: StorageBytes, header: CSVHeader, meter: TransferMeter) {
        self.bytes = bytes
        self.header = header
        self.meter = meter
        counter = RecordCount(endsWithCarriageReturn: header.endsWithCarriageReturn)
    }

    /// The number of rows that have passed, without the header; all of them when the stream has ended.
    var rows: Int { counter.count - 1 }

    /// The records, header first.
    ///
    /// - Parameter keeps: For each column whether it is passed on.
    /// - Returns: Chunks of any size, not cut at records.
    func records(keeping keeps: [Bool]) -> some AsyncSequence<[UInt8], any Error> & Sendable {
        CSVRecords(
            base: MeteredBytes(base: bytes, meter: meter).decompressed(),
            filter: keeps.contains(false) ? CSVColumnFilter(keeping: keeps) : nil,
            counter: counter,
            meter: meter
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

    var count: Int { counter.count }

    func add(_ bytes: [UInt8]) {
        counter.add(bytes)
    }
}

/// Counts the bytes of a file as they are read.
private struct MeteredBytes<Base: AsyncSequence & Sendable>: AsyncSequence, Sendable where Base.Element == [UInt8] {
    typealias Element = [UInt8]

    let base: Base
    let meter: TransferMeter

    func makeAsyncIterator() -> Iterator {
        Iterator(base: base.makeAsyncIterator(), meter: meter)
    }

    struct Iterator: AsyncIteratorProtocol {
        var base: Base.AsyncIterator
        let meter: TransferMeter

        mutating func next() async throws -> [UInt8]? {
            guard let chunk = try await base.next(isolation: #isolation) else { return nil }
            meter.add(fileBytes: chunk.count)
            return chunk
        }
    }
}

/// The CSV as the server gets it: without a byte order mark and without generated columns, counted on the way.
private struct CSVRecords<Base: AsyncSequence & Sendable>: AsyncSequence, Sendable where Base.Element == [UInt8] {
    typealias Element = [UInt8]

    let base: Base
    let filter: CSVColumnFilter?
    let counter: RecordCount
    let meter: TransferMeter

    func makeAsyncIterator() -> Iterator {
        Iterator(base: base.makeAsyncIterator(), filter: filter, counter: counter, meter: meter)
    }

    struct Iterator: AsyncIteratorProtocol {
        var base: Base.AsyncIterator
        var filter: CSVColumnFilter?
        let counter: RecordCount
        let meter: TransferMeter
        var mark = ByteOrderMark()

        mutating func next() async throws -> [UInt8]? {
            guard let chunk = try await base.next(isolation: #isolation) else { return nil }
            meter.add(bytes: chunk.count)
            let bytes = mark.removed(from: chunk)
            counter.add(bytes)
            return filter?.filter(bytes) ?? bytes
        }
    }
}

/// Takes a byte order mark off the beginning of a stream, however it is cut into chunks.
private struct ByteOrderMark {
    private var expected = CSVHeader.byteOrderMark[...]

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
