import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Comparison of a set with the target")
struct SetComparisonTests {
    private let schema = """
        create schema app; create type app.mood as enum ('sad', 'glad');
        create table app.item (id int primary key, code char(5), price numeric(10, 2), ratio float8, at timestamptz,
            mood app.mood, raw bytea, tags text[], note text, twice int generated always as (id * 2) stored);
        insert into app.item (id, code, price, ratio, at, mood, raw, tags, note)
            select i, 'c' || i, i / 3.0, i / 7.0, timestamptz '2026-01-01 00:00Z' + i * interval '1 h', 'glad',
                decode(md5(i::text), 'hex'), array['a', null, 'b,"c'], case i % 3 when 0 then null when 1 then '' else E'\\\\.\\n' end
            from generate_series(1, 500) i;
        create table app.serial (id serial primary key, word text);
        insert into app.serial (word) values ('x'), ('x'), ('y');
        create table app.part (id int) partition by range (id);
        create table app.part_1 partition of app.part for values from (0) to (100);
        insert into app.part values (1), (2), (2);
        create table app.none (); insert into app.none select from generate_series(1, 3);
        """

    /// A set of the source, and the same rows in the target.
    private func withSet(
        _ storage: StorageUnderTest = .local,
        _ body: (RunFixture, Configuration, RunEnvironment) async throws -> Void
    ) async throws {
        try await storage.withStorage { _, folder in
            try await RunFixture.with { fixture in
                try await fixture.onBoth(schema)
                let configuration = try fixture.configuration(
                    "{root_location: '\(folder)', location: '{table}', compression: gzip, tables: ['app.*']}"
                )
                let environment = RunEnvironment(
                    variables: storage == .s3 ? try await S3Server.shared.environment : [:]
                )
                let report = try await BackupRun(configuration, environment: environment).run()
                #expect(report.failed.isEmpty && report.set != nil)
                try await body(fixture, configuration, environment)
            }
        }
    }

