/// Removes columns from a CSV stream, the header included; kept fields pass byte for byte.
///
/// The server refuses values for generated columns, while an export of `select * from table` has them.
struct CSVColumnFilter {
    /// For each column of the file whether it stays.
    private let keeps: [Bool]
    private var column = 0
    private var isInQuotes = false
    private var hasKeptField = false
    /// The beginning of a record that may turn out to be `\.`, which COPY leaves unquoted beside other fields.
    private var held: [UInt8]? = []
    private let lineEnd: UInt8

    /// Begins with the header.
    ///
    /// - Parameters:
    ///   - keeps: For each column of the file whether it stays.
    ///   - endsWithCarriageReturn: Records end with a lone carriage return.
    init(keeping keeps: [Bool], endsWithCarriageReturn: Bool) {
        self.keeps = keeps
        lineEnd = endsWithCarriageReturn ? .carriageReturn : .lineFeed
    }

    /// Filters the next bytes of a stream, whose last record must end with a line break.
    mutating func filter(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + 4)
        for byte in bytes {
            switch byte {
            case .comma where !isInQuotes:
                hasKeptField = hasKeptField || isKept
                column += 1
                if isKept, hasKeptField { append(byte, to: &output) }
            case lineEnd where !isInQuotes:
                endRecord(to: &output)
            default:
                if byte == .quote { isInQuotes.toggle() }
                if isKept { append(byte, to: &output) }
            }
        }
        return output
    }

    /// A record with more fields than the header keeps the surplus, for the server to refuse.
    private var isKept: Bool { column >= keeps.count || keeps[column] }

    /// Adds a byte of a kept field.
    private mutating func append(_ byte: UInt8, to output: inout [UInt8]) {
        guard let beginning = held else { return output.append(byte) }
        let marker = CSVEndMarker.bytes
        if beginning.count < marker.count, byte == marker[beginning.count] {
            held = beginning + [byte]
        } else if beginning == marker, byte == .carriageReturn {
            held = nil
            output += Self.quotedMarker + [byte]
        } else {
            held = nil
            output.append(contentsOf: beginning)
            output.append(byte)
        }
    }

    private mutating func endRecord(to output: inout [UInt8]) {
        if let beginning = held {
            output += beginning == CSVEndMarker.bytes ? Self.quotedMarker : beginning
        }
        output.append(lineEnd)
        column = 0
        hasKeptField = false
        held = []
    }

    /// Servers before version 18 take a record that is only `\.` for the end of the data, unless it is quoted.
    private static let quotedMarker: [UInt8] = [.quote] + CSVEndMarker.bytes + [.quote]
}
