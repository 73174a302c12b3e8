import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Merged rows and what is around them")
struct MergedGroupTests {
    @Test(
        "Tables that refer to one another are merged in the order of their keys, a cycle and a table's own rows together"
    )
    func references() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table product (id int primary key, v text); insert into product values (1, 'old');
                create table sale (id int primary key, product int not null references product);
                insert into sale values (1, 1);
                create table part (id int primary key, whole int references part, v text);
                insert into part values (1, null, 'old');
                create table a (id int primary key, b int); create table b (id int primary key, a int references a);
                alter table a add foreign key (b) references b; insert into b values (1, null); insert into a values (1, 1);
                """
            )
            try fixture.write("product", "id,v\n1,new\n2,new\n")
            try fixture.write("sale", "id,product\n1,2\n2,2\n")
            try fixture.write("part", "id,whole,v\n3,2,new\n1,3,new\n2,1,new\n")
            try fixture.write("a", "id,b\n2,2\n1,2\n")
            try fixture.write("b", "id,a\n2,2\n1,1\n")
            let report = try await fixture.restore(fixture.mergeYAML("[sale, product, part, a, b]"))
            #expect(report.failed.map(\.message) == [])
            #expect(
                Dictionary(uniqueKeysWithValues: report.finished.map { ($0.job.name, $0.merged) }) == [
                    "public.product": .upserted(2, inserted: 1, updated: 1),
                    "public.sale": .upserted(2, inserted: 1, updated: 1),
                    "public.part": .upserted(3, inserted: 2, updated: 1),
                    "public.a": .upserted(2, inserted: 1, updated: 1),
                    "public.b": .upserted(2, inserted: 1, updated: 1),
                ]
            )
            #expect(try await fixture.rows(fixture.target, "select * from sale order by 1") == ["1|2", "2|2"])
            #expect(
                try await fixture.rows(fixture.target, "select * from part order by 1") == [
                    "1|3|new", "2|1|new", "3|2|new",
                ]
            )
            #expect(try await fixture.rows(fixture.target, "select * from a natural full join b order by 1").count == 2)
            // The keys of the cycle are as they were.
            #expect(
                try await fixture.rows(fixture.target, "select count(*) from pg_constraint where condeferrable") == [
                    "0"
                ]
            )
        }
    }

    @Test("A table that fails keeps its rows, and what refers to it is not tried; the others are merged")
    func failure() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table product (id int primary key, code text unique); insert into product values (1, 'a'), (2, 'b');
                create table sale (id int primary key, product int references product); insert into sale values (1, 1);
                create table other (id int primary key, v text); insert into other values (1, 'old');
                """
            )
            try fixture.write("product", "id,code\n3,c\n2,a\n")
            try fixture.write("sale", "id,product\n1,2\n")
            try fixture.write("other", "id,v\n1,new\n")
            let report = try await fixture.restore(fixture.mergeYAML("[product, sale, other]"))
            #expect(report.failed.map(\.job.name) == ["public.product", "public.sale"])
            #expect(report.failed.first?.message.contains("product_code_key") == true)
            #expect(report.finished.map(\.merged) == [.upserted(1, inserted: 0, updated: 1)])
            #expect(try await fixture.rows(fixture.target, "select * from product order by 1") == ["1|a", "2|b"])
            #expect(try await fixture.rows(fixture.target, "select * from sale") == ["1|1"])
            let left = "select count(*) from pg_class where relname like 'databudgie_staging%'"
            #expect(try await fixture.rows(fixture.target, left) == ["0"])
        }
    }

    @Test("Triggers on UPDATE fire for rows that are updated and are named, and are off when they are to be")
    func triggers() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table audit (what text);
                create table t (id int primary key, v text); insert into t values (1, 'same'), (2, 'old');
                create function audit() returns trigger language plpgsql as
                    'begin insert into audit values (tg_op || new.id); return new; end';
                create trigger changed after update on t for each row execute function audit();
                create trigger added after insert on t for each row execute function audit();
                """
            )
            try fixture.write("t", "id,v\n1,same\n2,new\n3,new\n")
            let off = EventLog()
            #expect(
                try await fixture.merge("[t]", "triggers: off", events: off) == [.upserted(3, inserted: 1, updated: 1)]
            )
            #expect(off.warnings == [])
            #expect(try await fixture.rows(fixture.target, "select * from audit") == [])
            try fixture.write("t", "id,v\n1,same\n2,newer\n4,new\n")
            let log = EventLog()
            #expect(try await fixture.merge("[t]", events: log) == [.upserted(3, inserted: 1, updated: 1)])
            #expect(log.warnings.count == 1)
            #expect(
                log.warnings.first?.hasPrefix("public.t: its triggers added, changed fire for the rows that are loaded")
                    == true
            )
            #expect(try await fixture.rows(fixture.target, "select * from audit order by 1") == ["INSERT4", "UPDATE2"])
            // A trigger on UPDATE has nothing to do with rows that are only inserted.
            try await fixture.execute(fixture.target, "drop trigger added on t")
            let skipping = EventLog()
            _ = try await fixture.merge("[t]", mode: .skipExisting, events: skipping)
            #expect(skipping.warnings == [])
        }
    }

    @Test("Sequences do not go back, whether rows are updated or skipped", arguments: [LoadMode.upsert, .skipExisting])
    func sequences(mode: LoadMode) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table t (id serial primary key, n int generated by default as identity);
                insert into t values (90, 90); select setval('t_id_seq', 100), setval('t_n_seq', 5);
                """
            )
            try fixture.write("t", "id,n\n1,1\n90,90\n")
            try fixture.write(
                #"{"t_id_seq": 17, "t_n_seq": 60}"#,
                to: "public.t/sequences/2024-01-01T00:00:00.json"
            )
            let log = EventLog()
            _ = try await fixture.merge("[t]", mode: mode, events: log)
            #expect(
                try await fixture.rows(fixture.target, "select a.last_value, b.last_value from t_id_seq a, t_n_seq b")
                    == [
                        "100|60"
                    ]
            )
            #expect(log.notes.contains("public.t: public.t_id_seq is at 17 or beyond, and keeps its value"))
        }
    }

    @Test("A run that is resumed merges what is not recorded, and nothing twice")
    func resumption() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                ManifestTable("m").definition + """
                    create table a (id int primary key, v text); insert into a values (1, 'old');
                    create table b (id int primary key, v text); insert into b values (1, 'old');
                    """
            )
            try fixture.write("a", "id,v\n1,new\n2,new\n")
            try fixture.write("b", "id,v\n1,new\n1,newer\n")
            var configuration = try fixture.configuration(fixture.mergeYAML("[a, b]", "manifest: m"))
            configuration.restore.run.resumeID = 4
            let first = try await RestoreRun(configuration).run()
            #expect(first.failed.map(\.job.name) == ["public.b"])
            try await fixture.execute(fixture.target, "update a set v = 'later'")
            try fixture.write("b", "id,v\n1,new\n")
            let second = try await RestoreRun(configuration).run()
            #expect(second.failed.isEmpty)
            #expect(second.finished.map(\.merged) == [.upserted(1, inserted: 0, updated: 1)])
            #expect(try await fixture.rows(fixture.target, "select v from a order by id") == ["later", "later"])
            #expect(
                try await fixture.rows(fixture.target, "select \"table\", file_path from m order by 1")
                    == ["a", "b"].map {
                        "public.\($0)|\(fixture.folder)/public.\($0)/2024-01-01T00:00:00.csv"
                    }
            )
        }
    }

    @Test("The rows of a file are counted against its set's record, not those that were written")
    func recordedRows() async throws {
        let schema = "create table a (id int primary key); create table b (id int primary key);"
        try await SetFixture.with(.local, schema) { fixture in
            try await fixture.run.execute(fixture.run.source, "insert into a values (5), (6); insert into b values (7)")
            try await fixture.backup(1, "[a, b]")
            try await fixture.run.execute(fixture.run.target, "insert into a values (5)")
            let entries = "[{name: a, mode: skip_existing}, {name: b, mode: upsert}]"
            let report = try await fixture.restore(entries)
            #expect(report.failed.map(\.message) == [])
            #expect(report.finished.map(\.totals.rows) == [2, 1])
            #expect(
                report.finished.map(\.merged) == [.inserted(2, inserted: 1), .upserted(1, inserted: 1, updated: 0)]
            )
            // The table has both rows already, and the record tells of a third one.
            let id = SetFixture.id(1)
            _ = try await fixture.replace("catalog/\(id).json") { bytes in
                var record = try SetRecord(json: bytes, at: "x")
                let table = try #require(record.tables.firstIndex { $0.rows == 2 })
                record.tables[table].rows = 3
                bytes = try record.json()
            }
            let failed = try await fixture.restore(entries).failed
            #expect(failed.map(\.job.name) == ["public.a"])
            #expect(failed.first?.message.contains("has 2 rows, but 3 in the set \(id)") == true)
            #expect(try await fixture.loaded() == "5,6|7")
        }
    }

    @Test("Rows that cannot be read are set aside, the others are merged, and a constraint fails the table")
    func rejected() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                "create table t (id int primary key, n int check (n > 0)); insert into t values (1, 1), (2, 2)"
            )
            var environment = RunEnvironment()
            environment.rejectFolder = fixture.folder
            let more = "max_rejects: 2, extra_columns: ignore, transaction: all"
            let configuration = try fixture.configuration(fixture.mergeYAML("[t]", more))
            try fixture.write("t", "gone,id,n\na,1,10\n\"b\n\",x,2\nc,2,2\nd,3,y\ne,4,40\n")
            let report = try await RestoreRun(configuration, environment: environment).run()
            #expect(report.failed.map(\.message) == [])
            #expect(report.rejectedRows == 2)
            #expect(report.finished.map(\.merged) == [.upserted(3, inserted: 1, updated: 1)])
            #expect(try await fixture.rows(fixture.target, "select * from t order by 1") == ["1|10", "2|2", "4|40"])
            try fixture.write("t", "gone,id,n\na,1,11\nb,x,2\nc,2,-2\n")
            let failed = try await RestoreRun(configuration, environment: environment).run().failed
            #expect(failed.count == 1 && failed.first?.message.contains("t_n_check") == true)
            #expect(try await fixture.rows(fixture.target, "select * from t order by 1") == ["1|10", "2|2", "4|40"])
        }
    }

    @Test("For a table that the restore creates the mode has no effect, and a detail says so")
    func created() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                "create table t (id int, v text); insert into t values (1, 'a'), (2, 'b')"
            )
            _ = try await fixture.backup(fixture.ddlYAML("[t]"))
            let log = EventLog()
            let report = try await fixture.restore(fixture.ddlYAML("[t]", "mode: upsert"), events: log)
            #expect(report.failed.map(\.message) == [])
            #expect(report.finished.map(\.merged) == [nil])
            #expect(
                log.notes.contains("public.t: 'mode: upsert' has no effect, because the restore creates the table")
            )
            #expect(try await fixture.rows(fixture.target, "select * from t order by 1") == ["1|a", "2|b"])
        }
    }

    @Test("Tables that are included by foreign keys are merged by their own primary keys")
    func included() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table product (id int primary key, v text);
                create table sale (id int, number int unique, product int references product);
                """
            )
            try await fixture.execute(
                fixture.source,
                "insert into product values (1, 'new'), (2, 'new'); insert into sale values (1, 10, 1), (2, 20, 2)"
            )
            try await fixture.execute(
                fixture.target,
                "insert into product values (1, 'old'); insert into sale values (9, 10, 1)"
            )
            let yaml = fixture.mergeYAML("[{name: sale, conflict_columns: [number], follow_foreign_keys: true}]")
            _ = try await fixture.backup(yaml)
            let report = try await fixture.restore(yaml)
            #expect(report.failed.map(\.message) == [])
            #expect(report.finished.map(\.merged) == Array(repeating: .upserted(2, inserted: 1, updated: 1), count: 2))
            #expect(try await fixture.rows(fixture.target, "select * from sale order by 2") == ["1|10|1", "2|20|2"])
        }
    }
}
