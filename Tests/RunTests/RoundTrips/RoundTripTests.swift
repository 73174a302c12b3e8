import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Round trips")
struct RoundTripTests {
    /// Backs up and restores, and compares what the tables hold afterwards.
    private func roundTrip(
        schema: String,
        data: String,
        tables: [String],
        yaml: String = "tables: ['*']",
        compare: [String]
    ) async throws {
        for compression in ["null", "gzip", "zstd"] {
            try await RunFixture.with { fixture in
                try await fixture.onBoth(schema)
                try await fixture.execute(fixture.source, data)
                let configuration = "root_location: \(fixture.folder)\ncompression: \(compression)\n\(yaml)"
                let backup = try await fixture.backup(configuration)
                #expect(backup.failed.map(\.message) == [])
                #expect(backup.finished.map(\.job.description) == tables)
                let restore = try await fixture.restore(configuration)
                #expect(restore.failed.map(\.message) == [])
                for query in compare {
                    let expected = try await fixture.rows(fixture.source, query)
                    #expect(try await fixture.rows(fixture.target, query) == expected)
                    #expect(!expected.isEmpty)
                }
            }
        }
    }

    @Test("Tables come back under names with anything in them")
    func names() async throws {
        let names = [
            "a.b", "a/b", "../../up", "quo\"te", "UPPER", "com,ma", "line\nbreak", "per%cent", "{brace}", "sp ace", "*",
            "a\\b", "日本語日本語日本語日本語日本語日本語日", "select", "tab\tname", "'", "..", ".hidden", "[x]", "?", "#",
        ]
        let tables = names.map(quotedIdentifier)
        try await roundTrip(
            schema: tables.map { "create table \($0) (id int, \($0) text);" }.joined()
                + "create schema \"s.t\"; create table \"s.t\".u (\"x\"\"y\nz\" int);",
            data: tables.map { "insert into \($0) values (1, 'x'), (2, null), (3, '');" }.joined()
                + "insert into \"s.t\".u values (7)",
            tables: names.sorted().map { "public." + ($0.contains(".") ? quotedIdentifier($0) : $0) } + ["\"s.t\".u"],
            yaml: "tables: ['*.*']",
            compare: tables.map { "select * from \($0) order by id" } + ["select * from \"s.t\".u"]
        )
    }

    @Test("A level changes the size of a file, and nothing else of it")
    func levels() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table t (id int, a text)")
            try await fixture.execute(
                fixture.source,
                "insert into t select i, md5((i % 500)::text) || i from generate_series(1, 20000) i"
            )
            var sizes: [Int64] = []
            for compression in ["zstd:1", "zstd:12"] {
                let configuration = """
                    {location: '\(fixture.folder)/\(sizes.count)/{table}', compression: '\(compression)', truncate: true,
                    tables: [t]}
                    """
                let backup = try await fixture.backup(configuration)
                let file = try #require(backup.finished.first?.file)
                #expect(file.path.description.hasSuffix(".csv.zst"))
                sizes.append(file.size)
                #expect(try await fixture.restore(configuration).failed.map(\.message) == [])
                let query = "select * from t order by id"
                #expect(try await fixture.rows(fixture.target, query) == fixture.rows(fixture.source, query))
            }
            #expect(sizes[1] < sizes[0])
        }
    }

    @Test("Columns come back whose names look alike and differ in their bytes")
    func lookalikes() async throws {
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        try await roundTrip(
            schema: "create table t (\"\(composed)\" int, \"\(decomposed)\" int)",
            data: "insert into t values (1, 2)",
            tables: ["public.t"],
            compare: ["select \"\(composed)\", \"\(decomposed)\" from t"]
        )
    }

    @Test("Values of many types come back to the last bit")
    func types() async throws {
        let schema = """
            create type mood as enum ('sad', 'ok'); create type pair as (a int, b text);
            create table everything (
                id bigint generated always as identity, twice int generated always as (small * 2) stored, small smallint,
                exact numeric, real4 real, real8 double precision, words text, fixed char(5), bytes bytea, yes boolean,
                day date, moment timestamptz, local timestamp, clock time, span interval, ip inet, document json,
                binary_document jsonb, many text[], grid int[][], feeling mood, both_of pair, range int4range, bits bit(3),
                guid uuid, document_x xml, vector tsvector);
            """
        let data = """
            insert into everything (small, exact, real4, real8, words, fixed, bytes, yes, day, moment, local, clock, span,
                ip, document, binary_document, many, grid, feeling, both_of, range, bits, guid, document_x, vector)
            values (1, 'NaN', '-0', 'Infinity', E'a\\nb\\r\\n"c",\\\\.', 'x', '\\x00ff', true, '4713-01-01 BC',
                'infinity', '2000-01-01 00:00:00.123456', '23:59:60', '1 mon -3 days 04:05:06.7', '::1/64', '{"a" : 1 }',
                '{"b": [1, null]}', '{"x","","NULL",NULL,"a,b"}', '{{1,2},{3,4}}', 'ok', '(1,"a ""b"" c")', '[1,5)', '101',
                '12345678-1234-1234-1234-123456789abc', '<a>x</a>', 'a:1 b:2'),
            (null, 12345678901234567890.123456789, 1.1, 0.1, E'\\\\.', '', '', false, null, null, null, null, null, null,
                null, null, '{}', null, null, null, 'empty', null, null, null, null),
            (2, 0, 3.4028235e38, 2.2250738585072014e-308, E'x\\n\\\\.\\ny', null, null, null, null, null, null, null, null,
                null, null, null, null, null, null, null, null, null, null, null, null);
            """
        try await roundTrip(
            schema: schema,
            data: data,
            tables: ["public.everything"],
            compare: ["select md5(t::text), id, twice from everything t order by id"]
        )
    }

    @Test("Partitioned tables, inheritance, self references, cycles and tables without columns or rows come back")
    func shapes() async throws {
        let schema = """
            create table event (id int, day date) partition by range (day);
            create table event_a partition of event for values from ('2024-01-01') to ('2025-01-01');
            create table event_b partition of event for values from ('2025-01-01') to ('2026-01-01');
            create table city (name text); create table capital (state text) inherits (city);
            create table employee (id int primary key, boss int references employee);
            create table hen (id int primary key, egg int);
            create table egg (id int primary key, hen int references hen);
            alter table hen add foreign key (egg) references egg;
            create table nothing (); create table empty (id int);
            """
        let data = """
            insert into event values (1, '2024-05-01'), (2, '2025-05-01');
            insert into city values ('Ulm'); insert into capital values ('Bonn', 'NRW');
            insert into employee values (2, null), (1, 2);
            insert into hen values (1, null); insert into egg values (1, 1); update hen set egg = 1;
            insert into nothing default values; insert into nothing default values;
            """
        try await roundTrip(
            schema: schema,
            data: data,
            tables: ["capital", "city", "egg", "hen", "employee", "empty", "event", "nothing"].map { "public.\($0)" },
            compare: [
                "select tableoid::regclass, * from event order by id",
                "select tableoid::regclass, name from city order by 2",
                "select * from capital", "select * from employee order by id", "select * from hen", "select * from egg",
                "select count(*) from nothing", "select count(*) from empty",
                "select conname, condeferrable from pg_constraint where contype = 'f' order by 1",
            ]
        )
    }
}
