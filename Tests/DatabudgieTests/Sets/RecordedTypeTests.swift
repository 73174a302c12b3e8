import Testing

@testable import Databudgie

@Suite("Types in set records")
struct RecordedTypeTests {
    @Test(
        "A type is taken apart as format_type writes it",
        arguments: [
            ("integer", "integer", [], false), ("numeric(10,2)", "numeric", [10, 2], false),
            ("numeric(3,-2)", "numeric", [3, -2], false), ("character varying(20)[]", "character varying", [20], true),
            ("timestamp(3) with time zone", "timestamp with time zone", [3], false),
            ("interval day to second(3)", "interval day to second", [3], false),
            ("double precision[]", "double precision", [], true),
            ("shop.\"my \"\"type\"", "shop.\"my \"\"type\"", [], false), ("\"char\"", "\"char\"", [], false),
            ("geometry(Point,4326)", "geometry", [], false), ("größe", "größe", [], false),
        ] as [(String, String, [Int], Bool)]
    )
    func parts(text: String, name: String, arguments: [Int], isArray: Bool) throws {
        let type = try #require(RecordedType(text))
        #expect(type.name == name && type.arguments == arguments && type.isArray == isArray)
    }

    @Test(
        "What would be more than a type in SQL is none",
        arguments: [
            "", " integer", "int); drop table x; --", "int default 1", "int default f()", "int references x",
            "int,b text",
            "int--", "int/*", "text collate \"C\"", "\"unfinished", "\"\"", "a..b", "a.", "int(1", "int(f(1))", "int()",
            "int(1)(2)", "int[1]", "int[](1)", "int 'x'", "int;", "int\nnot null", "int $$", "int(\"a\")",
        ]
    )
    func noType(text: String) {
        #expect(RecordedType(text) == nil)
    }
}
