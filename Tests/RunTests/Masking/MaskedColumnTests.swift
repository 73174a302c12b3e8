import Foundation
import Testing

@testable import Databudgie

@Suite("Columns that only seem to be masked or kept")
struct MaskedColumnTests {
    private func yaml(
        _ fixture: RunFixture,
        columns: String,
        keep: String,
        tables: String = "['public.*']"
    ) -> String {
        """
        {root_location: \(fixture.folder), location: '{table}', tables: \(tables),
        masking: {key: \(MaskAnswerTests.secret), policy: strict, columns: \(columns), keep: \(keep)}}
        """
    }

    /// All bytes of all files of the set.
    private func content(_ fixture: RunFixture) throws -> String {
        try fixture.files().compactMap { try? fixture.text($0) }.joined()
    }

    @Test("A generated column with a mask is left out of the file, even if no other column has one")
    func generatedAlone() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table g (id int, name text, whole text generated always as (name || ' privatevalue') stored);
                insert into g (id, name) values (1, 'Ada');
                """
            )
            let masks = "{public.g.whole: full_name}"
            _ = try await fixture.backup(
                yaml(fixture, columns: masks, keep: "[\"*.id\", \"*.name\"]", tables: "[public.g]")
            )
            #expect(!(try content(fixture)).contains("privatevalue"))
            // A query has the values of the column as one of its own.
            let query = "[{name: public.g, query: 'select * from {table}', location: q}]"
            await #expect(throws: DatabudgieError.self) {
                try await fixture.backup(
                    yaml(
                        fixture,
                        columns: "{public.g.name: hash}",
                        keep: "[\"*.id\", public.g.who*]",
                        tables: query
                    )
                )
            }
            #expect(!(try content(fixture)).contains("privatevalue"))
        }
    }

    @Test(
        "What a query computes or calls otherwise is not kept because of its name",
        arguments: [
            "select id, lower(email) as status from {table}", "select id, email as status from {table}",
            "select id, status from {table} union all select 2, email from {table}",
        ]
    )
    func queryNames(query: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                "create table c (id int, email text, status text); insert into c values (1, 'privatevalue', 'new')"
            )
            let entry = "[{name: public.c, query: \"\(query)\", location: q}]"
            func backup(_ columns: String, _ keep: String) async throws {
                _ = try await fixture.backup(yaml(fixture, columns: columns, keep: keep, tables: entry))
            }
            let keep = "[\"*.id\", \"*.stat*\"]"
            await #expect(throws: DatabudgieError.self) { try await backup("{}", keep) }
            #expect(!(try content(fixture)).contains("privatevalue"))
            // A mask by the name of the column is stronger than what keeps the column that it is.
            try await backup("{public.c.status: hash}", "[public.c.id, public.c.email]")
            #expect(!(try content(fixture)).contains("privatevalue"))
        }
    }

    @Test("Digits of two columns are turned differently, although they depend on one third column")
    func digitsByColumn() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                "create table d (id int, a text, b text); insert into d values (1, '0000000000000000', '4111222233334444')"
            )
            let digits = "{mask: digits, by: id}"
            _ = try await fixture.backup(
                yaml(fixture, columns: "{public.d.a: \(digits), public.d.b: \(digits)}", keep: "[\"*.id\"]")
            )
            let file = try #require(try fixture.files().first { $0.hasSuffix(".csv") })
            let row = try #require(try fixture.text(file).split(separator: "\n").last).split(separator: ",")
            let (a, b) = (row[1].compactMap(\.wholeNumberValue), row[2].compactMap(\.wholeNumberValue))
            #expect(a.count == 16 && b.count == 16)
            let known = zip(a, b).map { ($1 - $0 + 10) % 10 }
            #expect(known != "4111222233334444".compactMap(\.wholeNumberValue))
        }
    }
}
