import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Triggers in restores")
struct TriggerRunTests {
    /// Two tables, where each insert into one is recorded in the other, and a row trigger that keeps odd numbers only.
    private let schema = """
        create table audit (what int);
        create table product (id int primary key, changed text);
        create function audit() returns trigger language plpgsql as
            'begin insert into audit values (new.id); return new; end';
        create function keep_odd() returns trigger language plpgsql as
            'begin new.changed = ''now''; if new.id % 2 = 0 then return null; end if; return new; end';
        create trigger audit after insert on product for each row execute function audit();
        create trigger odd before insert on product for each row execute function keep_odd();
        """

    private static let states = """
        select tgrelid::regclass || ' ' || tgname || ' ' || tgenabled::text from pg_trigger where not tgisinternal order by 1
        """

    private func files(_ fixture: RunFixture) throws {
        try fixture.write("what\n1\n2\n3\n", to: "public.audit/2024-01-01T00:00:00.csv")
        try fixture.write("id,changed\n1,a\n2,b\n3,c\n", to: "public.product/2024-01-01T00:00:00.csv")
    }

    private func yaml(_ fixture: RunFixture, _ more: String, tables: String = "[audit, product]") -> String {
        "{root_location: \(fixture.folder), location: '{table}', \(more), tables: \(tables)}"
    }

