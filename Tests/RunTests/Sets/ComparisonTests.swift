import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("Comparison of two databases")
struct ComparisonTests {
    private let schema = """
        create schema app;
        create table app.item (id int, day date, name text, price numeric(10, 2), at timestamptz, raw bytea, tags text[],
            primary key (day, id));
        insert into app.item select i, date '2026-01-01' + i % 7, case i % 3 when 0 then null when 1 then '' else 'n' || i end,
            i / 3.0, timestamptz '2026-01-01 00:00Z' + i * interval '1 s', decode(md5(i::text), 'hex'), array['a', null, 'b,c']
            from generate_series(1, 5000) i;
        create table app.serial (id serial, word text); insert into app.serial (word) values ('x'), ('x'), ('y');
        create table app.part (id int) partition by range (id);
        create table app.part_1 partition of app.part for values from (0) to (100);
        insert into app.part values (1), (2);
        """

    private func compare(_ fixture: RunFixture, _ yaml: String) async throws -> [String: ComparedTable] {
        let report = try await Comparison(try fixture.configuration(yaml)).run()
        #expect(report.tables.map(\.name) == report.tables.map(\.name).sorted())
        return Dictionary(uniqueKeysWithValues: report.tables.map { ($0.name, $0) })
    }

    @Test("Tables that are restored under other names are refused, rather than looked for under their own")
    func renamed() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(schema)
            let error = await #expect(throws: DatabudgieError.self) {
                try await compare(fixture, "{rename: {schema: {app: other}}, tables: ['app.*']}")
            }
            #expect(error?.code == .configuration)
            let reason = "tables that 'rename' restores under other names cannot be compared"
            #expect(error?.message.hasSuffix(reason) == true)
        }
    }

    @Test(
        "Equal databases are equal, whatever the order of rows and columns and the settings of the servers' databases"
    )
    func equal() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(schema)
            let target = fixture.target.keywords["dbname"] ?? ""
            try await fixture.execute(
                fixture.target,
                """
                create table app.other (like app.serial); insert into app.other select * from app.serial order by id desc;
                delete from app.serial; alter table app.serial drop word; alter table app.serial add word text;
                alter table app.serial rename id to old; alter table app.serial add id int;
                insert into app.serial (id, word) select id, word from app.other; drop table app.other;
                alter sequence app.serial_id_seq owned by app.serial.id; alter table app.serial drop old;
                alter database "\(target)" set datestyle = 'German'; alter database "\(target)" set bytea_output = 'escape';
                alter database "\(target)" set timezone = 'Asia/Tokyo'; cluster app.item using item_pkey;
                select setval('app.serial_id_seq', 3);
                """
            )
            let report = try await Comparison(try fixture.configuration(fixture.yaml("['app.*']"))).run()
            #expect(report.tables.map(\.name) == ["app.item", "app.part", "app.serial"])
            #expect(report.isEqual, "\(report.tables.map(\.differences))")
            #expect(
                report.tables.map(\.sourceRows) == [5000, 2, 3] && report.tables.map(\.targetRows) == [5000, 2, 3]
            )
        }
    }

    @Test("Rows that differ, are missing or are too many are found, with their keys")
    func rows() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(schema)
            try await fixture.execute(
                fixture.target,
                """
                update app.item set name = coalesce(name, '') where id = 3; delete from app.item where id = 17;
                insert into app.item (id, day) values (9999, '2030-01-01');
                update app.serial set word = 'y' where id = 2; insert into app.part values (2);
                """
            )
            let tables = try await compare(fixture, fixture.yaml("['app.*']"))
            let item = try #require(tables["app.item"])
            #expect(item.differences == ["rows have other values"])
            #expect(
                Set(item.keys) == [
                    DifferingKey(key: "(2026-01-04,3)", difference: .different),
                    DifferingKey(key: "(2026-01-04,17)", difference: .onlyInSource),
                    DifferingKey(key: "(2030-01-01,9999)", difference: .onlyInTarget),
                ]
            )
            #expect(tables["app.serial"]?.differences == ["rows have other values"] && tables["app.serial"]?.keys == [])
            #expect(tables["app.part"]?.differences == ["the source has 2 rows, the target 3"])
        }
    }

    @Test("No more than five keys are named, whatever differs")
    func manyKeys() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(schema)
            try await fixture.execute(fixture.target, "update app.item set price = price + 1")
            let item = try #require(try await compare(fixture, fixture.yaml("[app.item]"))["app.item"])
            #expect(item.keys.count == Comparison.namedKeys && item.keys.allSatisfy { $0.difference == .different })
        }
    }

    @Test("Columns, sequences and tables that only one side has are named")
    func schemas() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(schema)
            try await fixture.execute(
                fixture.target,
                """
                alter table app.item alter price type numeric(12, 2), drop raw, add extra int;
                select setval('app.serial_id_seq', 90); create table app.mine (id int); insert into app.mine values (1);
                """
            )
            try await fixture.execute(fixture.source, "create table app.new (id int)")
            let tables = try await compare(fixture, fixture.yaml("['app.*']"))
            #expect(
                tables["app.item"]?.differences == [
                    "the column extra is only in the target",
                    "the column price is numeric(10,2) in the source and numeric(12,2) in the target",
                    "the column raw is only in the source",
                ]
            )
            #expect(
                tables["app.serial"]?.differences == [
                    "the sequence app.serial_id_seq is at 3 in the source and at 90 in the target"
                ]
            )
            #expect(
                tables["app.mine"]?.differences == ["it is only in the target"] && tables["app.mine"]?.targetRows == 1
            )
            #expect(
                tables["app.new"]?.differences == ["it is only in the source"] && tables["app.new"]?.sourceRows == 0
            )
        }
    }

    @Test("Names with quotes, capitals and combining marks are compared as they are")
    func oddNames() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create schema "a""; select 1"; create table "a""; select 1"."T\u{301}" ("K\u{E9}y" int primary key, "x'" text);
                insert into "a""; select 1"."T\u{301}" values (1, 'x'), (2, 'y')
                """
            )
            try await fixture.execute(
                fixture.target,
                "update \"a\"\"; select 1\".\"T\u{301}\" set \"x'\" = null where \"K\u{E9}y\" = 2"
            )
            let tables = try await compare(fixture, fixture.yaml("['*.*']"))
            #expect(tables.values.first?.keys == [DifferingKey(key: "(2)", difference: .different)])
        }
    }

    @Test("A backup that was restored is equal to its source, and what a query exports is left out with a word")
    func roundTrip() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            let yaml = fixture.ddlYAML("['app.*']")
            _ = try await fixture.backup(yaml)
            #expect(try await fixture.restore(yaml).failed.isEmpty)
            #expect(try await Comparison(try fixture.configuration(yaml)).run().isEqual)
            let query = fixture.yaml("{app.part: {}, app.item: {query: 'select * from {table} limit 1'}}")
            let report = try await Comparison(try fixture.configuration(query)).run()
            #expect(report.tables.map(\.name) == ["app.part"])
            #expect(report.notes.map(\.description).contains { $0.contains("what a query exports is not compared") })
            let error = await #expect(throws: DatabudgieError.self) {
                try await Comparison(try fixture.configuration(fixture.yaml("['nothing.*']"))).run()
            }
            #expect(error?.code == .nothingToDo)
        }
    }
}
