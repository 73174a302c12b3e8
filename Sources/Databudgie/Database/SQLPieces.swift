/// Cuts a script into statements, and into the comments and commands of psql between them.
///
/// A semicolon ends a statement unless it is inside parentheses, which a rule with several actions has, or inside the body
/// of a function with `BEGIN ATOMIC … END` (PostgreSQL 14 and later).
struct SQLPieces {
    /// A piece of a script and the bytes that it covers.
    enum Piece: Equatable {
        /// A comment between two statements; those inside a statement belong to it.
        case comment(Range<Int>)
        /// A statement with its semicolon; the last one can lack it.
        case statement(Range<Int>)
        /// A line that begins with a backslash.
        case command(Range<Int>)
    }

    private let text: [UInt8]
    private var lexer: SQLLexer

    /// - Parameter text: SQL in UTF-8.
    init(_ text: [UInt8]) {
        self.text = text
        lexer = SQLLexer(text)
    }

    /// Whether a literal, a quoted identifier or a comment that was read has no end.
    var isUnfinished: Bool { lexer.unfinished != nil }

    mutating func next() -> Piece? {
        while let token = lexer.next() {
            switch token {
            case .comment(let range):
                return .comment(range)
            case .semicolon:
                continue
            case .other(let range) where text[range.lowerBound] == UInt8(ascii: "\\"):
                return .command(range.lowerBound..<lexer.skipLine())
            case .word(let range), .other(let range):
                return .statement(statement(beginningWith: token, range))
            }
        }
        return nil
    }

    private mutating func statement(beginningWith first: SQLLexer.Token, _ range: Range<Int>) -> Range<Int> {
        var nesting = Nesting()
        var end = range.upperBound
        var token: SQLLexer.Token? = first
        while let current = token {
            switch current {
            case .comment:
                break
            case .semicolon(let index):
                end = index + 1
                if nesting.isEmpty { return range.lowerBound..<end }
                nesting.readSymbol(UInt8(ascii: ";"))
            case .word(let range):
                end = range.upperBound
                nesting.readWord(text[range])
            case .other(let range):
                end = range.upperBound
                nesting.readSymbol(text[range.lowerBound])
            }
            token = lexer.next()
        }
        return range.lowerBound..<end
    }
}

/// How deep a place in a statement is nested in parentheses and in `BEGIN ATOMIC … END`.
private struct Nesting {
    private var parentheses = 0
    private var bodies = 0
    /// The first words, which show whether the statement can have a body.
    private var firstWords: [String] = []
    private var isAfterBegin = false

    var isEmpty: Bool { parentheses <= 0 && bodies == 0 }

    mutating func readSymbol(_ byte: UInt8) {
        isAfterBegin = false
        if byte == UInt8(ascii: "(") { parentheses += 1 }
        if byte == UInt8(ascii: ")") { parentheses -= 1 }
    }

    mutating func readWord(_ bytes: ArraySlice<UInt8>) {
        // No key word is longer, and no other word matters.
        let word = bytes.count <= 20 ? SQLLexer.keyword(bytes) : ""
        if firstWords.count < 4 { firstWords.append(word) }
        guard parentheses == 0, isFunction else { return }
        switch word {
        case "ATOMIC" where isAfterBegin && bodies == 0: bodies = 1
        // In a body, only CASE has an END of its own.
        case "CASE" where bodies > 0: bodies += 1
        case "END" where bodies > 0: bodies -= 1
        default: break
        }
        isAfterBegin = word == "BEGIN"
    }

    private var isFunction: Bool {
        let words = firstWords.dropFirst().filter { $0 != "OR" && $0 != "REPLACE" }
        return firstWords.first == "CREATE" && ["FUNCTION", "PROCEDURE"].contains(words.first)
    }
}
