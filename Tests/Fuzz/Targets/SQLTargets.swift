import Postgres

@testable import Databudgie

/// The reader of SQL, and the files of definitions that it cuts.
enum SQLTargets {
    static func lexer(_ bytes: [UInt8]) {
        var lexer = SQLLexer(bytes)
        var end = 0
        while let token = lexer.next() {
            let range: Range<Int> =
                switch token {
                case .semicolon(let index): index..<index + 1
                case .comment(let range), .word(let range), .other(let range): range
                }
            expect(!range.isEmpty && range.lowerBound >= end && range.upperBound <= bytes.count, "a token is nowhere")
            let between = bytes[end..<range.lowerBound]
            expect(between.allSatisfy { $0 == 32 || (9...13).contains($0) }, "something is between two tokens")
            end = range.upperBound
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let statements = SQLStatements.split(Array(text.utf8)) else { return }
        let again = SQLStatements.split(Array(statements.joined(separator: "\n").utf8))
        expect(again?.elementsEqual(statements) { $0.hasBytes(of: $1) } == true, "statements are cut differently alone")
        let query = QueryText.withoutTrailingSemicolon(text)
        expect(QueryText.withoutTrailingSemicolon(query).hasBytes(of: query), "another semicolon is removed")
    }

    /// What is quoted is one token, which stands for what was quoted.
    static func quoting(_ bytes: [UInt8]) {
        let text = String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self)
        let identifier = Array(quotedIdentifier(text).utf8)
        expect(tokens(identifier) == [.other(0..<identifier.count)], "an identifier is not one token")
        if !text.isEmpty {
            expect(SQLStatements.identifier(identifier[...]) == Array(text.utf8), "an identifier is another one")
        }
        let literal = Array(quotedLiteral(text).utf8)
        expect(tokens(literal) == [.other(0..<literal.count)], "a literal is not one token")
        let statement = "select \(quotedLiteral(text)) as \(quotedIdentifier(text));"
        expect(SQLStatements.split(Array((statement + "\nselect 1;").utf8))?.count == 2, "a name is more than a name")
    }

    private static func tokens(_ bytes: [UInt8]) -> [SQLLexer.Token] {
        var lexer = SQLLexer(bytes)
        var tokens: [SQLLexer.Token] = []
        while let token = lexer.next() { tokens.append(token) }
        return tokens
    }

    /// A file of anything is read, or refused.
    static func definitions(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let unit = DefinitionScript.Unit(schema: "s", table: "t")
        for text in [text, "-- databudgie {\"backup\":\"\",\"requires\":[]}\n" + text] {
            guard let script = try? DefinitionScript(text: text, of: unit), let written = try? script.checkedText()
            else {
                continue
            }
            guard let again = try? DefinitionScript(text: written, of: unit) else {
                fail("what was checked cannot be read")
            }
            expect(again.definitions == script.definitions, "what was checked is read as something else")
        }
    }

    /// What passes the check is read as it was meant, whatever is in the definitions.
    static func definitionText(_ bytes: [UInt8]) {
        let fields = bytes.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        var script = DefinitionScript(timestamp: fields[0], definitions: [])
        for (order, field) in fields.dropFirst().prefix(20).enumerated() {
            script.definitions.append(
                Definition(
                    order: order,
                    section: order.isMultiple(of: 2) ? .preData : .postData,
                    type: fields[0],
                    schema: String(field.prefix(9)),
                    table: String(fields[0].prefix(5)),
                    sql: field
                )
            )
        }
        guard let text = try? script.checkedText() else { return }
        guard let read = try? DefinitionScript(text: text, of: DefinitionScript.Unit(schema: "")) else {
            fail("what was checked cannot be read")
        }
        expect(read == script, "what was checked is read as something else")
    }
}
