@testable import Databudgie

/// The readers of CSV, compared with slow ones that look at the whole text.
enum CSVTargets {
    /// A header is read the same from any number of its bytes that suffices.
    static func header(_ bytes: [UInt8]) {
        let whole = CSVHeader.parse(bytes, isComplete: true)
        for length in 0...min(bytes.count, 300) {
            guard let early = CSVHeader.parse(Array(bytes.prefix(length)), isComplete: false) else { continue }
            expect(early == whole, "a header changes after \(length) bytes")
            break
        }
        guard let whole else { return }
        expect(bytes.count < 3 || whole.hasByteOrderMark == bytes.starts(with: CSVHeader.byteOrderMark), "mark")
        let marked = whole.matching(["\u{FEFF}" + (whole.columns.first ?? "")])
        expect(marked.columns.count == whole.columns.count, "a column is lost")
        // Written as COPY writes it, a header is read as it was meant.
        let text = whole.columns.map { "\"" + $0.replacingBytes(of: "\"", with: "\"\"") + "\"" }.joined(separator: ",")
        let again = CSVHeader.parse(Array((text + "\n").utf8), isComplete: true)
        expect(
            again.map { $0.columns.map { Array($0.utf8) } } == whole.columns.map { Array($0.utf8) },
            "a quoted header is read as something else"
        )
    }

    static func records(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        let endsWithCarriageReturn = input.byte() & 1 == 1
        let size = input.size(upTo: 64)
        var counter = CSVRecordCounter(endsWithCarriageReturn: endsWithCarriageReturn)
        input.pieces(size).forEach { counter.add($0) }
        let reference = ReferenceRecords(Array(input.rest), endsWithCarriageReturn: endsWithCarriageReturn)
        expect(counter.count == reference.records.count, "\(counter.count) records, not \(reference.records.count)")
        expect(counter.endsWithLineBreak == reference.endsWithLineBreak, "the end is seen differently")
        expect(counter.isInQuotes == reference.endsInQuotes, "the quotes are seen differently")
        expect(counter.endMarkerRecord == reference.endMarkerRecord, "the marker is seen differently")
        let counts = reference.fieldCounts
        let columns = counts.first ?? 1
        var fields = CSVFieldCounter(columns: columns, endsWithCarriageReturn: endsWithCarriageReturn)
        input.pieces(size).forEach { fields.add($0) }
        expect(fields.wrongRecords == counts.count { $0 != columns }, "the fields are counted differently")
        let first = counts.firstIndex { $0 != columns }
        expect(fields.firstWrong?.record == first.map { $0 + 1 }, "another record is the first wrong one")
        expect(fields.firstWrong?.fields == first.map { counts[$0] }, "its fields are counted differently")
        var splitter = CSVRecordSplitter(size: size, endsWithCarriageReturn: endsWithCarriageReturn)
        let batches = input.pieces(size).flatMap { splitter.add($0) } + [splitter.take()]
        let split = batches.flatMap { batch in (0..<batch.count).map { batch.bytes(of: $0..<$0 + 1) } }
        let lineEnd: [UInt8] = endsWithCarriageReturn ? [13] : [10]
        let whole = reference.records.enumerated().map { number, record in
            number == reference.records.count - 1 && !reference.endsWithLineBreak ? record : record + lineEnd
        }
        expect(split == whole, "the stream is cut into other records")
    }

    static func filter(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        let endsWithCarriageReturn = input.byte() & 1 == 1
        let size = input.size(upTo: 64)
        let columns = input.byte()
        let keeps = (0..<Int(columns % 5) + 1).map { columns >> (3 + $0) & 1 == 1 }
        let reference = ReferenceRecords(Array(input.rest), endsWithCarriageReturn: endsWithCarriageReturn)
        // Others are refused before their end.
        guard reference.endsWithLineBreak else { return }
        var filter = CSVColumnFilter(keeping: keeps, endsWithCarriageReturn: endsWithCarriageReturn)
        var output: [UInt8] = []
        for piece in input.pieces(size) { output += filter.filter(piece) }
        expect(output == reference.filtered(keeps), "the columns are filtered differently")
        guard reference.endMarkerRecord == nil else { return }
        let filtered = ReferenceRecords(output, endsWithCarriageReturn: endsWithCarriageReturn)
        expect(filtered.endMarkerRecord == nil, "the filter has made an end of the data")
        expect(filtered.records.count == reference.records.count, "the filter has changed the number of records")
    }
}

/// Records cut out of a whole text, with their line ends taken off.
private struct ReferenceRecords {
    private(set) var records: [[UInt8]] = []
    private(set) var endsWithLineBreak = true
    private(set) var endsInQuotes = false
    private let lineEnd: UInt8

    init(_ bytes: [UInt8], endsWithCarriageReturn: Bool) {
        lineEnd = endsWithCarriageReturn ? 13 : 10
        var record: [UInt8] = []
        for byte in bytes {
            if byte == 34 { endsInQuotes.toggle() }
            if byte == lineEnd, !endsInQuotes {
                records.append(record)
                record = []
                endsWithLineBreak = true
            } else {
                record.append(byte)
                endsWithLineBreak = false
            }
        }
        if !endsWithLineBreak { records.append(record) }
    }

    /// The number of fields of each complete record.
    var fieldCounts: [Int] {
        records.prefix(endsWithLineBreak ? records.count : records.count - 1).map { Self.fields(of: $0).count }
    }

    var endMarkerRecord: Int? {
        let complete = endsWithLineBreak ? records.count : records.count - 1
        // A carriage return or line feed of the other kind ends the marker for the server as well, or is an error.
        return records.indices.first { index in
            let record = records[index]
            guard record.starts(with: [92, 46]) else { return false }
            return record.count == 2 ? index < complete : record[2] == 13 || record[2] == 10
        }.map { $0 + 1 }
    }

    func filtered(_ keeps: [Bool]) -> [UInt8] {
        records.flatMap { record in
            let fields = Self.fields(of: record)
            let kept = fields.indices.filter { $0 >= keeps.count || keeps[$0] }.map { fields[$0] }
            var line = Array(kept.joined(separator: [44]))
            if line == [92, 46] { line = [34, 92, 46, 34] }
            if line.starts(with: [92, 46, 13]) { line = [34, 92, 46, 34] + line.dropFirst(2) }
            return line + [lineEnd]
        }
    }

    private static func fields(of record: [UInt8]) -> [[UInt8]] {
        var fields: [[UInt8]] = [[]]
        var isInQuotes = false
        for byte in record {
            if byte == 34 { isInQuotes.toggle() }
            if byte == 44, !isInQuotes { fields.append([]) } else { fields[fields.count - 1].append(byte) }
        }
        return fields
    }
}