    @Test(
        "A target with the rows of the set is equal, whatever its order and the settings of its database",
        arguments: StorageUnderTest.allCases
    )
    func equal(_ storage: StorageUnderTest) async throws {
        try await withSet(storage) { fixture, configuration, environment in
            let target = fixture.target.keywords["dbname"] ?? ""
            try await fixture.execute(
                fixture.target,
                """
                alter database "\(target)" set datestyle = 'German'; alter database "\(target)" set bytea_output = 'escape';
                alter database "\(target)" set timezone = 'Asia/Tokyo'; alter database "\(target)" set search_path = app;
                alter database "\(target)" set default_transaction_read_only = on;
                cluster app.item using item_pkey; update app.item set id = id;
                """
            )
            let report = try await SetComparison(configuration, environment: environment).run()
            #expect(report.isEqual, "\(report.tables.map(\.differences))")
            #expect(report.tables.map(\.name) == ["app.item", "app.none", "app.part", "app.serial"])
            #expect(
                report.tables.map(\.sourceRows) == [500, 3, 3, 3] && report.tables.map(\.targetRows) == [500, 3, 3, 3]
            )
            #expect(report.set != nil && report.notes.isEmpty)
        }
    }

    @Test("Rows, columns, sequences and tables that differ are found, with the keys of the rows")
    func differences() async throws {
        try await withSet { fixture, configuration, _ in
            try await fixture.execute(
                fixture.target,
                """
                update app.item set note = coalesce(note, '') where id = 3; delete from app.item where id = 17;
                insert into app.item (id) values (9999); alter table app.item alter price type numeric(12, 2), add extra int;
                select setval('app.serial_id_seq', 90); insert into app.part values (2); drop table app.none;
                create table app.mine (id int); insert into app.mine values (1);
                """
            )
            var report = try await SetComparison(configuration).run()
            var tables = Dictionary(uniqueKeysWithValues: report.tables.map { ($0.name, $0) })
            let item = try #require(tables["app.item"])
            #expect(
                item.differences == [
                    "the column extra is only in the target",
                    "the column price is numeric(10,2) in the set and numeric(12,2) in the target",
                    "rows have other values",
                ]
            )
            #expect(
                Set(item.keys) == [
                    DifferingKey(key: "(3)", difference: .different),
                    DifferingKey(key: "(17)", difference: .onlyInSource),
                    DifferingKey(key: "(9999)", difference: .onlyInTarget),
                ]
            )
            #expect(
                tables["app.serial"]?.differences == [
                    "the sequence app.serial_id_seq is at 3 in the set and at 90 in the target"
                ]
            )
            #expect(tables["app.part"]?.differences == ["the set has 3 rows, the target 4"])
            #expect(tables["app.none"]?.differences == ["it is only in the set"])
            #expect(
                tables["app.mine"]?.differences == ["it is only in the target"] && tables["app.mine"]?.targetRows == 1
            )
            report = try await SetComparison(configuration, tables: ["app.s*", "app.part"], excluding: ["part"]).run()
            tables = Dictionary(uniqueKeysWithValues: report.tables.map { ($0.name, $0) })
            #expect(Array(tables.keys) == ["app.serial"])
            // Nothing was left behind, and nothing was changed.
            #expect(
                try await fixture.rows(fixture.target, "select count(*) from pg_class where relpersistence = 't'") == [
                    "0"
                ]
            )
        }
    }

    @Test("What keeps a file from being loaded is a difference of its table, and hides no other one")
    func unusableFiles() async throws {
        try await withSet { fixture, configuration, _ in
            try await fixture.execute(fixture.target, "alter table app.serial alter word type int using 1")
            var report = try await SetComparison(configuration).run()
            let serial = try #require(report.tables.first { $0.name == "app.serial" })
            #expect(serial.differences.count == 1)
            #expect(serial.differences.first?.contains("invalid input syntax for type integer") == true)
            #expect(report.tables.filter { $0.name != "app.serial" }.allSatisfy { $0.differences.isEmpty })
            let file = try #require(
                try fixture.files(below: configuration).first { $0.contains("app.part/") && $0.hasSuffix(".csv.gz") }
            )
            try FileManager.default.removeItem(atPath: file)
            report = try await SetComparison(configuration, tables: ["app.part", "app.item"]).run()
            #expect(report.tables.map(\.differences.isEmpty) == [true, false])
            #expect(report.tables.last?.differences.first?.hasPrefix("its rows cannot be compared: ") == true)
        }
    }

    @Test("A role without TEMPORARY is told so, and what a query exports is left out with a warning")
    func refusals() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.onBoth("create table a (id int); insert into a values (1); create table b (id int);")
            let yaml = fixture.yaml("{public.a: {}, public.b: {query: 'select 7 as id'}}")
            _ = try await fixture.backup(yaml)
            let configuration = try fixture.configuration(yaml)
            let report = try await SetComparison(configuration).run()
            #expect(report.tables.map(\.name) == ["public.a"] && report.isEqual)
            #expect(report.notes.map(\.description) == ["public.b: what a query exports is not compared"])
            let target = fixture.target.keywords["dbname"] ?? ""
            try await fixture.execute(
                fixture.target,
                "grant select on all tables in schema public to \(role); revoke temporary on database \"\(target)\" from public"
            )
            var other = configuration
            other.restore.run.connection?.keywords["user"] = role
            let error = await #expect(throws: DatabudgieError.self) { try await SetComparison(other).run() }
            #expect(error?.message.contains("the role lacks TEMPORARY on the database \(target)") == true)
        }
    }
}

extension RunFixture {
    /// All files of a configuration on this machine.
    fileprivate func files(below configuration: Configuration) throws -> [String] {
        let folder = try #require(configuration.catalog(for: .backup)?.parent).description
        return try FileManager.default.subpathsOfDirectory(atPath: folder).map { folder + "/" + $0 }
    }
}
