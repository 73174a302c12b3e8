import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Restores under other names")
struct RenameRunTests {
    /// Tables that refer to one another, a partitioned one, and sequences.
    private static func schema(_ schema: String) -> String {
        """
        create schema if not exists "\(schema)"; set search_path = "\(schema)";
        create table product (id serial primary key, name text);
        create table sale (id int generated always as identity primary key, product int references product);
        create table event (day int, id int) partition by list (day);
        create table event_1 partition of event for values in (1);
        create table event_2 partition of event for values in (2);
        reset search_path;
        """
    }

    private static let rows = """
        insert into product (name) select 'new' from generate_series(1, 20);
        insert into sale (product) select id from product;
        insert into event values (1, 10), (2, 20), (2, 21);
        """

    private func yaml(_ fixture: RunFixture, _ more: String) -> String {
        "{root_location: \(fixture.folder), location: '{table}', truncate: true, \(more)}"
    }

    /// A backup of `public`, and a target with the same tables in `public`, which have rows, and in `staging`.
    private func withBackup(_ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema("public") + Self.rows)
            try await fixture.execute(
                fixture.target,
                Self.schema("public") + Self.schema("staging") + Self.rows
                    + "delete from sale; update product set name = 'old'; select setval('product_id_seq', 700);"
            )
            try #require(try await fixture.backup(yaml(fixture, "tables: ['public.*']")).failed.isEmpty)
            try await body(fixture)
        }
    }

    private func counts(_ fixture: RunFixture, _ schema: String) async throws -> [String] {
        try await fixture.rows(
            fixture.target,
            """
            select (select count(*) from \(schema).product), (select count(*) from \(schema).sale),
                (select count(*) from \(schema).event)
            """
        )
    }

    @Test(
        "A schema is restored as another one, from a set or the newest files, and the one of its name stays",
        arguments: [
            true, false,
        ]
    )
    func schemas(hasSet: Bool) async throws {
        try await withBackup { fixture in
            if !hasSet { try fixture.forgetSets() }
            let log = EventLog()
            let report = try await fixture.restore(
                yaml(fixture, "rename: {schema: {public: staging}}, tables: ['public.*']"),
                events: log
            )
            #expect(report.failed.map(\.message) == [])
            #expect(log.warnings == [])
            #expect(report.skipped.isEmpty)
            #expect(report.finished.map(\.job.name).sorted() == ["staging.event", "staging.product", "staging.sale"])
            #expect(Set(report.finished.map(\.storedName)) == ["public.event", "public.product", "public.sale"])
            #expect(try await counts(fixture, "staging") == ["20|20|3"])
            #expect(try await counts(fixture, "public") == ["20|0|3"])
            let sequences =
                "select last_value from staging.product_id_seq union all select last_value from staging.sale_id_seq"
            #expect(try await fixture.rows(fixture.target, sequences) == ["20", "20"])
            #expect(try await fixture.rows(fixture.target, "select last_value from product_id_seq") == ["700"])
            #expect(try await fixture.rows(fixture.target, "select distinct name from product") == ["old"])
        }
    }

    @Test("A table goes where its own rule says, the others where their schema's does, all in the order of the target")
    func tables() async throws {
        try await withBackup { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create schema archive; create table archive.sale_2026 (id int, product int);
                create table archive.part_1 (day int, id int); create table archive.part_2 (day int, id int);
                -- Here the names are the other way around.
                create table archive.product (id serial primary key, name text);
                alter table archive.sale_2026 add primary key (id);
                alter table archive.product add foreign key (id) references archive.sale_2026;
                """
            )
            try fixture.forgetSets()
            let rename = """
                rename: {schema: {public: archive},
                    table: {public.sale: archive.sale_2026, 'public.event_*': 'archive.part_*'}}
                """
            let partitions = try await fixture.backup(yaml(fixture, "tables: [public.event_1, public.event_2]"))
            try #require(partitions.failed.isEmpty)
            try fixture.forgetSets()
            let log = EventLog()
            let report = try await fixture.restore(yaml(fixture, "\(rename), tables: ['public.*']"), events: log)
            #expect(report.failed.map(\.message) == [])
            let loaded = report.finished.map { "\($0.storedName ?? "") \($0.job.name)" }
            #expect(
                loaded.sorted() == [
                    "public.event_1 archive.part_1", "public.event_2 archive.part_2", "public.product archive.product",
                    "public.sale archive.sale_2026",
                ]
            )
            let names = report.finished.map(\.job.name)
            #expect(
                try #require(names.firstIndex(of: "archive.sale_2026"))
                    < #require(names.firstIndex(of: "archive.product"))
            )
            #expect(
                log.notes.contains { $0.hasPrefix("archive.sale_2026: ") && $0.contains(", where it is public.sale") }
            )
            #expect(try await fixture.rows(fixture.target, "select count(*) from archive.part_2") == ["2"])
            #expect(try await fixture.rows(fixture.target, "select last_value from archive.product_id_seq") == ["20"])
        }
    }

    @Test("Two tables that would be restored into one are a problem that names both, and nothing is touched")
    func collision() async throws {
        try await withBackup { fixture in
            try await fixture.execute(
                fixture.source,
                "create schema staging; create table staging.product (id int, name text); insert into staging.product values (1, 'x')"
            )
            let tables = "tables: ['*.product']"
            try #require(try await fixture.backup(yaml(fixture, tables)).failed.isEmpty)
            let lines = await fixture.preflightLines(
                yaml(fixture, "rename: {schema: {public: staging}}, strict: true, " + tables)
            )
            #expect(lines.count == 1)
            #expect(
                lines.first?.hasPrefix(
                    "staging.product: both public.product and staging.product would be restored into it, by "
                )
                    == true
            )
            #expect(try await counts(fixture, "staging") == ["0|0|0"])
        }
    }

    @Test("A glob finds a table of the target by one name, when the backup has only that one")
    func otherNames() async throws {
        try await withBackup { fixture in
            for forgets in [false, true] {
                if forgets { try fixture.forgetSets() }
                let report = try await fixture.restore(
                    yaml(fixture, "rename: {schema: {public: staging}}, tables: ['*.sale', '*.product']")
                )
                #expect(report.failed.map(\.message) == [])
                #expect(report.skipped.map(\.reason) == [])
                #expect(report.finished.count == 2)
            }
        }
    }

    @Test("Names can be exchanged, and one table can be restored into several")
    func exchange() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table a (id serial); create table b (id serial); create table c (id int)")
            try await fixture.execute(
                fixture.source,
                "insert into a select from generate_series(1, 3); insert into b select from generate_series(1, 5)"
            )
            try #require(try await fixture.backup(yaml(fixture, "tables: [a, b]")).failed.isEmpty)
            let rename = "rename: {table: {a: b, b: a}}"
            let report = try await fixture.restore(
                yaml(
                    fixture,
                    "\(rename), restore: {tables: [a, b, {name: a, rename: {table: {a: c}}, sequences: false}]}"
                )
            )
            #expect(report.failed.map(\.message) == [])
            let counts = "select (select count(*) from a), (select count(*) from b), (select count(*) from c)"
            #expect(try await fixture.rows(fixture.target, counts) == ["5|3|3"])
            #expect(
                try await fixture.rows(
                    fixture.target,
                    "select (select last_value from a_id_seq), (select last_value from b_id_seq)"
                )
                    == ["5|3"]
            )
        }
    }

    @Test("A table whose new name does not exist is named with both, and the manifest is refused under any name")
    func missing() async throws {
        try await withBackup { fixture in
            let error = await #expect(throws: DatabudgieError.self) {
                try await fixture.restore(yaml(fixture, "rename: {schema: {public: nowhere}}, tables: [public.sale]"))
            }
            #expect(error?.code == .nothingToDo)
            #expect(error?.effect == .nothingChanged)
            #expect(
                error?.problems.contains {
                    $0.message.hasSuffix(
                        "'public.sale' is to be restored as 'nowhere.sale', which is no table of the target database"
                    )
                } == true
            )
            let manifest = "manifest: public.log, rename: {table: {public.sale: public.log}}, tables: [public.sale]"
            _ = try await ManifestCreation(fixture.configuration(yaml(fixture, manifest)), for: .restore).run()
            let refused = await #expect(throws: DatabudgieError.self) {
                try await fixture.restore(yaml(fixture, manifest))
            }
            #expect(refused?.message.hasPrefix("public.log is the manifest of this restore") == true)
        }
    }

    @Test("The manifest records the new name, by which a resumed run knows what is done")
    func manifest() async throws {
        try await withBackup { fixture in
            var configuration = try fixture.configuration(
                yaml(
                    fixture,
                    "manifest: public.log, rename: {schema: {public: staging}}, tables: [public.product, public.sale]"
                )
            )
            _ = try await ManifestCreation(configuration, for: .restore).run()
            #expect(try await RestoreRun(configuration).run().failed.isEmpty)
            let recorded = "select \"table\", file_path like '%/public.%' from log order by 1"
            #expect(try await fixture.rows(fixture.target, recorded) == ["staging.product|t", "staging.sale|t"])
            let id = try await fixture.rows(fixture.target, "select distinct transaction from log").first
            configuration.restore.run.resumeID = id.flatMap(Int.init)
            #expect(try await RestoreRun(configuration).run().skipped.count == 2)
        }
    }

    @Test("Definitions are not renamed: 'ddl' is refused for such an entry, and not for the others")
    func definitions() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                "create table a (id int); insert into a values (1); create table b (id int)"
            )
            try #require(try await fixture.backup(fixture.ddlYAML("[a, b]")).failed.isEmpty)
            let error = await #expect(throws: DatabudgieError.self) {
                try await fixture.restore(fixture.ddlYAML("[a, b]", "rename: {table: {a: c}}"))
            }
            #expect(error?.code == .configuration)
            #expect(
                error?.message.hasSuffix("'rename' and 'ddl' exclude each other, because definitions cannot be renamed")
                    == true
            )
            try await fixture.execute(fixture.target, "create table c (id int)")
            let report = try await fixture.restore(
                fixture.ddlYAML("[{name: a, ddl: false, rename: {table: {a: c}}}, b]")
            )
            #expect(report.failed.map(\.message) == [])
            #expect(report.definitions == ["public.b"])
            #expect(try await fixture.rows(fixture.target, "select * from c") == ["1"])
        }
    }

    @Test("Rows are merged with those of the table of the new name, all of them or none")
    func merges() async throws {
        try await withBackup { fixture in
            try await fixture.execute(
                fixture.target,
                "insert into staging.product values (1, 'old'), (500, 'old'); alter table staging.sale add check (id < 20)"
            )
            let merge = "truncate: false, mode: upsert, rename: {schema: {public: staging}}, transaction: all, tables: "
            let yaml = "{root_location: \(fixture.folder), location: '{table}', \(merge)[public.product, public.sale]}"
            let failed = try await fixture.restore(yaml)
            #expect(failed.failed.map(\.job.name) == ["staging.sale", "staging.product"])
            #expect(failed.effect == .rolledBack)
            let names = "select count(*), count(*) filter (where name = 'old') from staging.product"
            #expect(try await fixture.rows(fixture.target, names) == ["2|2"])
            try await fixture.execute(fixture.target, "alter table staging.sale drop constraint sale_id_check")
            #expect(try await fixture.restore(yaml).failed.map(\.message) == [])
            #expect(try await fixture.rows(fixture.target, names) == ["21|1"])
            #expect(try await fixture.rows(fixture.target, "select distinct name from public.product") == ["old"])
        }
    }

    @Test("Tables that are included by foreign keys are looked for under the names that become theirs")
    func followed() async throws {
        try await withBackup { fixture in
            let follow = "tables: [{name: public.sale, follow_foreign_keys: true}]"
            try #require(try await fixture.backup(yaml(fixture, follow)).failed.isEmpty)
            let report = try await fixture.restore(yaml(fixture, "rename: {schema: {public: staging}}, " + follow))
            #expect(report.failed.map(\.message) == [])
            #expect(report.finished.map(\.job.name) == ["staging.product", "staging.sale"])
            #expect(try await counts(fixture, "staging") == ["20|20|0"])
        }
    }

    @Test("A set of fewer tables than the backup's names ask for is skipped")
    func sets() async throws {
        try await withBackup { fixture in
            try #require(try await fixture.backup(yaml(fixture, "tables: [public.sale]")).failed.isEmpty)
            let log = EventLog()
            let report = try await fixture.restore(
                yaml(fixture, "rename: {schema: {public: staging}}, tables: [public.product, public.sale]"),
                events: log
            )
            #expect(report.failed.map(\.message) == [])
            #expect(log.warnings.contains { $0.contains(" lacks public.product; restoring from the set ") })
            #expect(try await counts(fixture, "staging") == ["20|20|0"])
        }
    }

    @Test("Names with dots, quotes and other marks are told apart")
    func oddNames() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create schema "a.b"; create table "a.b"."it's" (id int); insert into "a.b"."it's" values (1);
                create table "e\u{301}" (id int); insert into "e\u{301}" values (2);
                create table "\u{E9}" (id int); insert into "\u{E9}" values (3);
                """
            )
            try await fixture.execute(
                fixture.target,
                """
                create schema "c""d.e"; create table "c""d.e"."it's" (id int); create table one (id int);
                create table two (id int);
                """
            )
            let rename = "rename: {schema: {a.b: 'c\"d.e'}, table: {'e\u{301}': one, '\u{E9}': two}}"
            try #require(try await fixture.backup(yaml(fixture, "tables: ['*.*']")).failed.isEmpty)
            let report = try await fixture.restore(yaml(fixture, "\(rename), tables: ['*.*']"))
            #expect(report.failed.map(\.message) == [])
            #expect(report.finished.count == 3)
            let rows = #"select (select id from "c""d.e"."it's"), (select id from one), (select id from two)"#
            #expect(try await fixture.rows(fixture.target, rows) == ["1|2|3"])
        }
    }
}
