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
            SQLStatements.split(script) == [
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
        #expect(SQLStatements.split(function + "\nSELECT 4;") == [function, "SELECT 4;"])
    }

    @Test("Nothing but comments and white space is no statement")
    func empty() {
        #expect(SQLStatements.split("\n-- nothing\n/* at all */ ;").isEmpty)
    }
}
