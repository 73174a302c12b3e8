import DatabudgieTestSupport
import Testing

@testable import Databudgie

@Suite("Byte order marks")
struct ByteOrderMarkTests {
    @Test("A column whose name begins with U+FEFF comes back, wherever it stands", arguments: ["null", "gzip"])
    func namedSo(compression: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table t ("\u{FEFF}id" int, id int); create table u (id int, "\u{FEFF}id" int);
                create table v ("\u{FEFF}" int); create table w ("\u{FEFF}a,b" int, "\u{FEFF}" int);
                """
            )
            let tables = ["t", "u", "v", "w"]
            for table in tables {
                try await fixture.execute(
                    fixture.source,
                    "insert into \(table) values (\(table == "v" ? "1" : "1, 2"))"
                )
            }
            let yaml = """
                {root_location: '\(fixture.folder)', location: '{table}', compression: \(compression), tables: [t, u, v, w]}
                """
            let backup = try await fixture.backup(yaml)
            #expect(backup.failed.map(\.message) == [])
            let report = try await fixture.restore(yaml)
            #expect(report.failed.map(\.message) == [])
            for table in tables {
                let rows = try await fixture.rows(fixture.target, "select * from \(table)")
                #expect(rows == [table == "v" ? "1" : "1|2"])
            }
        }
    }

    @Test("The mark of another tool is skipped", arguments: ["id,\u{FEFF}x", "\"id\",\"\u{FEFF}x\""])
    func skipped(header: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (\"\u{FEFF}x\" int, id int)")
            try fixture.write("\u{FEFF}\(header)\n1,2\n", to: "public.t/2024-01-01T00:00:00.csv")
            let report = try await fixture.restore(fixture.yaml("[t]"))
            #expect(report.failed.map(\.message) == [])
            #expect(try await fixture.rows(fixture.target, "select id, \"\u{FEFF}x\" from t") == ["1|2"])
        }
    }

    @Test("A mark before a header of other columns does not hide an unknown column")
    func unknown() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (id int)")
            try fixture.write("\u{FEFF}ix\n1\n", to: "public.t/2024-01-01T00:00:00.csv")
            let error = await #expect(throws: DatabudgieError.self) {
                let report = try await fixture.restore(fixture.yaml("[t]"))
                for failure in report.failed { throw DatabudgieError(.preflight, failure.message) }
            }
            #expect(error?.description.contains("the column \"ix\" of") == true)
        }
    }
}
