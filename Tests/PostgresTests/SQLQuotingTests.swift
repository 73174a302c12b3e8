import DatabudgieTestSupport
import Postgres
import Testing

@Suite("Quoting of identifiers and literals")
struct SQLQuotingTests {
    /// Each makes a single Character of itself and the quote before it, which is then not equal to the quote.
    static let marks = ["\u{301}", "\u{200D}", "\u{FE0F}", "\u{20DD}"]

    /// Texts in which each mark follows each quote: once, and as the second of two.
    static let markedTexts = ["\"", "'", "\\"].flatMap { quote in
        marks.flatMap { mark in ["a\(quote)\(mark)b", "\(quote)\(mark)", "a\(quote)\(quote)\(mark),b\(quote)"] }
    }

    static let oddTexts = [
        "plain", "Upper Case", "a.b", "a\"b", "\"", "it's", "back\\slash", "\\'", "comma,semi;colon", "line\nbreak",
        "tab\t", "..", "a/b", "€ ü 漢字 🐘", "e\u{301}", "$1", "--", "/*", "%s", "{table}", " ",
        String(repeating: "ü", count: 31), "select",
    ]

    @Test("Quoting doubles the quotes inside")
    func quotes() {
        #expect(quotedIdentifier(#"a"b"#) == #""a""b""#)
        #expect(quotedLiteral("it's") == "'it''s'")
        #expect(quotedLiteral(#"a\'b"#) == #"E'a\\''b'"#)
        let name = QualifiedName(schema: "my.schema", name: #"a"b"#)
        #expect(name.quoted == #""my.schema"."a""b""#)
        #expect(name.description == #"my.schema.a"b"#)
        #expect(QualifiedName(schema: "a", name: "z") < QualifiedName(schema: "b", name: "a"))
        #expect(QualifiedName(schema: "a", name: "a") < QualifiedName(schema: "a", name: "b"))
    }

    /// The bytes that quoting has to give: all of the text's, with these doubled.
    private func doubling(_ specials: String, in text: String) -> [UInt8] {
        text.utf8.flatMap { specials.utf8.contains($0) ? [$0, $0] : [$0] }
    }

    @Test("A quote followed by a combining mark is doubled in identifiers and literals", arguments: markedTexts)
    func quotesBeforeMarks(text: String) {
        #expect(Array(quotedIdentifier(text).utf8) == Array("\"".utf8) + doubling("\"", in: text) + Array("\"".utf8))
        let prefix = text.utf8.contains(UInt8(ascii: "\\")) ? "E'" : "'"
        #expect(Array(quotedLiteral(text).utf8) == Array(prefix.utf8) + doubling("'\\", in: text) + Array("'".utf8))
    }

    @Test("A name or string with a quote before a combining mark comes back from the server byte for byte")
    func marksRoundTrip() async throws {
        let kinds =
            "select count(*) as count, string_agg(relname, ',') as names from pg_class where relnamespace = 'n'::regnamespace"
        try await PostgresServer.withDatabase { parameters in
            try await Connection.withConnection(to: parameters) { connection in
                for text in Self.markedTexts {
                    try await connection.execute("create schema n")
                    try await connection.execute("create table \(QualifiedName(schema: "n", name: text).quoted) ()")
                    let tables = try await connection.query(kinds)
                    #expect(tables.rows[0]["count"] == "1")
                    #expect(Array((tables.rows[0]["names"] ?? "").utf8) == Array(text.utf8))
                    for setting in ["on", "off"] {
                        try await connection.execute(
                            "set standard_conforming_strings = \(setting); set escape_string_warning = off"
                        )
                        let selected = try await connection.query("select \(quotedLiteral(text)), 1 as last")
                        #expect(selected.columns.count == 2)
                        #expect(selected.rows.map { Array(($0[0] ?? "").utf8) } == [Array(text.utf8)])
                    }
                    try await connection.execute("drop schema n cascade")
                }
            }
        }
    }

    @Test("Names that differ only in their bytes are ordered")
    func ordersByBytes() {
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        #expect(QualifiedName(schema: "s", name: decomposed) < QualifiedName(schema: "s", name: composed))
        #expect(QualifiedName(schema: decomposed, name: "z") < QualifiedName(schema: composed, name: "a"))
        #expect(!(QualifiedName(schema: composed, name: "a") < QualifiedName(schema: decomposed, name: "z")))
    }

    @Test("Odd names and strings come back unchanged, whatever standard_conforming_strings is")
    func roundTrips() async throws {
        try await PostgresServer.withDatabase { parameters in
            try await Connection.withConnection(to: parameters) { connection in
                for setting in ["on", "off"] {
                    try await connection.execute(
                        "set standard_conforming_strings = \(setting); set escape_string_warning = off"
                    )
                    for text in Self.oddTexts {
                        let name = QualifiedName(schema: "public", name: text).quoted
                        try await connection.execute("create table \(name) (\(quotedIdentifier(text)) int)")
                        let result = try await connection.query(
                            "select attname, \(quotedLiteral(text)) as literal from pg_attribute"
                                + " where attrelid = \(quotedLiteral(name))::regclass and attnum = 1"
                        )
                        #expect(result.rows[0]["attname"] == text)
                        #expect(result.rows[0]["literal"] == text)
                        #expect(try await connection.query("select * from \(name)").columns == [text])
                        try await connection.execute("drop table \(name)")
                    }
                }
            }
        }
    }

    @Test("A NUL is refused instead of cutting the statement short")
    func refusesNUL() async throws {
        try await Connection.withConnection(to: PostgresServer.shared.superuser) { connection in
            let inSQL = await #expect(throws: PostgresError.self) { try await connection.query("select 1\0 + 1") }
            #expect(inSQL?.code == .invalidParameters)
            let inParameter = await #expect(throws: PostgresError.self) {
                try await connection.query("select $1", ["a\0"])
            }
            #expect(inParameter?.code == .invalidParameters)
            let inScript = await #expect(throws: PostgresError.self) { try await connection.execute("select 1;\0") }
            #expect(inScript?.code == .invalidParameters)
        }
    }
}
