/// Whole records of a CSV stream, in their order.
struct CSVRecordBatch: Sendable {
    /// The bytes of all records.
    private(set) var bytes: [UInt8] = []
    /// Where each record begins in the bytes, and its line in the stream, from 1.
    private var starts: [(offset: Int, line: Int)] = []

    /// How many records there are.
    var count: Int { starts.count }

    /// The bytes of some of the records.
    func bytes(of records: Range<Int>) -> [UInt8] {
        guard !records.isEmpty else { return [] }
        let end = records.upperBound < count ? starts[records.upperBound].offset : bytes.count
        return Array(bytes[starts[records.lowerBound].offset..<end])
    }

    /// The line in which a record begins.
    func line(of record: Int) -> Int { starts[record].line }

    fileprivate mutating func begin(at line: Int) { starts.append((bytes.count, line)) }

    fileprivate mutating func append(_ bytes: ArraySlice<UInt8>) { self.bytes += bytes }
}

/// Cuts a CSV stream between records, into batches of a limited size.
///
/// A line break inside quotes does not end a record; a doubled quote closes and opens, which leaves the state as it was.
struct CSVRecordSplitter {
    private let size: Int
    private let lineEnd: UInt8
    private var line = 1
    private var isInQuotes = false
    private var isAtStart = true
    private var batch = CSVRecordBatch()

    /// - Parameters:
    ///   - size: Bytes after which a batch is complete; it is larger by less than one record.
    ///   - endsWithCarriageReturn: Records end with a lone carriage return.
    init(size: Int, endsWithCarriageReturn: Bool) {
        self.size = size
        lineEnd = endsWithCarriageReturn ? .carriageReturn : .lineFeed
    }

    /// Takes the next bytes of the stream.
    ///
    /// - Returns: The batches that are complete.
    mutating func add(_ bytes: [UInt8]) -> [CSVRecordBatch] {
        var complete: [CSVRecordBatch] = []
        var start = bytes.startIndex
        for index in bytes.indices {
            let byte = bytes[index]
            if isAtStart {
                batch.append(bytes[start..<index])
                start = index
                if batch.bytes.count >= size { complete.append(take()) }
                batch.begin(at: line)
                isAtStart = false
            }
            if byte == .quote { isInQuotes.toggle() }
            guard byte == lineEnd else { continue }
            line += 1
            isAtStart = !isInQuotes
        }
        batch.append(bytes[start...])
        return complete
    }

    /// The records that are left at the end of the stream.
    mutating func take() -> CSVRecordBatch {
        defer { batch = CSVRecordBatch() }
        return batch
    }
}
