import Compression
import Crypto
import Storage

/// Compares a segment of a data file with what the set record says about it, while its bytes pass.
///
/// What a segment needs is a decoder and counters: memory does not depend on its size.
struct SegmentCheck {
    /// What a segment holds.
    struct Contents {
        /// Its records, the header among them in the first segment.
        var records = 0
        /// Bytes of CSV.
        var bytes: Int64 = 0
        /// What is wrong with it.
        var damages: [String] = []
    }

    /// What the rows of a segment are compared with.
    struct Rows {
        /// The columns of the file.
        let columns: [String]
        /// How many records come before the segment.
        let recordsBefore: Int
        /// The header is in this segment.
        let isFirst: Bool
    }

    private let segment: SetRecord.Segment
    private let rows: Rows?
    private var readBytes: Int64 = 0
    private var contentBytes: Int64 = 0
    private var hash = SHA256()
    private let reader: SegmentReader?
    private var failure: CompressionError?
    private var counter = CSVRecordCounter(endsWithCarriageReturn: false)
    private var fields: CSVFieldCounter?
    private var header: ColumnsCheck?

    /// - Parameters:
    ///   - segment: What the record says.
    ///   - compression: How it is compressed; nil for plain CSV.
    ///   - rows: What its rows are compared with; nil counts them only.
    /// - Throws: `CompressionError` when memory is short.
    init(_ segment: SetRecord.Segment, compression: CompressionFormat?, rows: Rows?) throws(CompressionError) {
        self.segment = segment
        self.rows = rows
        if let compression {
            reader = try SegmentReader(format: compression, offset: segment.offset)
        } else {
            reader = nil
        }
        guard let rows else { return }
        fields = CSVFieldCounter(columns: rows.columns.count)
        header = rows.isFirst ? ColumnsCheck(columns: rows.columns) : nil
    }

    /// How many bytes are to be read yet.
    var missingBytes: Int64 { segment.bytes - readBytes }

    /// Takes the next bytes of the segment.
    ///
    /// - Returns: How many bytes of CSV they hold.
    mutating func add(_ bytes: [UInt8]) -> Int {
        let before = contentBytes
        readBytes += Int64(bytes.count)
        hash.update(data: bytes)
        guard let reader else {
            addContent(bytes)
            return bytes.count
        }
        guard failure == nil else { return 0 }
        do {
            try reader.read(bytes) { addContent($0) }
        } catch {
            failure = error
        }
        return Int(contentBytes - before)
    }

    private mutating func addContent(_ bytes: [UInt8]) {
        contentBytes += Int64(bytes.count)
        counter.add(bytes)
        fields?.add(bytes)
        header?.add(bytes)
    }

    /// Ends the segment.
    ///
    /// What follows from other bytes is not reported beside them.
    /// - Returns: What it holds.
    mutating func end() -> Contents {
        var contents = Contents(records: counter.count, bytes: contentBytes)
        guard missingBytes == 0 else {
            contents.damages = ["it is cut off after \(readBytes) of its \(segment.bytes) bytes"]
            return contents
        }
        if failure == nil {
            do { try reader?.finish() } catch { failure = error }
        }
        guard hexadecimal(hash.finalize()).hasBytes(of: segment.sha256) else {
            let reason = failure.map { "; \($0.message)" } ?? ""
            contents.damages = [DamageCollector.otherBytes + reason]
            return contents
        }
        if let failure {
            contents.damages = [failure.message]
        } else {
            contents.damages = countDamages + rowDamages
        }
        return contents
    }

    private var countDamages: [String] {
        var damages: [String] = []
        if contentBytes != segment.uncompressedBytes {
            damages.append(
                "it holds \(contentBytes) bytes of CSV, and the set record says \(segment.uncompressedBytes)"
            )
        }
        if counter.count != segment.rows {
            damages.append("it holds \(counter.count) records, and the set record says \(segment.rows)")
        }
        return damages
    }

    private var rowDamages: [String] {
        guard let rows, let fields else { return [] }
        var damages = header?.damages ?? []
        if counter.isInQuotes { damages.append("it ends inside quotes") }
        if let record = counter.endMarkerRecord {
            damages.append("record \(rows.recordsBefore &+ record) is only \\., which ends the data for older servers")
        }
        return damages + fields.damages(columns: rows.columns.count, recordsBefore: rows.recordsBefore)
    }
}

extension CSVFieldCounter {
    /// What is wrong with the fields of a file or a segment, in one line.
    ///
    /// - Parameters:
    ///   - columns: How many columns there are.
    ///   - recordsBefore: How many records come before it in the file.
    /// - Returns: A sentence, or none.
    func damages(columns: Int, recordsBefore: Int = 0) -> [String] {
        guard let first = firstWrong else { return [] }
        let others = wrongRecords > 1 ? " (and \(wrongRecords - 1) similar)" : ""
        let fields = first.fields == 1 ? "1 field" : "\(first.fields) fields"
        let names = columns == 1 ? "1 column" : "\(columns) columns"
        return ["record \(recordsBefore &+ first.record) has \(fields) for \(names)" + others]
    }
}
