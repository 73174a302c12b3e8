import DatabudgieTestSupport
import Foundation
import Testing

@testable import Databudgie

@Suite("Headers of files that were made by hand")
struct HandMadeHeaderTests {
    private static let file = "public.t/2024-01-01T00:00:00.csv"

    @Test(
        "A header that does not fit is refused with the reason, and nothing is loaded by position",
        arguments: [
            ("\n1,2\n", "the first line of"), ("\r\n1,2\r\n", "the first line of"),
            ("\u{FEFF}\n1,2\n", "the first line of"), ("a,\n1,2\n", "the column \"\" of"),
            ("a,a\n1,2\n", "has two columns named \"a\""), ("a, b\n1,2\n", "the column \" b\" of"),
            ("a;b\n1;2\n", "the column \"a;b\" of"), ("A,b\n1,2\n", "the column \"A\" of"),
            ("1,2\n", "the column \"1\" of"),
        ]
    )
    func refused(text: String, reason: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (a text, b text); insert into t values ('old')")
            try fixture.write(text, to: Self.file)
            let error = await #expect(throws: DatabudgieError.self) {
                let report = try await fixture.restore(fixture.yaml("[t]"))
                for failure in report.failed { throw DatabudgieError(.preflight, failure.message) }
            }
            #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
            #expect(try await fixture.rows(fixture.target, "select * from t") == ["old|NULL"])
        }
    }

    @Test(
        "Quotes may open and close anywhere in a name, as for the server",
        arguments: ["\"a\",\"b\"\r\n1,2\r\n", "\"\"a,b\"\"\n1,2\n", "b,a\n2,1\n", "\u{FEFF}\"a\",b\n1,2\n"]
    )
    func accepted(text: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (a text, b text)")
            try fixture.write(text, to: Self.file)
            let report = try await fixture.restore(fixture.yaml("[t]"))
            #expect(report.failed.map(\.message) == [])
            #expect(try await fixture.rows(fixture.target, "select a, b from t") == ["1|2"])
        }
    }
}
