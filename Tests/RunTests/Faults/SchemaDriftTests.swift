import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("Targets whose tables have changed since the backup")
struct SchemaDriftTests {
    /// A change of the target, and what becomes of the table `t`.
    struct Drift: Sendable, CustomTestStringConvertible {
        let change: String
        /// The rows of `t` after the restore; nil when it fails.
        var rows: [String]?
        /// Part of the message, when it fails.
        var message = ""

        var testDescription: String { change }

        static func restored(_ change: String, _ rows: [String]) -> Drift { Drift(change: change, rows: rows) }
        static func refused(_ change: String, _ message: String) -> Drift { Drift(change: change, message: message) }
    }

    private static let table = "create table t (id int primary key, name text, amount int default 5);"

    static let drifts: [Drift] = [
        .restored("alter table t add column extra text", ["1|one|10|NULL", "2|two|20|NULL"]),
        .restored("alter table t add column extra text not null default 'x'", ["1|one|10|x", "2|two|20|x"]),
        .restored("alter table t add column extra int generated always as identity", ["1|one|10|2", "2|two|20|3"]),
        .refused(
            "delete from t; alter table t add column extra text not null",
            "has no column \"extra\", which is NOT NULL and has no default"
        ),
        .refused("alter table t drop column name", "the column \"name\" of "),
        .refused("alter table t rename column name to title", "the column \"name\" of "),
        .refused("alter table t alter column name type int using 0", "invalid input syntax for type integer"),
        .refused(
            "alter table t alter column name type varchar(2) using 'o'",
            "value too long for type character varying(2)"
        ),
        .restored("alter table t alter column amount type bigint", ["1|one|10", "2|two|20"]),
        .restored(
            "drop table t; create table t (amount int, name text, id int primary key)",
            ["10|one|1", "20|two|2"]
        ),
        .restored(
            "alter table t drop column amount; alter table t add column amount int generated always as (id * 7) stored",
            ["1|one|7", "2|two|14"]
        ),
        .refused("alter table t add constraint small check (amount < 20)", "violates check constraint \"small\""),
        .refused(
            "alter table t add constraint even unique (name), add column same text default 'x' unique",
            "\"t_same_key\""
        ),
        .refused(
            "create table o (id int primary key); insert into o values (5), (10); "
                + "alter table t add constraint other foreign key (amount) references o",
            "violates foreign key constraint \"other\""
        ),
        .refused(
            "create table r (id int references t); insert into r values (0)",
            "public.r"
        ),
        .refused(
            "drop table t; create table t (id int primary key, name text, amount int) partition by range (id); "
                + "create table t1 partition of t for values from (0) to (2)",
            "no partition of relation \"t\" found for row"
        ),
        .refused("drop table t; create view t as select 0 as id, 'old' as name, 5 as amount", "it is a view"),
    ]

    @Test(
        "A table that does not fit fails with its name and keeps its rows, and the others are restored",
        arguments: drifts
    )
    func drift(drift: Drift) async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(Self.table + "create table u (id int)")
            try await fixture.execute(
                fixture.source,
                "insert into t values (1, 'one', 10), (2, 'two', 20); insert into u values (7)"
            )
            let yaml = fixture.yaml("[public.t, public.u]")
            #expect(try await fixture.backup(yaml).failed.isEmpty)
            try await fixture.execute(fixture.target, "insert into t values (0, 'old', 5); " + drift.change)
            let rows = "select * from t order by id"
            let old = try await fixture.rows(fixture.target, rows)
            let report = try await fixture.restore(yaml)
            let messages = report.failed.map(\.description)
            #expect(try await fixture.rows(fixture.target, "select id from u") == ["7"])
            guard let expected = drift.rows else {
                #expect(messages.count == 1 && messages[0].contains(drift.message), "\(messages)")
                #expect(messages.allSatisfy { !$0.contains("\n") && $0.contains("t") })
                #expect(try await fixture.rows(fixture.target, rows) == old)
                return
            }
            #expect(messages == [])
            #expect(try await fixture.rows(fixture.target, rows) == expected)
        }
    }

    @Test("A table that the target does not have any more is named in a warning, and the others are restored")
    func missing() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(Self.table + "create table u (id int)")
            try await fixture.execute(fixture.source, "insert into t values (1, 'one', 10); insert into u values (7)")
            let yaml = fixture.yaml("[public.t, public.u]")
            #expect(try await fixture.backup(yaml).failed.isEmpty)
            try await fixture.execute(fixture.target, "alter table t rename to elsewhere")
            let log = EventLog()
            let report = try await fixture.restore(yaml, events: log)
            #expect(report.finished.map(\.job.name) == ["public.u"] && report.failed.isEmpty)
            #expect(log.warnings.contains { $0.contains("'public.t' matches no table of the target database") })
            #expect(try await fixture.rows(fixture.target, "select * from elsewhere") == [])
        }
    }
}
