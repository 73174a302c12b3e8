import Testing

@testable import Databudgie

@Suite("Query text")
struct QueryTextTests {
    @Test(
        "A semicolon at the end goes, with the comments after it",
        arguments: [
            ("select 1", "select 1"),
            ("select 1;", "select 1"),
            ("select 1 ; ", "select 1 "),
            ("select 1; -- done", "select 1"),
            ("select 1; /* a /* nested */ b */ ;", "select 1"),
            ("select 1 -- no end;", "select 1 -- no end;"),
            ("select ';'", "select ';'"),
            ("select 'it''s;';", "select 'it''s;'"),
            (#"select e'\';';"#, #"select e'\';'"#),
            (#"select '\';"#, #"select '\'"#),
            (#"select ";" from t;"#, #"select ";" from t"#),
            ("select $$;$$;", "select $$;$$"),
            ("select $x$;$$;$x$;", "select $x$;$$;$x$"),
            ("select a$b;", "select a$b"),
            ("select 1 where x = $1;", "select 1 where x = $1"),
            ("select 'open;", "select 'open;"),
        ]
    )
    func trailing(_ sql: String, _ expected: String) {
        #expect(QueryText.withoutTrailingSemicolon(sql) == expected)
    }

    @Test("A semicolon between two statements stays for the server to refuse")
    func twoStatements() {
        #expect(QueryText.withoutTrailingSemicolon("select 1; drop table t;") == "select 1; drop table t")
    }
}
