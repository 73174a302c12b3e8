import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Restores")
struct RestoreRunTests {
    private let schema = """
        create table product (id int primary key, name text not null);
        create table sale (id int primary key, product_id int references product);
        """

    @Test("Truncated tables that refer to one another are replaced together")
    func replace() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                schema + "insert into product values (9, 'old'); insert into sale values (9, 9);"
            )
            try fixture.write("name,id\nnew,1\n", to: "public.product/2024-01-01T00:00:00.csv")
            try fixture.write("id,product_id\n5,1\n", to: "public.sale/2024-01-01T00:00:00.csv")
            let report = try await fixture.restore(fixture.yaml("['public.*']"))
            #expect(report.failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, "select * from product") == ["1|new"])
            #expect(try await fixture.rows(fixture.target, "select * from sale") == ["5|1"])
        }
    }

    @Test("A bad value is reported with file, line and column, and the tables stay as they were")
    func badValue() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                schema + "insert into product values (9, 'old'); insert into sale values (9, 9);"
            )
            try fixture.write("id,name\n1,new\n", to: "public.product/2024-01-01T00:00:00.csv")
            try fixture.write("id,product_id\n5,1\nsix,1\n", to: "public.sale/2024-01-01T00:00:00.csv")
            let report = try await fixture.restore(fixture.yaml("['public.*']"))
            #expect(report.finished.isEmpty)
            let message = try #require(report.failed.first?.message)
            #expect(message.contains("line 3, column id"))
            #expect(!message.contains("six"))
            #expect(message.contains("public.sale/2024-01-01T00:00:00.csv"))
            #expect(report.failed.map(\.job.description) == ["public.sale", "public.product"])
            #expect(try await fixture.rows(fixture.target, "select * from product") == ["9|old"])
            #expect(try await fixture.rows(fixture.target, "select * from sale") == ["9|9"])
        }
    }

    @Test("Everything that is wrong is reported at once, and nothing is changed")
    func preflight() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                schema + """
                    create table other (id int references product, must int not null, has_default int not null default 1);
                    create table damaged (id int); create table empty (id int);
                    insert into product values (9, 'old'); insert into sale values (1, 9);
                    """
            )
            try fixture.write("id,nmae,name\n1,x,y\n", to: "public.product/2024-01-01T00:00:00.csv")
            try fixture.write("id\n1\n", to: "public.other/2024-01-01T00:00:00.csv")
            try fixture.write("", to: "public.empty/2024-01-01T00:00:00.csv")
            try fixture.write(Data([0x1F, 0x8B, 8, 0, 0]), to: "public.damaged/2024-01-01T00:00:00.csv.gz")
            let lines = await fixture.preflightLines(fixture.yaml("[product, other, empty, damaged]"))
            #expect(lines.contains { $0.contains("column \"nmae\"") && $0.contains("public.product") })
            #expect(lines.contains { $0.contains("no column \"must\"") })
            #expect(!lines.contains { $0.contains("has_default") })
            #expect(lines.contains { $0.hasPrefix("public.") && $0.contains("the file is empty") })
            #expect(lines.contains { $0.contains("damaged/2024-01-01T00:00:00.csv.gz") })
            #expect(lines.contains { $0.contains("public.sale refers to it") })
            #expect(try await fixture.rows(fixture.target, "select * from product") == ["9|old"])
        }
    }

    @Test("A table asked for by name must have a file; one found by a glob is skipped without")
    func missingFiles() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, schema)
            try fixture.write("id,name\n1,new\n", to: "public.product/2024-01-01T00:00:00.csv")
            let report = try await fixture.restore(fixture.yaml("['public.*']", truncate: false))
            #expect(report.finished.map(\.job.description) == ["public.product"])
            #expect(report.skipped.map(\.job.description) == ["public.sale"])
            let lines = await fixture.preflightLines(fixture.yaml("[product, sale]"))
            #expect(lines.first?.contains("public.sale: there is no data file") == true)
        }
    }

    @Test("Warnings that were found before the storage fails are reported before it")
    func warningsBeforeFailure() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (id int)")
            let events = EventLog()
            let folder = String(repeating: "x", count: 300)
            let yaml = """
                {root_location: \(fixture.folder), location: '\(folder)/{table}', strategy: use_latest_filename,
                    tables: [t, tt]}
                """
            let error = await #expect(throws: DatabudgieError.self) { try await fixture.restore(yaml, events: events) }
            #expect(error?.code == .storage)
            #expect(error?.effect == .nothingChanged)
            #expect(events.warnings.count == 1)
            #expect(events.warnings.first?.contains("'tt' matches no table of the target database") == true)
        }
    }

    @Test("The newest file is chosen by name or by modification time, and only whole names count")
    func strategies() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (id int)")
            try fixture.write("id\n2\n", to: "public.t/2024-02-01T00:00:00.csv")
            try fixture.write("id\n3\n", to: "public.t/2024-03-01T00:00:00.csv.bak")
            try fixture.write("id\n4\n", to: "public.t/.2024-04-01T00:00:00.csv.partial")
            try fixture.write("id\n1\n", to: "public.t/2024-01-01T00:00:00.csv")
            let old = fixture.folder + "/public.t/2024-02-01T00:00:00.csv"
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 0)],
                ofItemAtPath: old
            )
            for (strategy, expected) in [("use_latest_filename", "2"), ("use_latest_metadata", "1")] {
                _ = try await fixture.restore(
                    """
                    root_location: \(fixture.folder)
                    location: "{table}"
                    tables: [{name: t, strategy: \(strategy), truncate: true}]
                    """
                )
                #expect(try await fixture.rows(fixture.target, "select id from t") == [expected])
            }
        }
    }

    @Test("The newest file may be a symbolic link, and no older one is taken for it when it leads nowhere")
    func links() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (id int); insert into t values (9)")
            try fixture.write("id\n1\n", to: "public.t/2024-01-01T00:00:00.csv")
            try fixture.write("id\n2\n", to: "elsewhere.csv")
            let link = fixture.folder + "/public.t/2024-02-01T00:00:00.csv"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "../nowhere.csv")
            let lines = await fixture.preflightLines(fixture.yaml("[t]"))
            #expect(lines.first?.hasPrefix("public.t: \(link) cannot be read") == true, "\(lines)")
            try FileManager.default.removeItem(atPath: link)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "../elsewhere.csv")
            #expect(try await fixture.restore(fixture.yaml("[t]")).failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, "select * from t") == ["2"])
        }
    }

    @Test("A damaged or truncated compressed file rolls back its table", arguments: [40, -1])
    func damaged(_ position: Int) async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table t (id int, x text)")
            try await fixture.execute(
                fixture.source,
                "insert into t select i, md5(i::text) from generate_series(1, 20000) i"
            )
            try await fixture.execute(fixture.target, "insert into t values (0, 'old')")
            let yaml = """
                {root_location: \(fixture.folder), compression: gzip, filename: data.csv.gz, truncate: true, tables: [t]}
                """
            _ = try await fixture.backup(yaml)
            let path = "backups/public.t/data.csv.gz"
            var data = try Data(contentsOf: URL(fileURLWithPath: fixture.folder + "/" + path))
            if position < 0 { data.removeLast(100) } else { data[data.count / 2] ^= 0x10 }
            try fixture.write(data, to: path)
            try FileManager.default.removeItem(atPath: fixture.folder + "/backups/catalog")
            // A file without its end is found out before the load, and damage inside it during the load.
            let failures: [String]
            do {
                failures = try await fixture.restore(yaml).failed.map(\.message)
            } catch let error as DatabudgieError {
                failures = error.problems.map(\.description)
            }
            #expect(failures.count == 1)
            #expect(failures.first?.contains("public.t/data.csv.gz") == true)
            #expect(try await fixture.rows(fixture.target, "select * from t") == ["0|old"])
        }
    }

    @Test("Older backups of leaves are taken where the root has no file")
    func leaves() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table event (id int) partition by range (id);
                create table event_a partition of event for values from (0) to (10);
                create table event_b partition of event for values from (10) to (20);
                """
            )
            try fixture.write("id\n1\n", to: "public.event_a/2024-01-01T00:00:00.csv")
            try fixture.write("id\n11\n", to: "public.event_b/2024-01-01T00:00:00.csv")
            #expect(try await fixture.restore(fixture.yaml("['public.*']")).finished.count == 2)
            #expect(try await fixture.rows(fixture.target, "select id from event order by 1") == ["1", "11"])
            try fixture.write("id\n2\n12\n", to: "public.event/2024-01-01T00:00:00.csv")
            #expect(try await fixture.restore(fixture.yaml("['public.*']")).finished.count == 1)
            #expect(try await fixture.rows(fixture.target, "select id from event order by 1") == ["2", "12"])
        }
    }

    @Test(
        "Files of other tools are read: a byte order mark, carriage returns, columns in another order"
    )
    func foreignFiles() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (id int, \"a,b\" text, c int default 7)")
            try fixture.write("\u{FEFF}\"a,b\",id\r\n\"x\r\ny\",1\r\n,2\r\n", to: "public.t/2024-01-01T00:00:00.csv")
            let report = try await fixture.restore(fixture.yaml("[t]"))
            #expect(report.failed.map(\.message) == [])
            #expect(report.finished.map(\.totals.rows) == [2])
            #expect(
                try await fixture.rows(fixture.target, "select * from t order by id") == ["1|x\r\ny|7", "2|NULL|7"]
            )
        }
    }

    @Test("A line that would end the data early is an error, not a short table")
    func endMarker() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (x text); insert into t values ('old')")
            try fixture.write("x\na\n\\.\nb\n", to: "public.t/2024-01-01T00:00:00.csv")
            let report = try await fixture.restore(fixture.yaml("[t]"))
            #expect(report.failed.first?.message.contains("record 3 is only \\., which servers before") == true)
            #expect(try await fixture.rows(fixture.target, "select * from t") == ["old"])
        }
    }

    @Test("Triggers that drop rows are not an error")
    func triggers() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table t (id int);
                create function keep_odd() returns trigger language plpgsql as
                    'begin if new.id % 2 = 0 then return null; end if; return new; end';
                create trigger odd before insert on t for each row execute function keep_odd();
                """
            )
            try fixture.write("id\n1\n2\n3\n", to: "public.t/2024-01-01T00:00:00.csv")
            let log = EventLog()
            let report = try await fixture.restore(fixture.yaml("[{name: t, triggers: fire}]"), events: log)
            #expect(report.failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, "select count(*) from t") == ["2"])
            #expect(log.notes.contains { $0.contains("triggers odd") })
            #expect(log.warnings.contains { $0.contains("has 3 rows, and the server kept 2") })
        }
    }

    @Test("A foreign key that the data breaks rolls its group back")
    func brokenReference() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, schema)
            try fixture.write("id,name\n1,new\n", to: "public.product/2024-01-01T00:00:00.csv")
            try fixture.write("id,product_id\n5,2\n", to: "public.sale/2024-01-01T00:00:00.csv")
            let report = try await fixture.restore(fixture.yaml("['public.*']", truncate: false))
            #expect(report.finished.map(\.job.description) == ["public.product"])
            #expect(report.failed.first?.message.contains("sale_product_id_fkey") == true)
            #expect(try await fixture.rows(fixture.target, "select * from sale") == [])
        }
    }

    @Test("A dry run checks everything and writes nothing")
    func dryRun() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                schema + "insert into product values (9, 'old'); insert into sale values (1, 9);"
            )
            try fixture.write("id,name\n1,new\n", to: "public.product/2024-01-01T00:00:00.csv")
            let report = try await fixture.restore(fixture.yaml("[product]", truncate: false), isDryRun: true)
            #expect(report.isDryRun)
            #expect(try await fixture.rows(fixture.target, "select * from product") == ["9|old"])
            let lines = await fixture.preflightLines(fixture.yaml("[product]"))
            #expect(lines.contains { $0.contains("sale refers to it") })
        }
    }

    @Test("A role without INSERT or TRUNCATE, or under row-level security, is reported before anything happens")
    func privileges() async throws {
        try await PostgresServer.withRole { role in
            try await RunFixture.with { fixture in
                try await fixture.execute(
                    fixture.target,
                    """
                    create table t (id int); grant select on t to \(role);
                    create table u (id int); alter table u enable row level security;
                    grant select, insert, truncate on u to \(role);
                    """
                )
                try fixture.write("id\n1\n", to: "public.t/2024-01-01T00:00:00.csv")
                try fixture.write("id\n1\n", to: "public.u/2024-01-01T00:00:00.csv")
                let lines = await fixture.connected(as: role).preflightLines(fixture.yaml("[t, u]"))
                #expect(lines.contains { $0.contains("public.t: the role lacks INSERT on the table") })
                #expect(lines.contains { $0.contains("public.t: the role lacks TRUNCATE on the table") })
                #expect(lines.contains { $0.contains("public.u: row-level security") })
            }
        }
    }

    @Test("An inheritance parent is not truncated under children that keep their rows")
    func inheritance() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                "create table city (name text); create table capital () inherits (city); insert into capital values ('x')"
            )
            try fixture.write("name\nUlm\n", to: "public.city/2024-01-01T00:00:00.csv")
            let lines = await fixture.preflightLines(fixture.yaml("[city]"))
            #expect(lines.contains { $0.contains("its child public.capital has rows") })
        }
    }

    @Test("Cancelling rolls back what is running")
    func cancellation() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table t (id int); insert into t values (0);
                create function slow() returns trigger language plpgsql as
                    'begin perform pg_sleep(0.05); return new; end';
                create trigger slow before insert on t for each row execute function slow();
                """
            )
            let rows = (1...5_000).map { "\($0)\n" }.joined()
            try fixture.write("id\n" + rows, to: "public.t/2024-01-01T00:00:00.csv")
            let run = Task { try await fixture.restore(fixture.yaml("[{name: t, triggers: fire}]")) }
            try await poll("the load runs") {
                try await fixture.rows(
                    fixture.source,
                    "select 1 from pg_stat_activity where query ~ '(^|; )copy ' and state = 'active'"
                        + " and datname = '\(fixture.target.keywords["dbname"] ?? "")'"
                ).isEmpty == false
            }
            run.cancel()
            await #expect(throws: CancellationError.self) { try await run.value }
            #expect(try await fixture.rows(fixture.target, "select * from t") == ["0"])
        }
    }
}
