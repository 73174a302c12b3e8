/// Looks for a record that is nothing but `\.`, unquoted.
///
/// Servers before version 18 take it for the end of the data and silently ignore all rows after it (PostgreSQL
/// documentation, "COPY", "CSV Format"). COPY itself quotes such a value.
struct CSVEndMarker {
    private enum Place {
        case recordStart, afterBackslash, afterDot, elsewhere
    }

    static let bytes: [UInt8] = [.backslash, .dot]

    private var place = Place.recordStart
    private(set) var isFound = false
    /// How many records end before it among the bytes in which it was found.
    private(set) var recordsBefore = 0

    /// Examines the next bytes of a stream.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - isInQuotes: Whether they begin inside quotes.
    ///   - lineEnd: The byte that ends a record.
    mutating func scan(_ bytes: [UInt8], isInQuotes: Bool, lineEnd: UInt8) {
        guard !bytes.isEmpty, !isFound else { return }
        guard mayHaveMarker(bytes) else {
            // Not in quotes is what a record's start needs as well, and is found out when something follows.
            place = bytes.last == lineEnd ? .recordStart : .elsewhere
            return
        }
        var quoted = isInQuotes
        recordsBefore = 0
        for byte in bytes {
            switch (place, byte) {
            case (.recordStart, .backslash) where !quoted: place = .afterBackslash
            case (.afterBackslash, .dot): place = .afterDot
            case (.afterDot, .lineFeed), (.afterDot, .carriageReturn):
                isFound = true
                return
            default:
                if byte == .quote { quoted.toggle() }
                place = .elsewhere
                guard byte == lineEnd, !quoted else { continue }
                place = .recordStart
                recordsBefore += 1
            }
        }
    }

    /// Whether these bytes have to be examined one by one, which is rare: whether `\.` is in them, or may lie across an end.
    private func mayHaveMarker(_ bytes: [UInt8]) -> Bool {
        if place == .afterBackslash || place == .afterDot || bytes.last == .backslash { return true }
        var found: UInt8 = 0
        for index in 0..<bytes.count - 1 {
            found |= (bytes[index] == .backslash ? 1 : 0) & (bytes[index + 1] == .dot ? 1 : 0)
        }
        return found == 1
    }
}
