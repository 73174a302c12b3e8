/// Counts the records of a CSV stream, and finds where it would end too early.
///
/// A line break inside quotes does not end a record; a doubled quote closes and opens, which leaves the state as it was.
struct CSVRecordCounter {
    private let lineEnd: UInt8
    private var records = 0
    private(set) var isInQuotes = false
    private var lastByte: UInt8?
    private var endMarker = CSVEndMarker()

    init(endsWithCarriageReturn: Bool) {
        lineEnd = endsWithCarriageReturn ? .carriageReturn : .lineFeed
    }

    /// Complete records so far, plus one for a last line without a line break.
    var count: Int { endsWithLineBreak ? records : records + 1 }

    /// Whether the last record is complete.
    var endsWithLineBreak: Bool { lastByte == nil || lastByte == lineEnd && !isInQuotes }

    /// The number of the first record that is nothing but `\.`, unquoted, the header being 1; nil if there is none.
    private(set) var endMarkerRecord: Int?

    /// Without branches, because quotes are too frequent to be predicted.
    mutating func add(_ bytes: [UInt8]) {
        endMarker.scan(bytes, isInQuotes: isInQuotes, lineEnd: lineEnd)
        if endMarker.isFound, endMarkerRecord == nil { endMarkerRecord = records + endMarker.recordsBefore + 1 }
        var ends = 0
        var quoted: UInt8 = isInQuotes ? 1 : 0
        for byte in bytes {
            quoted ^= byte == .quote ? 1 : 0
            ends &+= Int((byte == lineEnd ? 1 : 0) & ~quoted)
        }
        records += ends
        isInQuotes = quoted == 1
        lastByte = bytes.last ?? lastByte
    }
}
