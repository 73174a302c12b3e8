import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Runs that follow foreign keys")
struct FollowRunTests {
    private let schema = """
        create table leaf (id int primary key);
        create table mid (id int primary key, leaf int references leaf, mid int references mid);
        create table top (id int primary key, mid int references mid);
        """
    private let rows = """
        insert into leaf values (1), (2); insert into mid values (1, 1, 1), (2, 2, 1); insert into top values (1, 2);
        """

    private func yaml(_ fixture: RunFixture, _ tables: String, _ more: String = "") -> String {
        """
        {root_location: \(fixture.folder), location: '{table}', filename: '{table}.{ext}', truncate: true, \(more)
        follow_foreign_keys: true, tables: \(tables)}
        """
    }

    @Test("Files are below the table that was named, and come back in the order of the references")
    func roundTrip() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(schema)
            try await fixture.execute(fixture.source, rows)
            try await fixture.execute(fixture.target, "insert into leaf values (9); insert into mid values (9, 9)")
            let yaml = yaml(fixture, "[top]")
            #expect(try await fixture.backup(yaml).failed.isEmpty)
            let files = [
                "public.top/public.leaf/public.leaf.csv", "public.top/public.mid/public.mid.csv",
                "public.top/public.top.csv",
            ]
            #expect(try fixture.files() == files)
            let report = try await fixture.restore(yaml)
            #expect(report.failed.map(\.message) == [])
            #expect(report.finished.map(\.job.description) == ["public.leaf", "public.mid", "public.top"])
            for table in ["leaf", "mid", "top"] {
                let query = "select * from \(table) order by id"
                #expect(try await fixture.rows(fixture.target, query) == fixture.rows(fixture.source, query))
            }
        }
    }

    @Test("A table that is named has no copy below another one")
    func named() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(schema)
            try await fixture.execute(fixture.source, rows)
            let yaml = yaml(fixture, "[top, {name: mid, location: own}]")
            _ = try await fixture.backup(yaml)
            #expect(
                try fixture.files() == [
                    "own/public.leaf/public.leaf.csv", "own/public.mid.csv", "public.top/public.top.csv",
                ]
            )
            #expect(try await fixture.restore(yaml).finished.count == 3)
            #expect(try await fixture.rows(fixture.target, "select count(*) from mid") == ["2"])
        }
    }

    @Test(
        "A file below another of the tables that refer to it is found, because databudgie 2.9.3 may have chosen that one"
    )
    func otherPlace() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table leaf (id int primary key);
                create table a (id int references leaf); create table b (id int references leaf);
                """
            )
            try fixture.write("id\n1\n", to: "public.a/public.a.csv")
            try fixture.write("id\n1\n", to: "public.b/public.b.csv")
            try fixture.write("id\n1\n", to: "public.b/public.leaf/public.leaf.csv")
            let report = try await fixture.restore(yaml(fixture, "[a, b]"))
            #expect(report.finished.count == 3)
            #expect(try await fixture.rows(fixture.target, "select * from leaf") == ["1"])
        }
    }

    @Test("A query with {table} is that of the others too; one about its own table is not")
    func queries() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema + rows)
            let filtered = yaml(fixture, "[{name: mid, query: 'select * from {table} where id = 1'}]")
            _ = try await fixture.backup(filtered)
            #expect(try fixture.text("public.mid/public.leaf/public.leaf.csv") == "id\n1\n")
            let own = yaml(fixture, "[{name: mid, query: 'select id from mid'}]")
            _ = try await fixture.backup(own)
            #expect(try fixture.text("public.mid/public.leaf/public.leaf.csv") == "id\n1\n2\n")
        }
    }

    @Test("Tables that refer to one another end the search, and land together")
    func cycles() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table a (id int primary key, b int); create table b (id int primary key, a int references a);
                alter table a add foreign key (b) references b; create table c (id int references a);
                """
            )
            try await fixture.execute(
                fixture.source,
                "insert into a values (1); insert into b values (1, 1); update a set b = 1; insert into c values (1)"
            )
            let yaml = yaml(fixture, "[c]")
            #expect(try await fixture.backup(yaml).finished.count == 3)
            #expect(try await fixture.restore(yaml).finished.count == 3)
            #expect(try await fixture.rows(fixture.target, "select * from a") == ["1|1"])
        }
    }

    @Test("Definitions of included tables are restored into an empty database, with their rows")
    func definitions() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema + rows)
            try await fixture.execute(
                fixture.source,
                "create schema \"S p\"; create table \"S p\".\"T\" (id int primary key); insert into \"S p\".\"T\" values (1); "
                    + "alter table leaf add t int references \"S p\".\"T\"; update leaf set t = 1"
            )
            let yaml = yaml(fixture, "[top]", "ddl: {enabled: true, location: ddl},")
            #expect(try await fixture.backup(yaml).failed.isEmpty)
            let report = try await fixture.restore(yaml)
            #expect(report.failed.map(\.message) == [])
            #expect(report.finished.count == 4)
            for table in ["leaf", "mid", "top", "\"S p\".\"T\""] {
                let query = "select * from \(table) order by id"
                #expect(try await fixture.rows(fixture.target, query) == fixture.rows(fixture.source, query))
            }
            let keys = "select count(*) from pg_constraint where contype = 'f'"
            #expect(try await fixture.rows(fixture.target, keys) == ["4"])
        }
    }

    @Test("A table that is included is restored with its rows, and once, when a view requires its definition too")
    func requiredByView() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                schema + rows + "create view leaves as select id from leaf; create view more as select id from leaf"
            )
            let yaml = yaml(
                fixture,
                "[{name: leaves, follow_foreign_keys: false}, top, {name: 'public.mo*', follow_foreign_keys: false}]",
                "ddl: {enabled: true, location: ddl},"
            )
            #expect(try await fixture.backup(yaml).failed.isEmpty)
            let log = EventLog()
            for _ in 1...2 {
                let report = try await fixture.restore(yaml, events: log)
                #expect(report.failed.map(\.message) == [])
                #expect(report.finished.count == 3)
                let query = "select id from leaves order by id"
                #expect(try await fixture.rows(fixture.target, query) == fixture.rows(fixture.source, query))
            }
            #expect(!log.warnings.contains { $0.contains("matches no table") })
        }
    }

    @Test("A backup and a restore that are resumed by their ids know the included tables")
    func manifest() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(schema + ManifestTable("m").definition)
            try await fixture.execute(fixture.source, rows)
            var configuration = try fixture.configuration(yaml(fixture, "[top]", "manifest: m,"))
            _ = try await BackupRun(configuration).run()
            configuration.backup.run.resumeID = 1
            #expect(try await BackupRun(configuration).run().skipped.count == 3)
            _ = try await RestoreRun(configuration).run()
            configuration.restore.run.resumeID = 1
            #expect(try await RestoreRun(configuration).run().skipped.count == 3)
            let path = fixture.folder + "/public.top/public.leaf/public.leaf.csv"
            for database in [fixture.source, fixture.target] {
                let query = "select file_path from m where \"table\" = 'public.leaf'"
                #expect(try await fixture.rows(database, query) == [path])
            }
        }
    }
}
