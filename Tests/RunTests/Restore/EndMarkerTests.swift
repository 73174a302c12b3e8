import DatabudgieTestSupport
import Testing

@testable import Databudgie

/// Servers before version 18 take a line `\.` for the end of the data, without a word.
@Suite("Lines that look like the end of the data")
struct EndMarkerTests {
    private static let file = "public.t/2024-01-01T00:00:00.csv"

    @Test("Values that are or contain such a line come back")
    func values() async throws {
        try await RunFixture.with { fixture in
            let values = ["\\.", "\\.\n", "\n\\.\n", "a\n\\.\nb", "\\.\r\n\\.", "\"\n\\.\n\"", "\\.x", " \\."]
            try await fixture.onBoth("create table t (a text); create table two (a text, b text)")
            let literals = values.map { "(E'\($0.escaped)')" }.joined(separator: ", ")
            try await fixture.execute(fixture.source, "insert into t values \(literals)")
            try await fixture.execute(
                fixture.source,
                "insert into two select a, a from t union all select a, '' from t"
            )
            let backup = try await fixture.backup(fixture.yaml("[t, two]"))
            #expect(backup.failed.map(\.message) == [])
            let report = try await fixture.restore(fixture.yaml("[t, two]"))
            #expect(report.failed.map(\.message) == [])
            for query in ["select a from t order by a", "select * from two order by a, b"] {
                let expected = try await fixture.rows(fixture.source, query)
                #expect(expected.count >= values.count)
                #expect(try await fixture.rows(fixture.target, query) == expected)
            }
        }
    }

    @Test("A value that is alone in its line because the other columns are generated comes back")
    func generatedColumns() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table t (n int generated always as (length(a)) stored, a text,
                    m int generated always as (-length(a)) stored)
                """
            )
            try await fixture.execute(
                fixture.source,
                "insert into t values (default, '\\.'), (default, 'x'), (default, null)"
            )
            let backup = try await fixture.backup(fixture.yaml("[t]"))
            #expect(backup.failed.map(\.message) == [])
            let report = try await fixture.restore(fixture.yaml("[t]"))
            #expect(report.failed.map(\.message) == [])
            let rows = try await fixture.rows(fixture.target, "select a, n, m from t order by n nulls last, a")
            #expect(rows == ["x|1|-1", "\\.|2|-2", "NULL|NULL|NULL"])
        }
    }

    @Test(
        "A file with such a line is refused with its number, whatever the triggers",
        arguments: ["auto", "fire"],
        [
            ("a\n1\n\\.\n2\n", 3), ("a\n1\n\\.\n", 3), ("\\.\n1\n", 1), ("a\r\n\\.\r\n1\r\n", 2), ("a\r\\.\r1\r", 2),
            ("a\n\"x\n\\.\n\"\n\\.\nb\n", 3),
        ]
    )
    func refused(triggers: String, end: (text: String, record: Int)) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table t (a text, "\\." text); insert into t values ('old');
                create function pass() returns trigger language plpgsql as 'begin return new; end';
                create trigger passing before insert on t for each row execute function pass();
                """
            )
            try fixture.write(end.text, to: Self.file)
            let report = try await fixture.restore(fixture.yaml("[{name: t, triggers: \(triggers)}]"))
            let message =
                "record \(end.record) is only \\., which servers before version 18 take for the end of the data"
            #expect(report.failed.map { $0.message.hasSuffix(message) } == [true], "\(report.failed.map(\.message))")
            #expect(report.failed.first?.hint == "quote it as \"\\.\", or remove it if the data ends there")
            #expect(try await fixture.rows(fixture.target, "select a from t") == ["old"])
        }
    }
}

extension String {
    /// The characters of a string literal with backslash escapes.
    fileprivate var escaped: String {
        replacing("\\", with: "\\\\").replacing("\r\n", with: "\\r\\n").replacing("\n", with: "\\n")
    }
}
