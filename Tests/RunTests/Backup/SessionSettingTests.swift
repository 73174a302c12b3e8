import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("Settings of databases and roles")
struct SessionSettingTests {
    @Test("Queries and views run in the session's time zone, and plain tables are written in UTC")
    func timeZone() async throws {
        try await RunFixture.with { fixture in
            let database = quotedIdentifier(fixture.source.keywords["dbname"] ?? "")
            try await fixture.execute(
                fixture.source,
                """
                create table t (at timestamptz); insert into t values ('2024-01-01 20:00:00+00');
                create view v as select date_trunc('day', at) as day, at::date as date from t;
                create materialized view m as select at from t;
                alter database \(database) set timezone = 'Asia/Tokyo';
                """
            )
            let report = try await fixture.backup(
                """
                {root_location: \(fixture.folder), location: '{table}', filename: data.csv, tables: [t, v, m,
                  {query: "select at, at::date as date from t", location: q}]}
                """
            )
            #expect(report.failed.isEmpty)
            #expect(try fixture.text("public.t/data.csv") == "at\n2024-01-01 20:00:00+00\n")
            #expect(try fixture.text("public.m/data.csv") == "at\n2024-01-01 20:00:00+00\n")
            #expect(try fixture.text("public.v/data.csv") == "day,date\n2024-01-02 00:00:00+09,2024-01-02\n")
            #expect(try fixture.text("q/data.csv") == "at,date\n2024-01-02 05:00:00+09,2024-01-02\n")
        }
    }

    @Test("Names of tables, functions, types and operators are written with their schemas, and mean the same elsewhere")
    func qualifiedNames() async throws {
        try await RunFixture.with { fixture in
            let objects = """
                create schema app; create table app.other (id int); create type app.mood as enum ('a');
                create function app.f(app.mood) returns int language sql as 'select 1';
                create operator app.=== (leftarg = int, rightarg = int, function = int4eq);
                create text search configuration app.conf (copy = pg_catalog.english);
                create table app.t (c regclass, p regprocedure, q regproc, y regtype, o regoperator, f regconfig, n money);
                """
            try await fixture.onBoth(objects)
            let database = quotedIdentifier(fixture.source.keywords["dbname"] ?? "")
            try await fixture.execute(
                fixture.source,
                """
                alter database \(database) set search_path = app, public;
                insert into app.t values ('app.other', 'app.f(app.mood)', 'app.f', 'app.mood', 'app.===(int, int)',
                    'app.conf', '1234.56');
                """
            )
            try await fixture.copy(
                "{root_location: \(fixture.folder), location: '{table}', filename: data.csv, tables: [app.t]}"
            )
            #expect(
                try fixture.text("app.t/data.csv")
                    == "c,p,q,y,o,f,n\napp.other,app.f(app.mood),app.f,app.mood,\"app.===(integer,integer)\",app.conf,"
                    + "\"$1,234.56\"\n"
            )
            #expect(try await fixture.rows(fixture.target, "select c, n::numeric from app.t") == ["app.other|1234.56"])
        }
    }

    @Test(
        "A limit on whole transactions of the role breaks neither a backup nor a restore",
        .enabled("needs Postgres 17") { try await ServerBuild.shared.majorVersion >= 17 }
    )
    func transactionLimit() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.onBoth(
                """
                create table t (id int); insert into t values (1); alter table t owner to \(role);
                create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(1.5); return new; end $$;
                create trigger slow before insert on t for each row execute function slow();
                alter role \(role) set transaction_timeout = '800ms';
                """
            )
            let owned = fixture.connected(as: role)
            let backup = try await owned.backup(
                """
                {root_location: \(fixture.folder), location: '{table}', tables: [
                  {query: "select pg_sleep(1.5)::text as waited", location: slow}, t]}
                """
            )
            #expect(backup.failed.map(\.message) == [])
            #expect(backup.finished.count == 2)
            let restore = try await owned.restore(
                "{root_location: \(fixture.folder), location: '{table}', truncate: true, triggers: fire, tables: [t]}"
            )
            #expect(restore.failed.map(\.message) == [])
            #expect(restore.finished.map(\.totals.rows) == [1])
        }
    }

    @Test("Limits on time of the role do not break a backup, and its manifest is written")
    func limits() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(
                fixture.source,
                """
                create table t (id int); insert into t values (1); grant select on t to \(role);
                create table m (transaction int, action text, "table" text, file_path text);
                grant select, insert on m to \(role);
                alter role \(role) set statement_timeout = '800ms'; alter role \(role) set lock_timeout = '300ms';
                alter role \(role) set idle_session_timeout = '800ms';
                alter role \(role) set idle_in_transaction_session_timeout = '800ms';
                """
            )
            let report = try await fixture.connected(as: role).backup(
                """
                {root_location: \(fixture.folder), location: '{table}', filename: data.csv, manifest: public.m, tables: [
                  {query: "select pg_sleep(2)::text as waited", location: slow}, t]}
                """
            )
            #expect(report.failed.isEmpty, "\(report.failed)")
            #expect(report.finished.count == 2)
            #expect(try await fixture.rows(fixture.source, "select \"table\" from m") == ["public.t"])
        }
    }

    @Test("A role under row-level security exports what it sees only if the configuration says so")
    func rowSecurity() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(
                fixture.source,
                """
                create table t (id int, who text); insert into t values (1, '\(role)'), (2, 'other');
                alter table t enable row level security; create policy p on t using (who = current_user);
                grant select on t to \(role);
                """
            )
            let user = fixture.connected(as: role)
            let tables = "[t, {query: 'select count(*) as n from t', location: q}]"
            let refused = try await user.backup(fixture.yaml(tables))
            #expect(refused.finished.isEmpty)
            #expect(refused.failed.count == 2)
            #expect(refused.failed.allSatisfy { $0.hint?.contains("'row_security: true'") == true })
            #expect(try fixture.files().isEmpty)

            let allowed = try await user.backup(
                """
                {root_location: \(fixture.folder), location: '{table}', filename: data.csv, row_security: true,
                 tables: [t, {query: 'select count(*) as n from t', location: q},
                          {name: t, location: other, query: 'select 1 from {table}', row_security: false}]}
                """
            )
            #expect(allowed.failed.count == 1)
            #expect(try fixture.text("public.t/data.csv") == "id,who\n1,\(role)\n")
            #expect(try fixture.text("q/data.csv") == "n\n1\n")
        }
    }
}
