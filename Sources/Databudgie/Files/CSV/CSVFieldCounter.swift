/// Finds the records of a CSV stream that do not have as many fields as they should.
struct CSVFieldCounter {
    private let expected: Int
    private let lineEnd: UInt8
    private var isInQuotes = false
    private var fields = 1
    private var records = 0

    /// How many records have another number of fields.
    private(set) var wrongRecords = 0
    /// The number of the first of them, from 1, and of its fields; nil when there is none.
    private(set) var firstWrong: (record: Int, fields: Int)?

    /// Begins at the start of a record.
    ///
    /// - Parameters:
    ///   - columns: How many columns the records have; a record of none is an empty line.
    ///   - endsWithCarriageReturn: Records end with a lone carriage return.
    init(columns: Int, endsWithCarriageReturn: Bool = false) {
        expected = max(1, columns)
        lineEnd = endsWithCarriageReturn ? .carriageReturn : .lineFeed
    }

    /// Examines the next bytes; a record counts when it ends.
    mutating func add(_ bytes: [UInt8]) {
        for byte in bytes {
            switch byte {
            case .quote: isInQuotes.toggle()
            case .comma where !isInQuotes: fields += 1
            case lineEnd where !isInQuotes: endRecord()
            default: continue
            }
        }
    }

    private mutating func endRecord() {
        records += 1
        if fields != expected {
            wrongRecords += 1
            firstWrong = firstWrong ?? (records, fields)
        }
        fields = 1
    }
}
