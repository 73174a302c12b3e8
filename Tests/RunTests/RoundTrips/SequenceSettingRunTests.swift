import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("When and how far sequences are set")
struct SequenceSettingRunTests {
    /// A row with the same value in all columns, which are given so that no default moves a sequence.
    private func write(
        _ table: String,
        _ row: String,
        _ sequences: String,
        columns: String = "id",
        to fixture: RunFixture
    ) throws {
        let values = columns.split(separator: ",").map { _ in row }.joined(separator: ",")
        try fixture.write("\(columns)\n\(values)\n", to: "public.\(table)/2024-01-01T00:00:00.csv")
        try fixture.write(sequences, to: "public.\(table)/sequences/2024-01-01T00:00:00.json")
    }

    @Test(
        "A sequence does not go back where rows are added, in the direction of its increment, and does after a truncation"
    )
    func backwards() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create sequence down increment -1; create sequence waiting;
                create table t (id serial, d int default nextval('down'), w int default nextval('waiting'), f serial);
                select setval('t_id_seq', 2000), setval('down', -50), setval('waiting', 10, false);
                """
            )
            try write(
                "t",
                "1",
                #"{"t_id_seq": 10, "down": -9, "waiting": 9, "t_f_seq": "1, false"}"#,
                columns: "id,d,w,f",
                to: fixture
            )
            let query = """
                select a.last_value, b.last_value, c.last_value, c.is_called, d.is_called
                from t_id_seq a, down b, waiting c, t_f_seq d
                """
            let log = EventLog()
            #expect(try await fixture.restore(fixture.yaml("[t]", truncate: false), events: log).failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, query) == ["2000|-50|10|f|f"])
            #expect(log.notes.contains("public.t: public.t_id_seq is at 10 or beyond, and keeps its value"))
            try fixture.write(
                #"{"t_id_seq": 2001, "down": -51, "waiting": 10, "t_f_seq": 1}"#,
                to: "public.t/sequences/2024-01-01T00:00:00.json"
            )
            #expect(try await fixture.restore(fixture.yaml("[t]", truncate: false)).failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, query) == ["2001|-51|10|t|t"])
            try write(
                "t",
                "1",
                #"{"t_id_seq": 10, "down": -9, "waiting": "3, false"}"#,
                columns: "id,d,w,f",
                to: fixture
            )
            #expect(try await fixture.restore(fixture.yaml("[t]")).failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, query) == ["10|-9|3|f|t"])
        }
    }

    @Test("A sequence is set as soon as its table is committed, while others that refer to it are still loaded")
    func atOnce() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table a (id serial primary key);
                create function waits() returns bool language plpgsql as
                    'begin perform pg_advisory_xact_lock(42); return true; end';
                create table b (id serial check (waits()), a int references a);
                """
            )
            try write("a", "5", #"{"a_id_seq": 5}"#, to: fixture)
            try write("b", "7", #"{"b_id_seq": 7}"#, to: fixture)
            try await Connection.withConnection(to: fixture.target) { other in
                try await other.execute("select pg_advisory_lock(42)")
                async let report = fixture.restore(fixture.yaml("[a, b]", truncate: false))
                try await poll("b waits") {
                    try await fixture.rows(
                        fixture.target,
                        """
                        select 1 from pg_locks where not granted and locktype = 'advisory' and objid = 42
                        and database = (select oid from pg_database where datname = current_database())
                        """
                    ).isEmpty == false
                }
                let query = "select a.last_value, b.is_called from a_id_seq a, b_id_seq b"
                #expect(try await fixture.rows(fixture.target, query) == ["5|f"])
                try await other.execute("select pg_advisory_unlock(42)")
                #expect(try await report.failed.isEmpty)
            }
            #expect(try await fixture.rows(fixture.target, "select last_value from b_id_seq") == ["7"])
        }
    }

    @Test(
        "A sequence that tables share is set to the furthest of their values, in either order",
        arguments: [false, true]
    )
    func shared(isReversed: Bool) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create sequence s; create sequence d increment -1;
                create table a (id int default nextval('s'), e int default nextval('d'));
                create table b (id int default nextval('s'), e int default nextval('d'));
                """
            )
            try write("a", "101", #"{"s": 101, "d": -201}"#, columns: "id,e", to: fixture)
            try write("b", "201", #"{"s": 201, "d": -101}"#, columns: "id,e", to: fixture)
            #expect(try await fixture.restore(fixture.yaml(isReversed ? "[b, a]" : "[a, b]")).failed.isEmpty)
            let query = "select s.last_value, d.last_value from s, d"
            #expect(try await fixture.rows(fixture.target, query) == ["201|-201"])
            // The rows of the other table have later values.
            try await fixture.execute(fixture.target, "select setval('s', 300)")
            #expect(try await fixture.restore(fixture.yaml("[a]")).failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, query) == ["300|-201"])
        }
    }

    @Test("A sequence that has another name in the target is found by its column")
    func renamed() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table item (id serial, user_id serial, n int default 1);
                alter sequence item_id_seq rename to odd; alter sequence item_user_id_seq rename to strange;
                create sequence counter; create table one (n int default nextval('counter'));
                create sequence taken; create table other (n int default nextval('taken'));
                create sequence mine; create table two (n int default nextval('mine'));
                """
            )
            try write("item", "1", #"{"product_id_seq": 5, "s.\"Product_user_id_seq\"": 6}"#, to: fixture)
            try fixture.write("n\n1\n", to: "public.one/2024-01-01T00:00:00.csv")
            try fixture.write(#"{"hits": 7}"#, to: "public.one/sequences/2024-01-01T00:00:00.json")
            try fixture.write("n\n1\n", to: "public.two/2024-01-01T00:00:00.csv")
            try fixture.write(#"{"taken": 8}"#, to: "public.two/sequences/2024-01-01T00:00:00.json")
            let log = EventLog()
            let report = try await fixture.restore(fixture.yaml("[item, one, two]"), events: log)
            #expect(report.failed.map(\.message) == [])
            let query = """
                select odd.last_value, strange.last_value, counter.last_value, mine.is_called, taken.is_called
                from odd, strange, counter, mine, taken
                """
            #expect(try await fixture.rows(fixture.target, query) == ["5|6|7|f|f"])
            #expect(log.notes.contains { $0.contains("is that of public.odd, which has the same column, id") })
            #expect(log.warnings.count == 3)
            #expect(log.warnings.contains { $0.hasPrefix("public.item: the columns \"user_id\", \"n\" are not in") })
            #expect(
                log.warnings.contains {
                    $0.contains("the value of hits in") && $0.contains("is that of public.counter")
                }
            )
            #expect(log.warnings.contains { $0.hasPrefix("public.two: taken in") && $0.contains("is not a sequence") })
        }
    }

    @Test(
        "A table that the run creates and whose values have no file is a warning; replaced tables have their own values"
    )
    func created() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (id serial); create table u (id serial)")
            try await fixture.execute(
                fixture.source,
                "insert into t values (default), (default); insert into u values (9)"
            )
            let yaml = fixture.ddlYAML("[t, u]")
            try #require(try await fixture.backup(yaml).failed.isEmpty)
            try FileManager.default.removeItem(atPath: fixture.folder + "/public.u/sequences")
            try fixture.forgetSets()
            for isReplacement in [false, true] {
                let log = EventLog()
                #expect(try await fixture.restore(yaml, events: log).failed.map(\.message) == [])
                #expect(log.warnings.count == 1)
                #expect(
                    log.warnings.first?.hasPrefix("public.u: there is no file with the values of its sequences") == true
                )
                let query = "select t.last_value, u.is_called from t_id_seq t, u_id_seq u"
                #expect(try await fixture.rows(fixture.target, query) == ["2|f"], "\(isReplacement)")
                try await fixture.execute(fixture.target, "select setval('t_id_seq', 99), setval('u_id_seq', 99)")
            }
        }
    }

    @Test("A role that cannot read a sequence is told that it was not set, unless it may go back")
    func unreadable() async throws {
        try await PostgresServer.withRole { role in
            try await RunFixture.with { fixture in
                try await fixture.execute(
                    fixture.target,
                    "create table t (id serial); grant all on t to \(role); grant update on t_id_seq to \(role)"
                )
                try write("t", "5", #"{"t_id_seq": 5}"#, to: fixture)
                let log = EventLog()
                let limited = fixture.connected(as: role)
                #expect(try await limited.restore(fixture.yaml("[t]", truncate: false), events: log).failed.isEmpty)
                #expect(log.warnings.count == 1)
                #expect(log.warnings.first?.hasPrefix("public.t: the sequence public.t_id_seq is not set") == true)
                #expect(try await fixture.rows(fixture.target, "select is_called from t_id_seq") == ["f"])
                #expect(try await limited.restore(fixture.yaml("[t]")).failed.isEmpty)
                #expect(try await fixture.rows(fixture.target, "select last_value from t_id_seq") == ["5"])
                try await fixture.execute(fixture.target, "drop owned by \(role)")
            }
        }
    }
}
