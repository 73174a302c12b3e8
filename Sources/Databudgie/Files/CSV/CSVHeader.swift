/// The first line of a data file: the names of its columns.
struct CSVHeader: Sendable {
    /// In the order of the file; empty for a table without columns.
    let columns: [String]
    /// Records end with a lone carriage return, as on the oldest Macintosh; COPY reads that too.
    let endsWithCarriageReturn: Bool
    /// The file begins with U+FEFF, which ``columns`` does not have; nearly always it is the mark of a spreadsheet.
    var hasByteOrderMark = false

    /// What is longer than this is not a header: 1,600 columns of 63 bytes fit many times.
    static let maximumBytes = 1 << 20

    /// The UTF-8 byte order mark that some spreadsheets write.
    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Reads the header as Postgres' own CSV reader would: quotes may open and close anywhere, a doubled one inside
    /// quotes stands for itself, and line breaks inside quotes belong to the name (PostgreSQL documentation, "COPY",
    /// "CSV Format").
    /// - Parameters:
    ///   - bytes: The beginning of a file.
    ///   - isComplete: Nothing follows these bytes.
    /// - Returns: nil when the header is longer than the bytes, or ends within quotes.
    static func parse(_ bytes: [UInt8], isComplete: Bool) -> CSVHeader? {
        var columns: [String] = []
        var field: [UInt8] = []
        var isInQuotes = false
        let hasMark = bytes.starts(with: byteOrderMark)
        var index = hasMark ? byteOrderMark.count : 0
        let start = index

        func header(endingAt end: Int, carriageReturn: Bool) -> CSVHeader {
            let all = end == start ? [] : columns + [String(decoding: field, as: UTF8.self)]
            return CSVHeader(columns: all, endsWithCarriageReturn: carriageReturn, hasByteOrderMark: hasMark)
        }

        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case .quote where isInQuotes:
                guard index + 1 < bytes.count || isComplete else { return nil }
                if index + 1 < bytes.count, bytes[index + 1] == .quote {
                    field.append(.quote)
                    index += 1
                } else {
                    isInQuotes = false
                }
            case .quote:
                isInQuotes = true
            case .comma where !isInQuotes:
                columns.append(String(decoding: field, as: UTF8.self))
                field = []
            case .lineFeed where !isInQuotes:
                return header(endingAt: index, carriageReturn: false)
            case .carriageReturn where !isInQuotes:
                guard index + 1 < bytes.count || isComplete else { return nil }
                let isFollowedByLineFeed = index + 1 < bytes.count && bytes[index + 1] == .lineFeed
                return header(endingAt: index, carriageReturn: !isFollowedByLineFeed)
            default:
                field.append(byte)
            }
            index += 1
        }
        return isComplete && !isInQuotes ? header(endingAt: index, carriageReturn: false) : nil
    }

    /// The header for a table whose first column in the file may really begin with U+FEFF.
    ///
    /// - Parameter names: The names of the table's columns.
    /// - Returns: The header with the mark as part of the first name if the table has such a column.
    func matching(_ names: some Sequence<String>) -> CSVHeader {
        guard hasByteOrderMark, let first = columns.first else { return self }
        let marked = "\u{FEFF}" + first
        guard names.contains(where: { $0.hasBytes(of: marked) }) else { return self }
        return CSVHeader(columns: [marked] + columns.dropFirst(), endsWithCarriageReturn: endsWithCarriageReturn)
    }
}

extension CSVHeader: Equatable {
    /// Whether two headers have the same columns, byte by byte, and line ends.
    static func == (left: CSVHeader, right: CSVHeader) -> Bool {
        left.columns.map { ByteKey($0) } == right.columns.map { ByteKey($0) }
            && left.endsWithCarriageReturn == right.endsWithCarriageReturn
    }
}

extension UInt8 {
    static let quote = UInt8(ascii: "\"")
    static let comma = UInt8(ascii: ",")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let backslash = UInt8(ascii: "\\")
    static let dot = UInt8(ascii: ".")
}
