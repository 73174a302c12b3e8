import DatabudgieTestSupport
import Postgres
import Testing

@Suite("Identifiers and literals")
struct IdentifierTests {
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

    @Test("The server reads odd names and texts back as they were, whatever standard_conforming_strings is")
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
