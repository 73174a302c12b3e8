import Postgres

/// SQL text as statements.
enum SQLStatements {
    /// Cuts a script at the semicolons that end its statements.
    ///
    /// - Parameter script: SQL. Of the commands of psql, `\restrict` and `\unrestrict` are skipped, because pg_dump writes them
    ///   into every script; any other one is kept, and the server refuses it.
    /// - Returns: The statements with their semicolons, without the comments and white space between them; nil when a
    ///   literal, a quoted identifier or a comment has no end.
    static func split(_ script: [UInt8]) -> [String]? {
        var pieces = SQLPieces(script)
        var statements: [String] = []
        while let piece = pieces.next() {
            switch piece {
            case .comment:
                continue
            case .command(let range) where isRestriction(script[range]):
                continue
            case .command(let range), .statement(let range):
                statements.append(String(decoding: script[range], as: UTF8.self))
            }
        }
        return pieces.isUnfinished ? nil : statements
    }

    /// Whether a command of psql is one of those that frame each script of pg_dump since its releases of August 2025.
    static func isRestriction(_ command: ArraySlice<UInt8>) -> Bool {
        command.starts(with: "\\restrict ".utf8) || command.starts(with: "\\unrestrict ".utf8)
    }

    /// Whether every literal, quoted identifier and comment of some SQL has an end.
    static func isFinished(_ sql: String) -> Bool {
        var lexer = SQLLexer(Array(sql.utf8))
        while lexer.next() != nil {}
        return lexer.unfinished == nil
    }

    /// The tokens of a statement as they are written, without comments.
    ///
    /// - Parameter statement: One statement.
    /// - Returns: Words, literals, quoted identifiers and symbols in their order.
    static func tokens(_ statement: some Sequence<UInt8>) -> [ArraySlice<UInt8>] {
        let bytes = Array(statement)
        var lexer = SQLLexer(bytes)
        var tokens: [ArraySlice<UInt8>] = []
        while let token = lexer.next() {
            switch token {
            case .comment: continue
            case .semicolon(let index): tokens.append(bytes[index...index])
            case .word(let range), .other(let range): tokens.append(bytes[range])
            }
        }
        return tokens
    }

    /// The name that a token stands for.
    ///
    /// - Parameter token: A word or a quoted identifier.
    /// - Returns: The name's bytes; nil for any other token. A word is taken as it is, because pg_dump writes it in lower case.
    static func identifier(_ token: ArraySlice<UInt8>) -> [UInt8]? {
        let quote = UInt8(ascii: "\"")
        guard token.first == quote else {
            var lexer = SQLLexer(Array(token))
            guard case .word = lexer.next() else { return nil }
            return Array(token)
        }
        guard token.count > 2, token.last == quote else { return nil }
        var name: [UInt8] = []
        var isDoubled = false
        for byte in token.dropFirst().dropLast() {
            isDoubled = byte == quote && !isDoubled
            if !isDoubled { name.append(byte) }
        }
        return name
    }

    /// The first qualified name in some tokens.
    ///
    /// - Parameters:
    ///   - tokens: Those of one statement.
    ///   - start: Where to begin.
    /// - Returns: The name, and the index after it; nil when there is none.
    static func qualifiedName(
        in tokens: [ArraySlice<UInt8>],
        from start: Int = 0
    ) -> (name: QualifiedName, end: Int)? {
        for index in tokens.indices.dropFirst(start) where index + 2 < tokens.count {
            guard tokens[index + 1].elementsEqual(".".utf8), let schema = identifier(tokens[index]),
                let name = identifier(tokens[index + 2])
            else { continue }
            let found = QualifiedName(
                schema: String(decoding: schema, as: UTF8.self),
                name: String(decoding: name, as: UTF8.self)
            )
            return (found, index + 3)
        }
        return nil
    }

    /// The key words and plain identifiers of a statement, in upper case; quoted text is skipped.
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
            words.append(SQLLexer.keyword(bytes[range]))
        }
        return words
    }
}
