import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Replaced tables with functions and partitions")
struct ReplacementTests {
    @Test("Functions on the rows of a table are replaced with it, also those of a view, and with their privileges")
    func functions() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(
                fixture.source,
                """
                create schema app; create table app.customer (id int primary key, name text default 'x');
                insert into app.customer values (1, 'Ann');
                create function app.full_name(c app.customer) returns text language sql as 'select c.name';
                create function app.full_name(c app.customer, suffix text) returns text language sql as 'select c.name || suffix';
                create function app.everybody() returns setof app.customer language sql as 'select * from app.customer';
                create view app.v as select id, app.full_name(c) as full_name from app.customer c;
                create function app.of_view() returns setof app.v language sql as 'select * from app.v';
                create aggregate app.many(app.customer) (sfunc = app.add, stype = bigint) ;
                """.replacing(
                    "create aggregate",
                    with:
                        "create function app.add(n bigint, c app.customer) returns bigint language sql as 'select n + 1'; create aggregate"
                ) + """
                    comment on function app.everybody() is 'all'; revoke all on function app.everybody() from public;
                    grant execute on function app.everybody() to \(role);
                    """
            )
            let yaml = fixture.ddlYAML("['app.*', app.v]")
            _ = try await fixture.backup(yaml)
            for _ in 1...2 {
                let report = try await fixture.restore(yaml)
                #expect(report.failed.isEmpty, "\(report.failed)")
                try await fixture.expectEqualDefinitions()
                #expect(try await fixture.rows(fixture.target, "select * from app.of_view()") == ["1|Ann"])
                #expect(try await fixture.rows(fixture.target, "select app.many(c) from app.customer c") == ["NULL"])
            }
            // In the source its argument has another name by now: it is still the only one.
            try await fixture.execute(
                fixture.target,
                """
                drop function app.everybody(); drop function app.of_view();
                create function app.of_view(other int default 1) returns setof app.v language sql as 'select * from app.v';
                """
            )
            #expect(try await fixture.restore(yaml).failed.isEmpty)
            try await fixture.expectEqualDefinitions()
            for database in [fixture.source, fixture.target] {
                try await fixture.execute(database, "drop owned by \(role)")
            }
        }
    }

    @Test("Functions on the rows of a table are replaced with it although its own parts call them")
    func functionsInParts() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table kind (id int); create table t (id int not null, n int);
                create function valid(t) returns bool language sql immutable as 'select $1.id > 0';
                create function key(kind) returns int language sql immutable as 'select $1.id';
                create function fill() returns trigger language plpgsql as
                    'begin perform public.valid(new); return new; end';
                create function of_kind() returns kind language sql immutable as 'select row(1)::public.kind';
                alter table t add constraint is_valid check (valid(t)), alter n set default key(null);
                create index t_valid on t ((valid(t)));
                alter table t add constraint one exclude using btree ((valid(t)) with =) where (id = 7);
                create index t_kind on t ((key(of_kind()) + n)); alter table t enable row level security;
                create policy visible on t using (valid(t));
                create trigger filled before insert on t for each row when (valid(new)) execute function fill();
                create table parent (id int); create function ok(parent) returns bool language sql immutable as 'select true';
                alter table parent add constraint parent_ok check (ok(parent));
                insert into t values (1, 1); insert into parent values (2);
                """
            )
            let yaml = fixture.ddlYAML("['public.*']")
            _ = try await fixture.backup(yaml)
            for _ in 1...2 {
                let report = try await fixture.restore(yaml)
                #expect(report.failed.isEmpty, "\(report.failed)")
                try await fixture.expectEqualDefinitions()
                #expect(try await fixture.rows(fixture.target, "select * from t") == ["1|1"])
                #expect(try await fixture.rows(fixture.target, "select * from parent") == ["2"])
            }
        }
    }

    @Test("What uses such a function and is not part of the restore is named, and nothing is changed")
    func functionInUse() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table t (id int); insert into t values (1);
                create function f(t) returns int language sql as 'select 1';
                """
            )
            let yaml = fixture.ddlYAML("[t]")
            _ = try await fixture.backup(yaml)
            try await fixture.execute(fixture.target, "create view mine as select f(null)")
            let lines = await fixture.preflightLines(yaml)
            #expect(lines.first?.hasPrefix("view public.mine depends on ") == true, "\(lines)")
            #expect(try await fixture.names(fixture.target) == ["f(t)", "mine", "t"])
        }
    }

    private let partitioned = """
        create schema app;
        create table app.p (id int not null, n int unique, primary key (id, n)) partition by range (id);
        """.replacing("n int unique,", with: "n int,") + """
            create index p_n on app.p (n); alter table app.p add constraint p_check check (n > 0);
            create table app.p_1 partition of app.p for values from (0) to (10);
            create table app.p_2 (n int not null, id int not null, constraint p_check check (n > 0)) partition by list (n);
            create table app.p_2a partition of app.p_2 default; create index own on app.p_2 (id);
            alter table app.p attach partition app.p_2 for values from (10) to (20);
            create function app.f() returns trigger language plpgsql as 'begin return new; end';
            create trigger t after insert on app.p for each row execute function app.f();
            alter table app.p_1 disable trigger t; comment on index app.p_1_n_idx is 'x';
            insert into app.p values (1, 1), (11, 11);
            """

    @Test(
        "One partition is restored on its own, whether its root is there or not, again and again",
        arguments: ["app.p_1", "app.p_2"]
    )
    func partition(name: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, partitioned)
            let yaml = fixture.ddlYAML("[\(name)]")
            _ = try await fixture.backup(yaml)
            let row = name == "app.p_1" ? "1|1" : "11|11"
            for round in 1...3 {
                if round == 3 {
                    try await fixture.execute(fixture.target, "drop schema app cascade")
                    try await fixture.execute(fixture.target, partitioned)
                    try await fixture.execute(
                        fixture.target,
                        "delete from \(name); insert into app.p values (2, 2), (12, 12)"
                    )
                }
                let report = try await fixture.restore(yaml)
                #expect(report.failed.isEmpty, "\(report.failed)")
                #expect(try await fixture.rows(fixture.target, "select id, n from \(name)") == [row])
                let roots = "select inhparent::regclass from pg_inherits where inhrelid = '\(name)'::regclass"
                #expect(try await fixture.rows(fixture.target, roots) == ["app.p"])
                let invalid = "select indexrelid::regclass from pg_index where not indisvalid"
                #expect(try await fixture.rows(fixture.target, invalid).isEmpty)
            }
            try await fixture.expectEqualDefinitions()
        }
    }
}
