import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Databases and names with odd bytes")
struct OddBytesTests {
    @Test("A database without an encoding keeps any bytes in both directions", arguments: ["null", "gzip", "zstd"])
    func sqlASCII(compression: String) async throws {
        try await PostgresServer.withDatabase(encoding: "SQL_ASCII") { source in
            try await PostgresServer.withDatabase(encoding: "SQL_ASCII") { target in
                try await withTemporaryFolder { folder in
                    let fixture = RunFixture(source: source, target: target, folder: folder)
                    try await fixture.onBoth("create table t (id serial primary key, v text)")
                    try await fixture.execute(
                        source,
                        #"insert into t (v) values (E'caf\351'), (E'\377\376,"x"\n'), (null), ('ok')"#
                    )
                    try await fixture.copy(
                        """
                        {root_location: \(folder), location: '{table}', filename: 'data.{ext}', compression: \(compression),
                         tables: [t, {query: "select v from t where id = 1", location: q}]}
                        """
                    )
                    let hex = "select id, encode(textsend(v), 'hex') from t order by id"
                    #expect(try await fixture.rows(target, hex) == fixture.rows(source, hex))
                    #expect(try await fixture.rows(target, hex).first == "1|636166e9")
                    if compression == "null" {
                        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/q/data.csv"))
                        #expect(Array(bytes) == Array("v\ncaf".utf8) + [0xE9, 0x0A])
                    }
                }
            }
        }
    }

    @Test("A message of a database without an encoding is readable, whatever bytes it has")
    func sqlASCIIMessages() async throws {
        try await PostgresServer.withDatabase(encoding: "SQL_ASCII") { source in
            try await withTemporaryFolder { folder in
                let fixture = RunFixture(source: source, target: source, folder: folder)
                try await fixture.execute(
                    source,
                    #"""
                    create function f() returns int language plpgsql as $$ begin
                        execute 'select 1 from ' || quote_ident(E'caf\351'); return 1; end $$
                    """#
                )
                let report = try await fixture.backup(
                    "{root_location: \(folder), tables: [{query: 'select f() as v', location: q}]}"
                )
                let message = try #require(report.failed.first?.message)
                #expect(message.contains("\"caf\u{FFFD}\" does not exist"), "\(message)")
            }
        }
    }

    @Test(
        "Names and values with a line break at their end keep it",
        arguments: [("\n", #"\n"#, false), ("\n", #"\n"#, true), ("\r", #"\r"#, true), ("\r\n", #"\r\n"#, false)]
    )
    func trailingLineBreaks(end: String, escaped: String, hasDefinitions: Bool) async throws {
        try await RunFixture.with { fixture in
            let schema = quotedIdentifier("s" + end)
            let table = schema + "." + quotedIdentifier("t" + end)
            let column = quotedIdentifier("c" + end)
            let sequence = schema + "." + quotedIdentifier("q" + end)
            let definition = """
                create schema \(schema); create sequence \(sequence);
                create table \(table) (id int default nextval('\(sequence)') primary key, \(column) text);
                """
            try await fixture.execute(fixture.source, definition)
            if !hasDefinitions { try await fixture.execute(fixture.target, definition) }
            try await fixture.execute(
                fixture.source,
                "insert into \(table) (\(column)) values (\(quotedLiteral("x" + end))), (\(quotedLiteral(end)))"
            )
            let name = "\"s\(escaped).t\(escaped)\""
            try await fixture.copy(
                "{root_location: \(fixture.folder), location: '{table}', ddl: \(hasDefinitions), tables: {\(name): }}"
            )
            for query in ["select * from \(table) order by id", "select last_value from \(sequence)"] {
                #expect(try await fixture.rows(fixture.target, query) == fixture.rows(fixture.source, query))
            }
            #expect(
                try await fixture.rows(fixture.target, "select \(column) from \(table) order by id") == [
                    "x" + end, end,
                ]
            )
        }
    }

    @Test("A first column whose name begins with a byte order mark keeps it")
    func byteOrderMark() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                #"create table t (U&"\FEFFid" int, b text); create table u (U&"\FEFF" int); create table w (U&"\FEFF,x" int)"#
            )
            try await fixture.execute(
                fixture.source,
                "insert into t values (1, 'x'); insert into u values (2); insert into w values (3)"
            )
            try await fixture.copy(
                "{root_location: \(fixture.folder), location: '{table}', filename: data.csv, tables: [t, u, w]}"
            )
            #expect(try fixture.text("public.t/data.csv") == "\"\u{FEFF}id\",b\n1,x\n")
            #expect(try fixture.text("public.u/data.csv") == "\"\u{FEFF}\"\n2\n")
            for table in ["t", "u", "w"] {
                let rows = "select * from \(table)"
                #expect(try await fixture.rows(fixture.target, rows) == fixture.rows(fixture.source, rows))
            }
        }
    }
}
