import Compression
import Postgres
import Storage

/// How a data file is sent to the server.
struct LoadFormat: Sendable {
    let header: CSVHeader
    /// For each column of the file whether it is loaded.
    let keeps: [Bool]
    /// Triggers may drop rows, so that the server's count is no proof.
    let countMayDiffer: Bool

    /// The names of the loaded columns, in the order of the file.
    var columns: [String] { zip(header.columns, keeps).filter(\.1).map(\.0) }
}

/// Streams one data file into one table, within the caller's transaction.
struct TableLoader {
    let connection: Connection
    let storage: any Storage
    let job: RestoreJob
    let format: LoadFormat

    /// Loads all rows.
    ///
    /// - Parameter onProgress: Receives the totals so far, a few times a second.
    /// - Returns: The final totals.
    /// - Throws: ``DatabudgieError`` when the file is damaged, when the server refuses a value, with its line, or when it
    ///   took another number of rows than the file has; `PostgresError` or `StorageError` when either was lost. The
    ///   transaction must be rolled back then.
    func run(onProgress: @escaping @Sendable (TransferTotals) -> Void) async throws -> TransferTotals {
        let meter = TransferMeter(report: onProgress)
        let counter = RecordCount(endsWithCarriageReturn: format.header.endsWithCarriageReturn)
        let file = MeteredBytes(base: try await storage.read(job.file.path), meter: meter)
        let records = CSVRecords(
            base: file.decompressed(),
            filter: format.keeps.contains(false) ? CSVColumnFilter(keeping: format.keeps) : nil,
            counter: counter,
            meter: meter
        )
        let rows: Int
        do {
            rows = try await connection.copyIn(statement, from: records)
        } catch let error as CompressionError {
            throw DatabudgieError(.dataFile, "\(job.file.path): \(error)", underlying: error)
        } catch let error as PostgresError where error.code == .serverError {
            throw DatabudgieError(.database, "\(job.file.path): \(error)", underlying: error)
        }
        let expected = counter.count - 1
        guard rows == expected || format.countMayDiffer else {
            throw DatabudgieError(
                .countMismatch,
                "\(job.file.path) has \(expected) rows, but the server took \(rows). A line with nothing but \\. in it "
                    + "ends the data for the server; quote it as \"\\.\"."
            )
        }
        meter.add(rows: rows)
        return meter.totals
    }

    /// The header goes along, so that the line numbers of the server's messages are the file's.
    private var statement: String {
        let columns = format.columns.map(quotedIdentifier).joined(separator: ", ")
        let list = columns.isEmpty ? "" : " (\(columns))"
        return "copy \(job.relation.name.quoted)\(list) from stdin with (format csv, header)"
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
