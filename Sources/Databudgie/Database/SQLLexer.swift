/// Cuts SQL into tokens: just enough to know where comments, quoted text and statements end.
///
/// Works on UTF-8 bytes by the rules of the PostgreSQL documentation, "Lexical Structure": nested block comments, doubled
/// quotes, backslashes in `E''` literals only (also when such a literal continues on the next line), dollar quotes.
struct SQLLexer {
    /// A token and the bytes that it covers.
    enum Token: Equatable {
        /// `-- …` without its line break, or `/* … */`.
        case comment(Range<Int>)
        case semicolon(Int)
        /// A key word or an identifier without quotes.
        case word(Range<Int>)
        /// Anything else but white space.
        case other(Range<Int>)
    }

    private let text: [UInt8]
    private var index: Int
    /// The start of a literal, a quoted identifier or a block comment that has no end; all tokens after it are guesses.
    private(set) var unfinished: Int?

    /// - Parameter text: SQL in UTF-8.
    init(_ text: [UInt8]) {
        self.text = text
        index = 0
    }

    /// Moves to the end of the line, because a command of psql ends there.
    ///
    /// - Returns: The index of the line break, or the end of the text.
    mutating func skipLine() -> Int {
        skip { $0 != UInt8(ascii: "\n") }
        return index
    }

    mutating func next() -> Token? {
        skip(while: Self.isSpace)
        guard let byte = peek() else { return nil }
        let start = index
        switch byte {
        case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"):
            skip { !Self.isLineBreak($0) }
            return .comment(start..<index)
        case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"):
            skipBlockComment()
            return .comment(start..<index)
        case UInt8(ascii: ";"):
            index += 1
            return .semicolon(start)
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            skipQuoted(byte, backslashEscapes: false)
        case UInt8(ascii: "e"), UInt8(ascii: "E"):
            guard peek(1) == UInt8(ascii: "'") else { fallthrough }
            index += 1
            skipEscapeString()
        case _ where Self.isDigit(byte):
            skip(while: Self.isWord)
            return .word(start..<index)
        case _ where Self.isWord(byte):
            // An identifier can contain dollar signs; they do not open a quote.
            skip { Self.isWord($0) || $0 == UInt8(ascii: "$") }
            return .word(start..<index)
        case UInt8(ascii: "$"):
            skipDollarQuoted()
        default:
            index += 1
        }
        return .other(start..<index)
    }

    /// A word in upper case.
    ///
    /// Only ASCII letters are changed, as the server does: `caſe` and `CASE` are two words, though Unicode has the capital
    /// S for both.
    /// - Parameter word: The bytes of a word.
    /// - Returns: The key word that it is, if it is one.
    static func keyword(_ word: some Collection<UInt8>) -> String {
        let lowercase = UInt8(ascii: "a")...UInt8(ascii: "z")
        return String(decoding: word.map { lowercase.contains($0) ? $0 - 0x20 : $0 }, as: UTF8.self)
    }

    private func peek(_ offset: Int = 0) -> UInt8? {
        index + offset < text.count ? text[index + offset] : nil
    }

    private mutating func skip(while condition: (UInt8) -> Bool) {
        while index < text.count, condition(text[index]) { index += 1 }
    }

    /// A line feed or a carriage return: either ends a line for the server.
    static func isLineBreak(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || (0x09...0x0D).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default:
            false
        }
    }

    private mutating func skipQuoted(_ quote: UInt8, backslashEscapes: Bool) {
        let start = index
        index += 1
        while let byte = peek() {
            index += 1
            if byte == UInt8(ascii: "\\"), backslashEscapes {
                index = min(index + 1, text.count)
            } else if byte == quote {
                guard peek() == quote else { return }
                index += 1
            }
        }
        unfinished = unfinished ?? start
    }

    /// A literal continues after white space with a line break in it, and backslashes keep their meaning.
    private mutating func skipEscapeString() {
        while true {
            skipQuoted(UInt8(ascii: "'"), backslashEscapes: true)
            let end = index
            skip(while: Self.isSpace)
            // Comments count as white space when the line break is before them or at their end.
            while peek() == UInt8(ascii: "-"), peek(1) == UInt8(ascii: "-") {
                skip { !Self.isLineBreak($0) }
                skip(while: Self.isSpace)
            }
            let hasLineBreak = text[end..<index].contains(where: Self.isLineBreak)
            guard hasLineBreak, peek() == UInt8(ascii: "'") else {
                index = end
                return
            }
        }
    }

    private mutating func skipDollarQuoted() {
        let start = index
        index += 1
        // `$1` is a parameter.
        guard peek().map(Self.isDigit) != true else { return }
        skip(while: Self.isWord)
        guard peek() == UInt8(ascii: "$") else { return }
        index += 1
        let delimiter = text[start..<index]
        while index < text.count {
            if text[index] == UInt8(ascii: "$"), text[index...].starts(with: delimiter) {
                index += delimiter.count
                return
            }
            index += 1
        }
        unfinished = unfinished ?? start
    }

    /// Block comments nest in Postgres.
    private mutating func skipBlockComment() {
        let start = index
        var depth = 0
        repeat {
            if peek() == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                depth += 1
                index += 2
            } else if peek() == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                depth -= 1
                index += 2
            } else {
                index += 1
            }
        } while depth > 0 && index < text.count
        index = min(index, text.count)
        if depth > 0 { unfinished = unfinished ?? start }
    }
}