    @Test("Where the run empties an own table its triggers are off, and each is put back exactly as it was")
    func automatic() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                schema + """
                    insert into product values (9, 'old');
                    create trigger always after insert on product for each row execute function audit();
                    alter table product enable always trigger always;
                    create trigger replica after insert on product for each row execute function audit();
                    alter table product enable replica trigger replica;
                    create trigger disabled before insert on product for each row execute function keep_odd();
                    alter table product disable trigger disabled;
                    create constraint trigger late after insert on product initially deferred
                        for each row execute function audit();
                    """
            )
            try files(fixture)
            let before = try await fixture.rows(fixture.target, Self.states)
            let log = EventLog()
            let report = try await fixture.restore(yaml(fixture, "truncate: true"), events: log)
            #expect(report.failed.map(\.message) == [])
            #expect(log.warnings == [])
            #expect(report.finished.map(\.totals.rows) == [3, 3])
            #expect(try await fixture.rows(fixture.target, "select * from product") == ["1|a", "2|b", "3|c"])
            #expect(try await fixture.rows(fixture.target, "select * from audit") == ["1", "2", "3"])
            #expect(try await fixture.rows(fixture.target, Self.states) == before)
            #expect(before.count == 6)
            // A load that fails leaves them as they were, too.
            try fixture.write("id,changed\n1,a\nx,b\n", to: "public.product/2024-01-02T00:00:00.csv")
            #expect(try await fixture.restore(yaml(fixture, "truncate: true")).failed.count == 1)
            #expect(try await fixture.rows(fixture.target, Self.states) == before)
            try await fixture.execute(fixture.target, "insert into product values (10, 'x'), (11, 'y')")
            #expect(try await fixture.rows(fixture.target, "select id from product where id > 9") == ["11"])
        }
    }

    @Test("Triggers of partitions are off as well, each partition's own among them, and keep their states")
    func partitions() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table audit (what int);
                create function audit() returns trigger language plpgsql as
                    'begin insert into audit values (new.id); return new; end';
                create table event (id int) partition by range (id);
                create table event_a partition of event for values from (0) to (10);
                create table event_b partition of event for values from (10) to (20) partition by range (id);
                create table event_c partition of event_b for values from (10) to (20);
                create trigger whole after insert on event for each row execute function audit();
                create trigger statement after insert on event execute function audit();
                create trigger own after insert on event_c for each row execute function audit();
                alter table only event_a disable trigger whole;
                alter table only event_c enable always trigger whole;
                """
            )
            try fixture.write("id\n1\n11\n", to: "public.event/2024-01-01T00:00:00.csv")
            let before = try await fixture.rows(fixture.target, Self.states)
            #expect(before.contains("event_a whole D"))
            #expect(before.contains("event_c whole A"))
            let log = EventLog()
            let report = try await fixture.restore(fixture.yaml("[event]"), events: log)
            #expect(report.failed.map(\.message) == [])
            #expect(log.warnings == [])
            #expect(try await fixture.rows(fixture.target, "select * from event order by 1") == ["1", "11"])
            #expect(try await fixture.rows(fixture.target, "select * from audit") == [])
            #expect(try await fixture.rows(fixture.target, Self.states) == before)
        }
    }

    @Test(
        "Where rows are added to a table its triggers fire and are named; with off they do not, with fire all is meant"
    )
    func added() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, schema)
            try files(fixture)
            let log = EventLog()
            let report = try await fixture.restore(yaml(fixture, "truncate: false", tables: "[product]"), events: log)
            #expect(report.failed.map(\.message) == [])
            #expect(report.finished.map(\.totals.rows) == [2])
            #expect(
                log.warnings == [
                    "public.product: its triggers audit, odd fire for the rows that are loaded: they may change or drop "
                        + "them, or write to other tables; set 'triggers: off' to restore it without them, or "
                        + "'triggers: fire' if that is meant",
                    "public.product: \(fixture.folder)/public.product/2024-01-01T00:00:00.csv has 3 rows, and the server kept "
                        + "2: triggers have dropped the others; set 'triggers: off' to restore all of them",
                ]
            )
            #expect(try await fixture.rows(fixture.target, "select * from product") == ["1|now", "3|now"])
            #expect(try await fixture.rows(fixture.target, "select * from audit") == ["1", "3"])

            try await fixture.execute(fixture.target, "truncate product, audit")
            let off = EventLog()
            _ = try await fixture.restore(
                yaml(fixture, "triggers: fire", tables: "[{name: product, triggers: off}]"),
                events: off
            )
            #expect(off.warnings == [])
            #expect(try await fixture.rows(fixture.target, "select count(*) from product") == ["3"])
            #expect(try await fixture.rows(fixture.target, "select * from audit") == [])

            let fire = EventLog()
            _ = try await fixture.restore(
                yaml(fixture, "restore: {triggers: fire}, truncate: true", tables: "[product]"),
                events: fire
            )
            #expect(fire.warnings.count == 1)
            #expect(fire.warnings.first?.contains("has 3 rows, and the server kept 2") == true)
            #expect(fire.notes.contains { $0.hasPrefix("public.product: its triggers audit, odd fire for the rows") })
            #expect(try await fixture.rows(fixture.target, "select * from audit") == ["1", "3"])
        }
    }

    @Test("A role that does not own the table is told that triggers fire, and cannot have them off")
    func notOwned() async throws {
        try await PostgresServer.withRole { role in
            try await RunFixture.with { fixture in
                try await fixture.execute(
                    fixture.target,
                    schema + "grant all on audit, product to \(role); grant all on schema public to \(role);"
                )
                try files(fixture)
                let limited = fixture.connected(as: role)
                let off = await limited.preflightLines(
                    yaml(fixture, "truncate: true, triggers: off", tables: "[product]")
                )
                #expect(
                    off == [
                        "public.product: its triggers audit, odd cannot be disabled, because the role does not own the table; "
                            + "connect as its owner, or set 'triggers: fire'"
                    ]
                )
                let log = EventLog()
                let report = try await limited.restore(
                    yaml(fixture, "truncate: true", tables: "[product]"),
                    events: log
                )
                #expect(report.failed.map(\.message) == [])
                #expect(log.warnings.first?.hasPrefix("public.product: its triggers audit, odd fire for") == true)
                #expect(log.warnings.first?.contains("connect as the owner") == true)
                // A member of the owner's role is as good as the owner.
                try await fixture.execute(
                    fixture.target,
                    "create table own (id int); alter table own owner to \(role); create trigger audit after insert on own "
                        + "for each row execute function audit();"
                )
                try fixture.write("id\n7\n", to: "public.own/2024-01-01T00:00:00.csv")
                let owner = EventLog()
                _ = try await limited.restore(yaml(fixture, "truncate: true", tables: "[own]"), events: owner)
                #expect(owner.warnings == [])
                #expect(try await fixture.rows(fixture.target, "select * from audit where what = 7") == [])
                try await fixture.execute(fixture.target, "drop owned by \(role)")
            }
        }
    }

    @Test("A trigger that guards against TRUNCATE does so unless triggers are off, and is named")
    func truncateTrigger() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table t (id int); insert into t values (9);
                create function refuse() returns trigger language plpgsql as 'begin raise ''guarded''; end';
                create trigger guard before truncate on t execute function refuse();
                """
            )
            try fixture.write("id\n1\n", to: "public.t/2024-01-01T00:00:00.csv")
            let log = EventLog()
            let refused = try await fixture.restore(fixture.yaml("[t]"), events: log)
            #expect(refused.failed.first?.message.contains("guarded") == true)
            #expect(log.warnings.count == 1)
            #expect(
                log.warnings.first?.hasPrefix("public.t: its triggers guard fire when the table is emptied") == true
            )
            #expect(try await fixture.rows(fixture.target, "select * from t") == ["9"])
            #expect(try await fixture.restore(fixture.yaml("[{name: t, triggers: off}]")).failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, "select * from t") == ["1"])
            #expect(try await fixture.rows(fixture.target, Self.states) == ["t guard O"])
        }
    }

    @Test("Foreign keys hold while triggers are off, in a cycle and deferred ones too")
    func foreignKeys() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create function nothing() returns trigger language plpgsql as 'begin return null; end';
                create table a (id int primary key, b int);
                create table b (id int primary key, a int references a deferrable initially deferred);
                alter table a add foreign key (b) references b;
                create trigger nothing before insert on a for each row execute function nothing();
                create trigger nothing before insert on b for each row execute function nothing();
                """
            )
            try fixture.write("id,b\n1,2\n", to: "public.a/2024-01-01T00:00:00.csv")
            try fixture.write("id,a\n2,1\n", to: "public.b/2024-01-01T00:00:00.csv")
            #expect(try await fixture.restore(fixture.yaml("[a, b]")).failed.map(\.message) == [])
            #expect(try await fixture.rows(fixture.target, "select * from a, b") == ["1|2|2|1"])
            #expect(try await fixture.rows(fixture.target, Self.states) == ["a nothing O", "b nothing O"])
            try fixture.write("id,a\n2,5\n", to: "public.b/2024-01-02T00:00:00.csv")
            let broken = try await fixture.restore(fixture.yaml("[a, b]"))
            #expect(broken.failed.count == 2)
            #expect(broken.failed.first?.message.contains("b_a_fkey") == true)
            #expect(try await fixture.rows(fixture.target, "select * from a, b") == ["1|2|2|1"])
        }
    }

    @Test("The rules of a table do not apply to the rows that are loaded")
    func rules() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table t (id int); create table log (id int);
                create rule instead as on insert to t do instead insert into log values (new.id);
                """
            )
            try fixture.write("id\n1\n", to: "public.t/2024-01-01T00:00:00.csv")
            #expect(try await fixture.restore(fixture.yaml("[t]")).failed.map(\.message) == [])
            #expect(try await fixture.rows(fixture.target, "select (select id from t), count(*) from log") == ["1|0"])
        }
    }
}
