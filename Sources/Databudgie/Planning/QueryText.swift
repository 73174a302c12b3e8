/// A user's query as text: just enough lexing to embed it in `COPY (…) TO STDOUT`.
enum QueryText {
    /// Removes a semicolon at the end, with whatever comments and white space follow it.
    ///
    /// Semicolons inside quotes, dollar quotes and comments do not count (PostgreSQL documentation, "Lexical
    /// Structure"). One that separates two statements stays, so that the server refuses the text.
    /// - Parameter sql: The query as written.
    /// - Returns: The query, to be followed by a line break, as it may end in a `--` comment.
    static func withoutTrailingSemicolon(_ sql: String) -> String {
        var lexer = Lexer(sql.unicodeScalars)
        var trailing: String.UnicodeScalarView.Index?
        while let token = lexer.next() {
            switch token {
            case .semicolon(let index): trailing = trailing ?? index
            case .other: trailing = nil
            }
        }
        guard let trailing else { return sql }
        return String(sql.unicodeScalars[..<trailing])
    }
}

/// Yields semicolons and everything else that is neither white space nor comment.
private struct Lexer {
    enum Token {
        case semicolon(String.UnicodeScalarView.Index)
        case other
    }

    private let text: String.UnicodeScalarView
    private var index: String.UnicodeScalarView.Index

    init(_ text: String.UnicodeScalarView) {
        self.text = text
        index = text.startIndex
    }

    mutating func next() -> Token? {
        while let scalar = peek() {
            switch scalar {
            case " ", "\t", "\n", "\r", "\u{0B}", "\u{0C}": advance()
            case "-" where peek(1) == "-": skip { $0 != "\n" && $0 != "\r" }
            case "/" where peek(1) == "*": skipBlockComment()
            case ";":
                defer { advance() }
                return .semicolon(index)
            case "'":
                skipQuoted("'", backslashEscapes: false)
                return .other
            case "\"":
                skipQuoted("\"", backslashEscapes: false)
                return .other
            case "e", "E":
                advance()
                if peek() == "'" { skipQuoted("'", backslashEscapes: true) } else { skipWord() }
                return .other
            case "$":
                skipDollarQuoted()
                return .other
            case _ where Self.isWord(scalar):
                skipWord()
                return .other
            default:
                advance()
                return .other
            }
        }
        return nil
    }

    private func peek(_ offset: Int = 0) -> Unicode.Scalar? {
        guard let position = text.index(index, offsetBy: offset, limitedBy: text.endIndex), position < text.endIndex
        else { return nil }
        return text[position]
    }

    private mutating func advance(_ count: Int = 1) {
        index = text.index(index, offsetBy: count, limitedBy: text.endIndex) ?? text.endIndex
    }

    private mutating func skip(while condition: (Unicode.Scalar) -> Bool) {
        while let scalar = peek(), condition(scalar) { advance() }
    }

    /// A word may hold dollar signs, which then open no quote.
    private mutating func skipWord() {
        skip { Self.isWord($0) || $0 == "$" }
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.value >= 0x80 || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
    }

    /// A doubled quote closes one text and opens the next, which comes to the same.
    private mutating func skipQuoted(_ quote: Unicode.Scalar, backslashEscapes: Bool) {
        advance()
        while let scalar = peek() {
            advance()
            if scalar == "\\", backslashEscapes {
                advance()
            } else if scalar == quote {
                return
            }
        }
    }

    private mutating func skipDollarQuoted() {
        let start = index
        advance()
        skip { Self.isWord($0) }
        guard peek() == "$" else { return }
        advance()
        let delimiter = Array(text[start..<index])
        while index < text.endIndex {
            if text[index...].starts(with: delimiter) {
                advance(delimiter.count)
                return
            }
            advance()
        }
    }

    /// Block comments nest in Postgres.
    private mutating func skipBlockComment() {
        var depth = 0
        repeat {
            if peek() == "/", peek(1) == "*" {
                depth += 1
                advance(2)
            } else if peek() == "*", peek(1) == "/" {
                depth -= 1
                advance(2)
            } else {
                advance()
            }
        } while depth > 0 && index < text.endIndex
    }
}
