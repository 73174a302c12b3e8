/// Counts the records of a CSV stream, to compare what the server took with what was sent.
///
/// A line break inside quotes does not end a record; a doubled quote closes and opens, which leaves the state as it was.
struct CSVRecordCounter {
    private let lineEnd: UInt8
    private var records = 0
    private var isInQuotes = false
    private var lastByte: UInt8?

    init(endsWithCarriageReturn: Bool) {
        lineEnd = endsWithCarriageReturn ? .carriageReturn : .lineFeed
    }

    /// Complete records so far, plus one for a last line without a line break.
    var count: Int {
        lastByte == nil || lastByte == lineEnd && !isInQuotes ? records : records + 1
    }

    /// Without branches, because quotes are too frequent to be predicted.
    mutating func add(_ bytes: [UInt8]) {
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
