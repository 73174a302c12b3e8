/// A user's query as text, to be embedded in `COPY (…) TO STDOUT`.
enum QueryText {
    /// Removes a semicolon at the end, with whatever comments and white space follow it.
    ///
    /// Semicolons inside quotes, dollar quotes and comments do not count. One that separates two statements stays, so
    /// the server refuses the text.
    /// - Parameter sql: The query as written.
    /// - Returns: The query, to be followed by a line break, because it may end in a `--` comment.
    static func withoutTrailingSemicolon(_ sql: String) -> String {
        let bytes = Array(sql.utf8)
        var lexer = SQLLexer(bytes)
        var trailing: Int?
        while let token = lexer.next() {
            switch token {
            case .comment: continue
            case .semicolon(let index): trailing = trailing ?? index
            case .word, .other: trailing = nil
            }
        }
        guard let trailing else { return sql }
        return String(decoding: bytes[..<trailing], as: UTF8.self)
    }
}
