import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Restores of partitions and of overlapping entries")
struct PartitionRestoreTests {
    private let file = "2024-01-01T00:00:00.csv"

    @Test("Leaf files of tables that refer to one another land in order, and replace what was there")
    func leavesWithForeignKeys() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table item (id int primary key, next int references item) partition by range (id);
                create table item_a partition of item for values from (0) to (10);
                create table item_b partition of item for values from (10) to (20);
                create table bid (id int primary key, item int references item) partition by range (id);
                create table bid_a partition of bid for values from (0) to (10);
                create table bid_b partition of bid for values from (10) to (20);
                insert into item values (9, null); insert into bid values (9, 9);
                """
            )
            try fixture.write("id,next\n1,11\n", to: "public.item_a/\(file)")
            try fixture.write("id,next\n11,1\n", to: "public.item_b/\(file)")
            try fixture.write("id,item\n1,11\n", to: "public.bid_a/\(file)")
            try fixture.write("id,item\n11,1\n", to: "public.bid_b/\(file)")
            let report = try await fixture.restore(fixture.yaml("['public.*']"))
            #expect(report.failed.map(\.message) == [])
            #expect(try await fixture.rows(fixture.target, "select * from item order by 1") == ["1|11", "11|1"])
            #expect(try await fixture.rows(fixture.target, "select * from bid order by 1") == ["1|11", "11|1"])
            let deferrable = "select count(*) from pg_constraint where condeferrable"
            #expect(try await fixture.rows(fixture.target, deferrable) == ["0"])
        }
    }

    @Test("A reference to a truncated leaf from a table that stays is reported before anything happens")
    func referenceToLeaf() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table item (id int primary key) partition by range (id);
                create table item_a partition of item for values from (0) to (10);
                create table item_b partition of item for values from (10) to (20);
                create table bid (item int references item);
                insert into item values (9); insert into bid values (9);
                """
            )
            try fixture.write("id\n1\n", to: "public.item_a/\(file)")
            let lines = await fixture.preflightLines(fixture.yaml("[item_a]"))
            #expect(lines.contains { $0.contains("public.bid refers to it") })
        }
    }

    @Test("A trigger on a partition may drop rows")
    func triggerOnLeaf() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table item (id int) partition by range (id);
                create table item_a partition of item for values from (0) to (10);
                create function skip() returns trigger language plpgsql as 'begin return null; end';
                create trigger skip before insert on item_a for each row execute function skip();
                """
            )
            try fixture.write("id\n1\n", to: "public.item/\(file)")
            let log = EventLog()
            let report = try await fixture.restore(fixture.yaml("[{name: item, triggers: fire}]"), events: log)
            #expect(report.failed.isEmpty)
            #expect(log.warnings.contains { $0.contains("has 1 row, and the server kept 0") })
        }
    }

    @Test("Rows that two entries would load twice are refused")
    func doubleLoads() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table t (id int); create table item (id int) partition by range (id);
                create table item_a partition of item for values from (0) to (10);
                """
            )
            try fixture.write("id\n1\n", to: "public.t/\(file)")
            try fixture.write("id\n1\n", to: "public.item/\(file)")
            try fixture.write("id\n1\n", to: "public.item_a/\(file)")
            let same = await fixture.preflightLines(fixture.yaml("[t, 'public.t*']"))
            #expect(same.contains { $0.hasPrefix("public.t: ") && $0.contains("would be loaded twice") })
            let family = await fixture.preflightLines(fixture.yaml("[item, item_a]"))
            #expect(family.contains { $0.contains("public.item_a: it would be loaded") && $0.contains("public.item") })
            #expect(try await fixture.rows(fixture.target, "select count(*) from t") == ["0"])
        }
    }

    @Test("Files of one query in two places are refused, those of different queries are loaded")
    func equalQueries() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table t (id int)")
            try await fixture.execute(fixture.source, "insert into t values (1), (2)")
            let first = "{name: 'public.*', location: a}"
            let lines = await {
                try? fixture.write("id\n1\n", to: "a/\(file)")
                try? fixture.write("id\n1\n", to: "b/\(file)")
                return await fixture.preflightLines(fixture.yaml("[\(first), {name: t, location: b}]"))
            }()
            #expect(lines.count == 1)
            #expect(lines.first?.hasPrefix("public.t: its rows would be loaded twice") == true)
            let queries = [1, 2].map { "{name: t, location: q\($0), query: 'select * from {table} where id = \($0)'}" }
            try await fixture.copy(fixture.yaml("[\(queries.joined(separator: ", "))]"))
            #expect(try await fixture.rows(fixture.target, "select id from t order by id") == ["1", "2"])
        }
    }

    @Test("A file is not loaded into two tables")
    func oneFileTwoTables() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (id int); create table u (id int)")
            try fixture.write("id\n1\n", to: "dump/\(file)")
            let lines = await fixture.preflightLines(
                "{root_location: \(fixture.folder), location: dump, tables: ['public.?']}"
            )
            #expect(lines.count == 2)
            #expect(lines.first?.contains("would be loaded into public.t by") == true)
            #expect(lines.last?.contains("would be loaded into public.u by") == true)
            #expect(try await fixture.rows(fixture.target, "select id from t") == [])
            #expect(try await fixture.rows(fixture.target, "select id from u") == [])
        }
    }

    @Test("A location may begin with the time, and flat folders may hold the files of many tables")
    func layouts() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table t (id int); create table u (id int)")
            try await fixture.execute(fixture.source, "insert into t values (1); insert into u values (2)")
            for layout in [
                "location: '{date}/{timestamp}/{table}', filename: data.csv",
                "location: '.', filename: '{table}-{timestamp}.{ext}'",
            ] {
                let yaml = "{root_location: \(fixture.folder), \(layout), truncate: true, tables: [t, u]}"
                #expect(try await fixture.backup(yaml).failed.isEmpty)
                #expect(try await fixture.restore(yaml).failed.isEmpty)
                #expect(
                    try await fixture.rows(fixture.target, "select id from t union all select id from u") == ["1", "2"]
                )
            }
        }
    }

    @Test("Views are loaded through their triggers only, and never truncated")
    func views() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (id int); create view v as select * from t")
            try fixture.write("id\n1\n", to: "public.v/\(file)")
            let plain = await fixture.preflightLines(fixture.yaml("[v]", truncate: false))
            #expect(plain.contains { $0.contains("INSTEAD OF INSERT") })
            let truncated = await fixture.preflightLines(fixture.yaml("[v]"))
            #expect(truncated.contains { $0.contains("cannot be truncated") })
            try await fixture.execute(
                fixture.target,
                """
                create function into_t() returns trigger language plpgsql as
                    'begin insert into t values (new.id); return new; end';
                create trigger into_t instead of insert on v for each row execute function into_t();
                """
            )
            #expect(try await fixture.restore(fixture.yaml("[v]", truncate: false)).failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, "select id from t") == ["1"])
        }
    }

    @Test("A domain's default counts as one")
    func domainDefault() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                "create domain five int default 5; create table t (id int, f five not null)"
            )
            try fixture.write("id\n1\n", to: "public.t/\(file)")
            #expect(try await fixture.restore(fixture.yaml("[t]")).failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, "select f from t") == ["5"])
        }
    }

    @Test(
        "A column that is missing from the file is found when its domain forbids null, at any depth",
        arguments: ["create domain low as int not null; create domain d as low", "create domain d as int not null"]
    )
    func domainWithoutNull(_ domain: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                \(domain); create domain e as d default 5; create domain loose as int;
                create table t (id int, f d, g d default 7, h e, i loose);
                """
            )
            try fixture.write("id\n1\n", to: "public.t/\(file)")
            let lines = await fixture.preflightLines(fixture.yaml("[t]"))
            #expect(lines.count == 1)
            #expect(lines.first?.contains("has no column \"f\", which is NOT NULL and has no default") == true)
            try fixture.write("id,f\n1,2\n", to: "public.t/\(file)")
            #expect(try await fixture.restore(fixture.yaml("[t]")).failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, "select * from t") == ["1|2|7|5|NULL"])
        }
    }

    @Test("A cycle of foreign keys that only the owner can defer is reported to others")
    func cycleOfAnotherOwner() async throws {
        try await PostgresServer.withRole { role in
            try await RunFixture.with { fixture in
                try await fixture.execute(
                    fixture.target,
                    """
                    create table a (id int primary key, b int); create table b (id int primary key, a int references a);
                    alter table a add constraint same foreign key (b) references b;
                    grant all on a, b to \(role);
                    """
                )
                try fixture.write("id,b\n1,1\n", to: "public.a/\(file)")
                try fixture.write("id,a\n1,1\n", to: "public.b/\(file)")
                let lines = await fixture.connected(as: role).preflightLines(fixture.yaml("[a, b]"))
                #expect(lines.contains { $0.contains("public.a: it is part of a cycle") })
                #expect(try await fixture.restore(fixture.yaml("[a, b]")).failed.isEmpty)
                #expect(try await fixture.rows(fixture.target, "select a.b, b.a from a, b") == ["1|1"])
            }
        }
    }
}
