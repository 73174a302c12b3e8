import Testing

@testable import Databudgie

@Suite("SQL as tokens")
struct SQLLexerTests {
    /// The tokens as they are written, comments included.
    private func tokens(_ sql: String) -> [String] {
        let bytes = Array(sql.utf8)
        var lexer = SQLLexer(bytes)
        var tokens: [String] = []
        while let token = lexer.next() {
            switch token {
            case .comment(let range), .word(let range), .other(let range):
                tokens.append(String(decoding: bytes[range], as: UTF8.self))
            case .semicolon:
                tokens.append(";")
            }
        }
        return tokens
    }

    @Test(
        "A literal ends where the server ends it",
        arguments: [
            (#"'a\' b'"#, [#"'a\'"#, "b", "'"]),
            (#"e'a\' b'"#, [#"e'a\' b'"#]),
            ("E'a'\n'b\\'c' d", ["E'a'\n'b\\'c'", "d"]),
            ("E'a' 'b\\' c", ["E'a'", "'b\\'", "c"]),
            ("E'a' -- x\n-- y\n 'b\\'c' d", ["E'a' -- x\n-- y\n 'b\\'c'", "d"]),
            ("U&'a\\' b", ["U", "&", "'a\\'", "b"]),
            ("U&\"a\\\" b", ["U", "&", "\"a\\\"", "b"]),
            ("'it''s' x", ["'it''s'", "x"]),
            ("'\u{301}' x", ["'\u{301}'", "x"]),
            ("'a'\u{301}", ["'a'", "\u{301}"]),
            ("\"a\"\"\u{200D}b\" x", ["\"a\"\"\u{200D}b\"", "x"]),
            ("$a$ $b$ $$ $a $a$ x", ["$a$ $b$ $$ $a $a$", "x"]),
            ("$1$$x", ["$", "1", "$", "$", "x"].prefix(1) + ["1", "$$x"]),
            ("1$$;$$", ["1", "$$;$$"]),
            ("a$b$;c$b$", ["a$b$", ";", "c$b$"]),
            ("$é$;$é$ x", ["$é$;$é$", "x"]),
        ]
    )
    func literals(_ sql: String, _ expected: [String]) {
        #expect(tokens(sql) == expected)
    }

    @Test(
        "A comment ends where the server ends it",
        arguments: [
            ("-- a 'b\nc", ["-- a 'b", "c"]),
            ("-- a\rc", ["-- a", "c"]),
            ("-- a\u{2028}c", ["-- a\u{2028}c"]),
            ("a--b", ["a", "--b"]),
            ("/* /* ' */ -- */ c", ["/* /* ' */ -- */", "c"]),
            ("a /*\"*/ b", ["a", "/*\"*/", "b"]),
        ]
    )
    func comments(_ sql: String, _ expected: [String]) {
        #expect(tokens(sql) == expected)
    }

    @Test("The place of what has no end is known")
    func unfinished() {
        for (sql, place) in [("a 'b", 2), ("a \"b\"\"", 2), ("a $x$ $y$", 2), ("a /* /* */", 2), ("a E'\\'", 3)] {
            var lexer = SQLLexer(Array(sql.utf8))
            while lexer.next() != nil {}
            #expect(lexer.unfinished == place, "\(sql)")
        }
        var lexer = SQLLexer(Array("a 'b' \"c\" $$d$$ /* e */ -- '".utf8))
        while lexer.next() != nil {}
        #expect(lexer.unfinished == nil)
    }
}
