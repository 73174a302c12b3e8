/// A type as a record names it, taken apart.
///
/// Records may come from elsewhere, and what a type is written into is run as SQL: only what the server's `format_type`
/// writes is one.
struct RecordedType {
    /// The name without modifiers: `numeric`, `timestamp with time zone`, `shop."my type"`.
    let name: String
    /// The modifiers that are numbers; none when another one is not.
    let arguments: [Int]
    /// One or more dimensions.
    let isArray: Bool

    /// The words that follow another one in the names of types (PostgreSQL documentation, table 8.1).
    private static let furtherWords: Set = [
        "precision", "varying", "with", "without", "time", "zone", "year", "to", "month", "day", "hour", "minute",
        "second",
    ]

    /// Reads a type; nil for what is none.
    ///
    /// - Parameter text: As `format_type` writes it: `numeric(10,2)[]`.
    init?(_ text: String) {
        var reader = Reader(rest: Array(text.utf8)[...])
        guard let first = reader.qualifiedName() else { return nil }
        var (words, modifiers, dimensions) = ([first], [String]?.none, 0)
        while !reader.rest.isEmpty {
            if reader.take("[]") {
                dimensions += 1
            } else if dimensions == 0, reader.take("(") {
                guard modifiers == nil, let list = reader.modifiers() else { return nil }
                modifiers = list
            } else if dimensions == 0, reader.take(" ") {
                guard let word = reader.bareWord(), Self.furtherWords.contains(word) else { return nil }
                words.append(word)
            } else {
                return nil
            }
        }
        name = words.joined(separator: " ")
        let numbers = (modifiers ?? []).map { Int($0) }
        arguments = numbers.contains(nil) ? [] : numbers.compactMap(\.self)
        isArray = dimensions > 0
    }
}

/// Reads the parts of a type from its bytes.
private struct Reader {
    var rest: ArraySlice<UInt8>

    mutating func take(_ text: StaticString) -> Bool {
        let bytes = text.description.utf8
        guard rest.starts(with: bytes) else { return false }
        rest = rest.dropFirst(bytes.count)
        return true
    }

    /// One or more identifiers with dots between them.
    mutating func qualifiedName() -> String? {
        guard var name = identifier() else { return nil }
        while take(".") {
            guard let part = identifier() else { return nil }
            name += "." + part
        }
        return name
    }

    private mutating func identifier() -> String? {
        guard rest.first == UInt8(ascii: "\"") else { return bareWord() }
        var end = rest.startIndex + 1
        while end < rest.endIndex {
            let isQuote = rest[end] == UInt8(ascii: "\"")
            let isDoubled = isQuote && end + 1 < rest.endIndex && rest[end + 1] == UInt8(ascii: "\"")
            if isQuote, !isDoubled {
                let text = rest[...end]
                rest = rest[(end + 1)...]
                return text.count > 2 && !text.contains(0) ? String(decoding: text, as: UTF8.self) : nil
            }
            end += isDoubled ? 2 : 1
        }
        return nil
    }

    mutating func bareWord() -> String? {
        prefix { Self.isLetter($0) || Self.isDigit($0) || $0 == UInt8(ascii: "$") }
    }

    /// What is between parentheses, and the closing one.
    mutating func modifiers() -> [String]? {
        let list = prefix { Self.isLetter($0) || Self.isDigit($0) || "-, ".utf8.contains($0) }
        return take(")") ? list?.split(atByte: ",") : nil
    }

    private mutating func prefix(_ isPart: (UInt8) -> Bool) -> String? {
        let part = rest.prefix(while: isPart)
        rest = rest.dropFirst(part.count)
        return part.isEmpty ? nil : String(decoding: part, as: UTF8.self)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
