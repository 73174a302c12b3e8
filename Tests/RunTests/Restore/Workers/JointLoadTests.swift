import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Restores of small groups of tables in one transaction", .timeLimit(.minutes(5)))
struct JointLoadTests {
    private static let tables = ["a", "b", "c", "d"]

    /// Creates tables that have a row, and a file of another row for each.
    private func prepare(_ fixture: RunFixture) async throws {
        for table in Self.tables {
            try await fixture.execute(
                fixture.target,
                "create table \(table) (id int check (id > 0), v text); insert into \(table) values (9, 'old')"
            )
            try fixture.writeFile(of: table, "1", "new")
        }
    }

    private func contents(_ fixture: RunFixture) async throws -> [String] {
        let queries = Self.tables.map { "select '\($0)' as name, id, v, xmin::text from \($0)" }
        return try await fixture.rows(
            fixture.target,
            "select name || id || v from (\(queries.joined(separator: " union all "))) as t order by 1"
        )
    }

    private func transactions(_ fixture: RunFixture, _ tables: [String]) async throws -> [String] {
        let queries = tables.map { "select xmin::text as writer from \($0)" }
        return try await fixture.rows(
            fixture.target,
            "select count(distinct writer) from (\(queries.joined(separator: " union all "))) as t"
        )
    }

    @Test("They are loaded together, and reported each by itself", arguments: [true, false])
    func together(_ isEmptied: Bool) async throws {
        try await RunFixture.with { fixture in
            try await prepare(fixture)
            let log = EventLog()
            let yaml = fixture.parallelYAML("[a, b, c, d]", jobs: 1)
            let report = try await fixture.restore(
                isEmptied ? yaml : yaml.replacing("truncate: true, ", with: ""),
                events: log
            )
            #expect(report.failed.map(\.description) == [])
            #expect(report.finished.map(\.job.name) == Self.tables.map { "public." + $0 })
            #expect(log.finished == Self.tables.map { "public." + $0 })
            let old = isEmptied ? [] : Self.tables.map { $0 + "9old" }
            #expect(try await contents(fixture) == (old + Self.tables.map { $0 + "1new" }).sorted())
            #expect(try await transactions(fixture, Self.tables.map { "\($0) where id = 1" }) == ["1"])
        }
    }

    @Test("When one fails, the others are restored all the same, in transactions of their own")
    func failure() async throws {
        try await RunFixture.with { fixture in
            try await prepare(fixture)
            try fixture.writeFile(of: "c", "-1", "new")
            let report = try await fixture.restore(fixture.parallelYAML("[a, b, c, d]", jobs: 1))
            #expect(report.failed.map(\.job.name) == ["public.c"])
            #expect(report.failed.first?.message.contains("check constraint") == true)
            #expect(report.finished.map(\.job.name) == ["public.a", "public.b", "public.d"])
            #expect(try await contents(fixture) == ["a1new", "b1new", "c9old", "d1new"])
            #expect(try await transactions(fixture, ["a", "b", "d"]) == ["3"])
        }
    }

    @Test("A failure of a strict run stops it, and what comes after it stays as it was")
    func strictFailure() async throws {
        try await RunFixture.with { fixture in
            try await prepare(fixture)
            try fixture.writeFile(of: "c", "-1", "new")
            let report = try await fixture.restore(fixture.parallelYAML("[a, b, c, d]", jobs: 1, ", strict: true"))
            #expect(report.failed.map(\.job.name) == ["public.c", "public.d"])
            #expect(
                report.failed.last?.message == "not restored, because public.c failed and the run is strict"
            )
            #expect(try await contents(fixture) == ["a1new", "b1new", "c9old", "d9old"])
        }
    }

    @Test("A table that refers to a failed one is not loaded along with others")
    func references() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table broken (id int primary key check (id > 0), v text);
                create table parent (id int primary key, v text);
                create table victim (id int references broken, v text); create table child (id int references parent, v text)
                """
            )
            for table in ["broken", "parent", "victim", "child"] {
                try fixture.writeFile(of: table, table == "broken" ? "-1" : "1", "new")
            }
            let yaml = fixture.parallelYAML("[broken, parent, victim, child]", jobs: 1)
                .replacing("truncate: true, ", with: "")
            let report = try await fixture.restore(yaml)
            #expect(report.failed.map(\.job.name) == ["public.broken", "public.victim"])
            #expect(report.failed.last?.message == "not restored, because it depends on public.broken, which failed")
            #expect(report.finished.map(\.job.name) == ["public.parent", "public.child"])
            #expect(try await fixture.rows(fixture.target, "select count(*) from child") == ["1"])
        }
    }

    /// Tables of which the last one has a check that reads another one.
    private func prepare(_ fixture: RunFixture, _ tables: [String], reading read: String) async throws {
        try await fixture.execute(
            fixture.target,
            """
            create table first (id int primary key, v text);
            create table \(tables[1]) (id int references first, v text);
            create function has(int) returns bool language sql as 'select exists (select from public.\(read) where id = $1)';
            create table last (id int check (has(id)), v text);
            """
        )
        for table in tables { try fixture.writeFile(of: table, "1", "new") }
    }

    @Test(
        "With one connection a table is not overtaken by one that relies on it without a key",
        arguments: [false, true]
    )
    func order(_ isLarge: Bool) async throws {
        try await RunFixture.with { fixture in
            let tables = ["first", "middle", "last"]
            try await prepare(fixture, tables, reading: "middle")
            if isLarge {
                // It refers to nothing, and is no small one.
                try await fixture.execute(fixture.target, "alter table middle drop constraint middle_id_fkey")
                try fixture.writeFile(of: "middle", "1", String(repeating: "x", count: 2 << 20))
            }
            let yaml = fixture.parallelYAML("[first, middle, last]", jobs: 1).replacing("truncate: true, ", with: "")
            let report = try await fixture.restore(yaml)
            #expect(report.failed.map(\.description) == [])
            #expect(report.finished.map(\.job.name) == tables.map { "public." + $0 })
            let counts =
                "select (select count(*) from first), (select count(*) from middle), (select count(*) from last)"
            #expect(try await fixture.rows(fixture.target, counts) == ["1|1|1"])
        }
    }

    @Test(
        "A table whose triggers fire is loaded after those before it and before those after it, with one connection, too"
    )
    func triggers() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table a (id int, v text); create table b (id int, v text); create table c (id int, v text);
                create table seen (a int, c int);
                create function see() returns trigger language plpgsql as $$ begin
                    insert into public.seen select (select count(*) from public.a), (select count(*) from public.c);
                    return new;
                end $$;
                create trigger see before insert on b for each row execute function see();
                """
            )
            for table in ["a", "b", "c"] { try fixture.writeFile(of: table, "1", "new") }
            let yaml = fixture.parallelYAML("[a, b, c]", jobs: 1).replacing("truncate: true, ", with: "")
            #expect(try await fixture.restore(yaml).failed.map(\.description) == [])
            #expect(try await fixture.rows(fixture.target, "select * from seen") == ["1|0"])
        }
    }
}
