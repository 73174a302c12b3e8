/// SQL text as statements.
enum SQLStatements {
    /// Cuts a script at the semicolons that end its statements.
    ///
    /// A semicolon inside the body of a function with `BEGIN ATOMIC … END` ends nothing (PostgreSQL 14 and later).
    /// - Parameter script: SQL without meta-commands of psql.
    /// - Returns: The statements with their semicolons; comments and white space between them are gone.
    static func split(_ script: String) -> [String] {
        let bytes = Array(script.utf8)
        var lexer = SQLLexer(bytes)
        var statements: [String] = []
        var start: Int?
        var body = AtomicBody()
        func finish(at end: Int) {
            guard let begin = start else { return }
            statements.append(String(decoding: bytes[begin..<end], as: UTF8.self))
            (start, body) = (nil, AtomicBody())
        }
        var end = 0
        while let token = lexer.next() {
            switch token {
            case .comment:
                continue
            case .semicolon(let index):
                if !body.isOpen { finish(at: index + 1) }
                end = index + 1
            case .word(let range):
                start = start ?? range.lowerBound
                body.read(String(decoding: bytes[range], as: UTF8.self).uppercased())
                end = range.upperBound
            case .other(let range):
                start = start ?? range.lowerBound
                end = range.upperBound
            }
        }
        finish(at: end)
        return statements
    }

    /// The key words and plain identifiers of a statement, in upper case; texts in quotes are left out.
    ///
    /// - Parameters:
    ///   - statement: One statement.
    ///   - limit: How many words are read at most.
    /// - Returns: The words in their order.
    static func keywords(_ statement: String, limit: Int) -> [String] {
        let bytes = Array(statement.utf8)
        var lexer = SQLLexer(bytes)
        var words: [String] = []
        while words.count < limit, let token = lexer.next() {
            guard case .word(let range) = token else { continue }
            words.append(String(decoding: bytes[range], as: UTF8.self).uppercased())
        }
        return words
    }
}

/// Follows `BEGIN ATOMIC … END`, in which only CASE opens a further END.
private struct AtomicBody {
    private var depth = 0
    private var last = ""

    var isOpen: Bool { depth > 0 }

    mutating func read(_ word: String) {
        if depth > 0 {
            if word == "CASE" { depth += 1 }
            if word == "END" { depth -= 1 }
        } else if word == "ATOMIC", last == "BEGIN" {
            depth = 1
        }
        last = word
    }
}
