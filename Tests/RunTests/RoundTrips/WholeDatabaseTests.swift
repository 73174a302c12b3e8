import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

/// What a glob over a schema brings, so that the restored database works as the one that was backed up.
@Suite("Whole databases with definitions")
struct WholeDatabaseTests {
    private static let populated = """
        select n.nspname, c.relname, c.relispopulated from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'm' order by 1, 2
        """

    /// Builds from PyPI lack the extensions that come with Postgres.
    private static func hasExtensions(_ names: Set<String>) async throws -> Bool {
        try await ServerBuild.shared.extensions.isSuperset(of: names)
    }

    private func expectSameRows(_ fixture: RunFixture, _ relations: [String]) async throws {
        for relation in relations {
            let query = "select t::text from \(relation) t order by 1"
            let expected = try await fixture.rows(fixture.source, query)
            #expect(!expected.isEmpty, "\(relation)")
            #expect(try await fixture.rows(fixture.target, query) == expected, "\(relation)")
        }
        let expected = try await fixture.rows(fixture.source, Self.populated)
        #expect(try await fixture.rows(fixture.target, Self.populated) == expected)
    }

    @Test(
        "A database of films comes back whole: views on views, rules, casts, extensions and what pg_dump says of them",
        .enabled("needs contrib") {
            try await hasExtensions(["pg_trgm", "hstore", "citext", "uuid-ossp", "btree_gist"])
        }
    )
    func rental() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, RentalSchema.definitions + RentalSchema.rows)
            let events = EventLog()
            let yaml = fixture.ddlYAML("['*.*']")
            #expect(try await fixture.backup(yaml, events: events).failed.isEmpty)
            #expect(events.warnings == [])
            #expect(try await fixture.restore(yaml, events: events).failed.isEmpty)
            #expect(events.warnings == [])
            try await fixture.expectSameDump()
            try await expectSameRows(
                fixture,
                [
                    "film", "actor_info", "a_film", "reports.m_film", "reports.sales", "reports.best",
                    "reports.best_titles",
                    "reports.by_function", "bosses", "payment", "note",
                ]
            )
            // What only the body of a function uses is there too.
            #expect(try await fixture.rows(fixture.target, "select similar_titles('Alien')") == ["Alien"])
            #expect(try await fixture.rows(fixture.target, "select length(new_code())") == ["8"])
            // Once more, in place of what is there.
            #expect(try await fixture.restore(yaml).failed.map(\.message) == [])
            try await fixture.expectSameDump()
        }
    }

    @Test(
        "A database of invoices comes back whole, and its materialized views have data only if they had",
        .enabled("needs contrib") { try await hasExtensions(["pgcrypto", "unaccent"]) }
    )
    func billing() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, BillingSchema.definitions + BillingSchema.rows)
            let events = EventLog()
            // Triggers that refuse rows are created after them.
            let yaml = fixture.ddlYAML("['public.*', 'ledger.*', 'partman_like.*']")
            #expect(try await fixture.backup(yaml, events: events).failed.isEmpty)
            #expect(try await fixture.restore(yaml, events: events).failed.isEmpty)
            #expect(events.warnings == [])
            try await fixture.expectSameDump()
            try await expectSameRows(
                fixture,
                [
                    "customers", "invoices", "fees", "ledger.entries", "partman_like.events", "totals", "over_totals",
                    "a_overview", "b_lateral", "with_functions", "exports_fees",
                ]
            )
            let value = "select last_value, is_called from ledger.number_seq"
            let expected = try await fixture.rows(fixture.source, value)
            #expect(try await fixture.rows(fixture.target, value) == expected)
            // Once more, in place of what is there.
            #expect(try await fixture.restore(yaml).failed.isEmpty)
            try await fixture.expectSameDump()
        }
    }

    private static let database = """
        create extension postgres_fdw;
        create server archive foreign data wrapper postgres_fdw options (host 'localhost', dbname 'archive');
        create foreign data wrapper idle; create server idle foreign data wrapper idle;
        comment on server idle is 'does nothing';
        create user mapping for current_user server archive options (user 'u', password 'secret');
        create schema lonely; create function lonely.f() returns int language sql as 'select 1';
        create foreign table old_film (id int, title text) server archive options (table_name 'film');
        create table film (id int primary key, title text); create table ddl_log (tag text);
        create materialized view titles as select title from film;
        create function note_ddl() returns event_trigger language plpgsql as
            $$ begin insert into public.ddl_log values (tg_tag); end $$;
        create event trigger ddl_audit on ddl_command_end execute function note_ddl();
        comment on event trigger ddl_audit is 'who';
        create publication films for table film where (id > 0);
        create publication lonely for tables in schema lonely;
        create cast (int8 as bytea) with inout;
        create view titles_of_1 as select title from film where id = 1;
        alter default privileges revoke execute on functions from public;
        insert into film values (1, 'Alien'); refresh materialized view titles;
        """

    @Test(
        "All schemas bring what belongs to the database: event triggers last, publications, servers, no passwords",
        .enabled("needs contrib") { try await hasExtensions(["postgres_fdw"]) }
    )
    func database() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.database + "truncate ddl_log")
            let events = EventLog()
            let yaml = fixture.ddlYAML("['*.*']")
            #expect(try await fixture.backup(yaml, events: events).failed.isEmpty)
            let user = fixture.source.keywords["user"] ?? ""
            #expect(
                events.warnings == [
                    "the definitions do not include the user mapping \(user) SERVER archive; create what is needed of it by hand "
                        + "after a restore"
                ]
            )
            for file in try fixture.files() where !file.hasSuffix(".csv") {
                #expect(try !fixture.text(file).contains("secret"), "\(file)")
            }
            let restored = EventLog()
            #expect(try await fixture.restore(yaml, events: restored).failed.isEmpty)
            #expect(restored.warnings == [])
            // Everything else was created before the event trigger.
            #expect(try await fixture.rows(fixture.target, "select * from ddl_log") == [])
            let mapping = "create user mapping for current_user server archive options (user 'u', password 'secret');"
            try await fixture.execute(fixture.target, mapping + "truncate ddl_log")
            try await fixture.expectSameDump()
            #expect(try await fixture.rows(fixture.target, "select * from titles") == ["Alien"])
        }
    }

    @Test("One schema of a backup of all brings nothing of the others, nor of the database as a whole")
    func oneSchema() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create schema a; create schema b; create type b.t as enum ('x'); create type a.t as enum ('y');
                create table a.one (v a.t); create table b.two (v b.t); create view b.v as select * from b.two;
                create function a.f() returns event_trigger language plpgsql as 'begin end';
                create event trigger e on ddl_command_end execute function a.f(); create publication p for table a.one;
                """
            )
            #expect(try await fixture.backup(fixture.ddlYAML("['*.*']")).failed.isEmpty)
            #expect(try await fixture.restore(fixture.ddlYAML("['a.*']")).failed.isEmpty)
            #expect(try await fixture.names(fixture.target) == ["a.f()", "a.one"])
            let rest = """
                select nspname from pg_namespace where nspname = 'b' union all select evtname from pg_event_trigger
                union all select pubname from pg_publication
                """
            #expect(try await fixture.rows(fixture.target, rest) == [])
        }
    }

    @Test("What a backup of one schema lacks of the database is named in one warning")
    func named() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table t (i int); create function f() returns event_trigger language plpgsql as 'begin end';
                create event trigger e on ddl_command_end execute function f(); create publication p for table t;
                select lo_create(0), lo_create(0);
                """
            )
            let events = EventLog()
            #expect(try await fixture.backup(fixture.ddlYAML("['public.*']"), events: events).failed.isEmpty)
            #expect(
                events.warnings == [
                    "the definitions do not include the publication table p t, the event trigger e, 2 large objects; create what "
                        + "is needed of it by hand after a restore"
                ]
            )
            let single = EventLog()
            #expect(try await fixture.backup(fixture.ddlYAML("[t]"), events: single).failed.isEmpty)
            #expect(single.warnings == [])
        }
    }

    @Test("Views that read what the role may not are skipped and named, and the others are backed up")
    func unreadable() async throws {
        try await RunFixture.withRole { fixture, role in
            let name = quotedIdentifier(role)
            try await fixture.execute(
                fixture.source,
                """
                create table open (i int); create table hidden (i int); create view v as select * from open;
                create view w as select * from hidden; create view x as select * from w;
                grant select on open, v, w, x to \(name);
                """
            )
            let events = EventLog()
            let yaml = fixture.ddlYAML("[{name: 'public.*', exclude: [hidden]}]")
            #expect(try await fixture.connected(as: role).backup(yaml, events: events).failed.isEmpty)
            #expect(
                events.warnings.filter { $0.contains("the definitions do not include") } == [
                    "the definitions do not include the view public.w, because the role cannot read public.hidden, the view "
                        + "public.x, because the role cannot read public.hidden; create what is needed of it by hand after a restore"
                ]
            )
            _ = try await fixture.restore(yaml)
            #expect(try await fixture.names(fixture.target) == ["open", "v"])
            try await fixture.execute(fixture.source, "drop owned by \(name)")
            try await fixture.execute(fixture.target, "drop owned by \(name)")
        }
    }

    @Test("A view of the backup does not replace a table of the target that has its name")
    func clash() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (i int); create view v as select * from t")
            #expect(try await fixture.backup(fixture.ddlYAML("['public.*']")).failed.isEmpty)
            try await fixture.execute(fixture.target, "create table v (i int); insert into v values (1)")
            let lines = await fixture.preflightLines(fixture.ddlYAML("['public.*']"))
            #expect(
                lines.contains {
                    $0.hasPrefix("public.v: it is a table here, which a view of the backup would replace")
                }
            )
            #expect(try await fixture.rows(fixture.target, "select * from v") == ["1"])
        }
    }

    @Test("Members of an extension are not found by globs, only by their names")
    func members() async throws {
        try await RunFixture.with { fixture in
            let sql = """
                create extension citext; create table member (i int); insert into member values (1);
                create view seen as select 1 as i; alter extension citext add table member; alter extension citext add view seen;
                create table t (i int); insert into t values (2);
                """
            try await fixture.execute(fixture.source, sql)
            let events = EventLog()
            let report = try await fixture.backup(fixture.yaml("['public.*']"), events: events)
            #expect(report.finished.map(\.job.description) == ["public.t"])
            #expect(
                events.warnings == [
                    "public.member belongs to an extension, which creates it, so no glob finds it; name it to back up its rows, or "
                        + "exclude it"
                ]
            )
            let named = EventLog()
            let all = try await fixture.backup(fixture.yaml("['public.*', public.member]"), events: named)
            #expect(all.finished.map(\.job.description).sorted() == ["public.member", "public.t"])
            #expect(named.warnings == [])
            try await fixture.execute(fixture.target, sql)
            // An older backup may have the rows: a glob does not load them a second time.
            let restored = try await fixture.restore(fixture.yaml("['public.*']"))
            #expect(restored.finished.map(\.job.description) == ["public.t"])
            #expect(try await fixture.rows(fixture.target, "select i from member") == ["1"])
        }
    }
}
