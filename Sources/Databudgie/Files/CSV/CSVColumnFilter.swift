/// Removes columns from a CSV stream, the header included; kept fields pass byte for byte.
///
/// The server refuses values for generated columns, while an export of `select * from table` has them.
struct CSVColumnFilter {
    /// For each column of the file whether it stays.
    private let keeps: [Bool]
    private var column = 0
    private var isInQuotes = false
    private var hasKeptField = false

    init(keeping keeps: [Bool]) {
        self.keeps = keeps
    }

    mutating func filter(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        for byte in bytes {
            switch byte {
            case .comma where !isInQuotes:
                hasKeptField = hasKeptField || isKept
                column += 1
                if isKept, hasKeptField { output.append(byte) }
            case .lineFeed where !isInQuotes:
                output.append(byte)
                column = 0
                hasKeptField = false
            default:
                if byte == .quote { isInQuotes.toggle() }
                if isKept { output.append(byte) }
            }
        }
        return output
    }

    /// A record with more fields than the header keeps the surplus, for the server to refuse.
    private var isKept: Bool { column >= keeps.count || keeps[column] }
}
