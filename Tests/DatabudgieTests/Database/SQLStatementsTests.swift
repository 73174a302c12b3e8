import Testing

@testable import Databudgie

@Suite("SQL scripts as statements")
struct SQLStatementsTests {
    @Test("Semicolons in quotes, dollar quotes, comments and names end nothing")
    func quotedSemicolons() {
        let script = """
            -- a; comment
            insert into t values ('a;''b', E'c\\';', "d;");
            /* b; /* nested; */ */ create function f() returns text as $body$ select ';'; $x$ ; $body$ language sql;
            select 1
            """
        #expect(
            SQLStatements.split(Array(script.utf8)) == [
                "insert into t values ('a;''b', E'c\\';', \"d;\");",
                "create function f() returns text as $body$ select ';'; $x$ ; $body$ language sql;",
                "select 1",
            ]
        )
    }

    @Test("The body of a BEGIN ATOMIC function is one statement, with a CASE in it as well")
    func atomicBodies() {
        let function = """
            CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql
            BEGIN ATOMIC
             SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END;
             SELECT 3;
            END;
            """
        #expect(SQLStatements.split(Array((function + "\nSELECT 4;").utf8)) == [function, "SELECT 4;"])
    }

    @Test("Comments and white space alone are not a statement")
    func empty() {
        #expect(SQLStatements.split(Array("\n-- nothing\n/* at all */ ;".utf8)) == [])
    }

    @Test("The actions of a rule are one statement, as they are in parentheses")
    func rules() {
        let rule = "CREATE RULE r AS ON INSERT TO t DO ( DELETE FROM u;\n DELETE FROM v;\n);"
        #expect(SQLStatements.split(Array((rule + "\nSELECT 4;").utf8)) == [rule, "SELECT 4;"])
    }

    @Test("Begin and atomic are names outside of a function's head, and open nothing")
    func atomicNames() {
        let statements = [
            "SELECT begin atomic FROM t;",
            "CREATE FUNCTION f(begin atomic) RETURNS int LANGUAGE sql AS $$ select 1; $$;",
            "CREATE VIEW begin AS SELECT 1 AS atomic;",
            "CREATE FUNCTION begin() RETURNS int BEGIN ATOMIC SELECT 1; END;",
        ]
        #expect(SQLStatements.split(Array(statements.joined(separator: "\n").utf8)) == statements)
    }

    @Test("The commands that frame a script of pg_dump are skipped; others stay for the server to refuse")
    func commands() {
        let script = "\\restrict a;b'c\nSELECT 1;\n\\connect evil\nSELECT 2;\n\\unrestrict a;b'c\n"
        #expect(SQLStatements.split(Array(script.utf8)) == ["SELECT 1;", "\\connect evil", "SELECT 2;"])
    }

    @Test(
        "A script whose literal, name or comment has no end is not a list of statements",
        arguments: ["select 'a", "select E'a\\'", "select \"a", "select $a$ $b$", "select 1; /* /* */", "select 'a''"]
    )
    func unfinished(_ script: String) {
        #expect(SQLStatements.split(Array(script.utf8)) == nil)
        #expect(!SQLStatements.isFinished(script))
    }

    @Test("Tokens are the words, literals, names and symbols of a statement as they are written")
    func tokens() {
        let tokens = SQLStatements.tokens("ALTER TABLE a.\"b\"\"c\"/* x */ OWNER TO U&'d''e' -- y".utf8)
        #expect(
            tokens.map { String(decoding: $0, as: UTF8.self) }
                == ["ALTER", "TABLE", "a", ".", "\"b\"\"c\"", "OWNER", "TO", "U", "&", "'d''e'"]
        )
    }

    @Test(
        "A token stands for the name that the server reads",
        arguments: [
            ("name", "name"), ("\"a\"\"b\"", "a\"b"), ("\"\"\"\"", "\""), ("\"x\u{301}\"", "x\u{301}"), ("'x'", nil),
            ("\"", nil), ("\"\"", nil), (";", nil), ("$$x$$", nil), ("\"a\"\"\"\"b\"", "a\"\"b"),
        ]
    )
    func identifier(_ token: String, _ name: String?) {
        #expect(SQLStatements.identifier(ArraySlice(token.utf8)) == name.map { Array($0.utf8) })
    }
}
