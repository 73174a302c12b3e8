import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Privileges and policies of restored definitions")
struct PrivilegeTests {
    /// Two databases, a role that stays, and one that is dropped after the backup.
    private func withMissingRole(
        _ sql: (_ role: String, _ gone: String) -> String,
        _ body: (RunFixture, _ role: String, _ gone: String) async throws -> Void
    ) async throws {
        try await RunFixture.withRole { fixture, role in
            var name = ""
            try await PostgresServer.withRole { gone in
                name = gone
                try await fixture.execute(fixture.source, sql(role, gone))
                _ = try await fixture.backup(fixture.ddlYAML("['*.*']"))
                try await fixture.execute(fixture.source, "drop schema if exists app cascade; drop owned by \(gone)")
            }
            try await body(fixture, role, name)
            for database in [fixture.source, fixture.target] {
                try await fixture.execute(database, "drop owned by \(role)")
            }
        }
    }

    @Test("A missing role costs neither the revocations nor the grants to others")
    func missingRole() async throws {
        try await withMissingRole { role, gone in
            """
            create schema app; create table app.t (id int); grant usage on schema app to \(gone), \(role);
            create function app.f() returns int security definer language sql as 'select 1';
            revoke all on function app.f() from public; grant execute on function app.f() to \(gone), \(role);
            grant select on app.t to \(gone) with grant option;
            set session authorization \(gone); grant select on app.t to public; reset session authorization;
            grant select, insert on app.t to \(role);
            """
        } _: { fixture, role, gone in
            let events = EventLog()
            let report = try await fixture.restore(fixture.ddlYAML("['*.*']"), events: events)
            #expect(report.failed.isEmpty, "\(report.failed)")
            #expect(events.warnings.contains { $0.contains("could not be set: role \"\(gone)\" does not exist") })
            let privileges = """
                select 'f', a.grantee::regrole::text, privilege_type from pg_proc, aclexplode(proacl) a where proname = 'f'
                union all select 't', case grantee when 0 then 'public' else grantee::regrole::text end, privilege_type
                from pg_class, aclexplode(relacl) a where relname = 't'
                union all select 's', grantee::regrole::text, privilege_type
                from pg_namespace, aclexplode(nspacl) a where nspname = 'app' order by 1, 2, 3
                """
            let given = try await fixture.rows(fixture.target, privileges).filter { !$0.contains("|postgres|") }
            #expect(given == ["f|\(role)|EXECUTE", "s|\(role)|USAGE", "t|\(role)|INSERT", "t|\(role)|SELECT"])
        }
    }

    @Test("A policy is created for the roles that exist, and one for nobody is skipped with a warning")
    func policies() async throws {
        try await withMissingRole { role, gone in
            """
            create schema app; create table app.t (tenant int); alter table app.t enable row level security;
            create policy everybody on app.t using (true);
            create policy own on app.t as restrictive to \(gone), \(role) using (tenant = 1);
            create policy nobody on app.t as restrictive to \(gone) using (false); comment on policy nobody on app.t is 'x';
            grant usage on schema app to \(role); grant select on app.t to \(role); insert into app.t values (1), (2);
            """
        } _: { fixture, role, gone in
            let events = EventLog()
            let report = try await fixture.restore(fixture.ddlYAML("['*.*']"), events: events)
            #expect(report.failed.isEmpty, "\(report.failed)")
            #expect(
                events.warnings.contains("a policy of app.t is skipped: none of its roles exists (\(gone))")
            )
            #expect(events.warnings.contains("a policy of app.t is created without the missing role \(gone)"))
            #expect(try await fixture.rows(fixture.connected(as: role).target, "select tenant from app.t") == ["1"])
        }
    }

    @Test("A restrictive policy that cannot be created is a failure")
    func restrictivePolicy() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table t (id int); alter table t enable row level security;
                create policy p on t as restrictive using (id = 1);
                """
            )
            let yaml = fixture.ddlYAML("['public.*']")
            _ = try await fixture.backup(yaml)
            let file = try #require(try fixture.files().first { $0.hasPrefix("public.t/ddl/") })
            try fixture.write(fixture.text(file).replacing("(id = 1)", with: "(id = 1::nothing)"), to: file)
            try fixture.forgetSets()
            let report = try await fixture.restore(yaml)
            #expect(report.failed.map(\.job.description) == ["public.t"])
            #expect(report.failed.first?.message.contains("type \"nothing\" does not exist") == true)
            #expect(
                try await fixture.rows(fixture.target, "select relrowsecurity from pg_class where relname = 't'") == [
                    "t"
                ]
            )
        }
    }

    @Test("Default privileges of the target neither widen nor narrow what is created, again and again")
    func defaultPrivileges() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(
                fixture.source,
                """
                create schema app; create table app.secret (id int generated always as identity, n serial);
                create table app.open (id int); grant select on app.open to \(role);
                create view app.v as select 1; create sequence app.q; create domain app.d as int; create type app.c as (a int);
                create function app.f() returns int language sql as 'select 1';
                create function app.f(int) returns int language sql as 'select 1';
                create aggregate app.most(int) (sfunc = int4larger, stype = int);
                revoke all on function app.f(int) from public; create procedure app.p() language sql as '';
                """
            )
            // Owned by another role, to which the privileges are given on.
            try await fixture.execute(
                fixture.target,
                """
                alter default privileges grant all on tables to \(role); alter default privileges grant all on sequences to \(role);
                alter default privileges grant all on functions to \(role); alter default privileges grant all on types to \(role);
                alter default privileges grant all on schemas to \(role), public;
                alter default privileges revoke execute on functions from public;
                create schema other; create table other.kept (id int); create schema app; drop schema app;
                """
            )
            let yaml = fixture.ddlYAML("['app.*', app.v]")
            let kept = "select relacl from pg_class where relname = 'kept'"
            let before = try await fixture.rows(fixture.target, kept)
            try #require(before != ["NULL"])
            _ = try await fixture.backup(yaml)
            let privileges = """
                select o.name, array(select unnest(o.acl)::text order by 1) from (
                    select oid::regclass::text, relnamespace,
                        coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner))
                        from pg_class where relkind in ('r', 'v', 'S')
                    union all select oid::regprocedure::text, pronamespace, coalesce(proacl, acldefault('f', proowner))
                        from pg_proc
                    union all select oid::regtype::text, typnamespace, coalesce(typacl, acldefault('T', typowner))
                        from pg_type
                    union all select nspname, oid, coalesce(nspacl, acldefault('n', nspowner)) from pg_namespace
                ) o (name, namespace, acl) where namespace = 'app'::regnamespace order by 1, 2
                """
            let expected = try await fixture.rows(fixture.source, privileges)
            try #require(expected.count > 14)
            for _ in 1...2 {
                #expect(try await fixture.restore(yaml).failed.isEmpty)
                #expect(try await fixture.rows(fixture.target, privileges) == expected)
            }
            #expect(try await fixture.rows(fixture.target, kept) == before)
            try await fixture.execute(fixture.target, "drop owned by \(role)")
            try await fixture.execute(fixture.source, "drop owned by \(role)")
        }
    }

    @Test("Nobody but its owner reads a table with row security while it is loaded, and its owner may load it")
    func rowSecurity() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.onBoth("create schema app authorization \(role)")
            let database = quotedIdentifier(fixture.target.keywords["dbname"] ?? "")
            try await fixture.execute(fixture.target, "grant create on database \(database) to \(role)")
            let owner = fixture.connected(as: role)
            try await owner.execute(
                owner.source,
                """
                create table app.a (id int); alter table app.a enable row level security; alter table app.a force row level security;
                create policy p on app.a using (id = 1); insert into app.a values (1);
                create table app.b (id int); alter table app.b enable row level security;
                """
            )
            let yaml = fixture.ddlYAML("['app.*']")
            _ = try await fixture.backup(yaml)
            let security =
                "select relname, relrowsecurity, relforcerowsecurity from pg_class where relname in ('a', 'b') order by 1"
            // Where the restore stops at the rows, the tables are closed already.
            let file = try #require(try fixture.files().first { $0.hasPrefix("app.a/") && $0.hasSuffix(".csv") })
            let text = try fixture.text(file)
            try fixture.write("id\nx\n", to: file)
            try fixture.forgetSets()
            let report = try await owner.restore(fixture.ddlYAML("['app.*']", "strict: true"))
            #expect(report.failed.contains { $0.job.description == "app.a" })
            #expect(try await fixture.rows(fixture.target, security) == ["a|t|f", "b|t|f"])
            try fixture.write(text, to: file)
            for _ in 1...2 {
                let report = try await owner.restore(yaml)
                #expect(report.failed.isEmpty, "\(report.failed)")
                #expect(try await fixture.rows(fixture.target, security) == ["a|t|t", "b|t|f"])
                #expect(try await fixture.rows(fixture.target, "select count(*) from app.a") == ["1"])
            }
            try await fixture.execute(fixture.target, "drop schema app cascade")
            try await fixture.execute(fixture.source, "drop schema app cascade")
        }
    }

    @Test("Comment and privileges of the schema public are restored where nobody has changed them")
    func publicSchema() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(
                fixture.source,
                """
                create table t (id int); comment on schema public is 'ours, not "theirs"';
                revoke usage on schema public from public; grant usage, create on schema public to \(role);
                """
            )
            let yaml = fixture.ddlYAML("['public.*']")
            let events = EventLog()
            let state = "select obj_description(oid, 'pg_namespace'), nspacl from pg_namespace where nspname = 'public'"
            _ = try await fixture.backup(yaml)
            let expected = try await fixture.rows(fixture.source, state)
            for _ in 1...2 {
                #expect(try await fixture.restore(yaml, events: events).failed.isEmpty)
                #expect(try await fixture.rows(fixture.target, state) == expected)
            }
            #expect(events.warnings.isEmpty, "\(events.warnings)")
            try await fixture.execute(
                fixture.target,
                "comment on schema public is 'mine'; grant create on schema public to public"
            )
            let own = try await fixture.rows(fixture.target, state)
            #expect(try await fixture.restore(yaml).failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, state) == own)
            for database in [fixture.source, fixture.target] {
                try await fixture.execute(database, "drop owned by \(role)")
            }
        }
    }

    @Test("Definitions are run by the role of run_as, and everything else by the connection's")
    func runAs() async throws {
        try await RunFixture.withRole("NOLOGIN") { fixture, role in
            try await fixture.execute(fixture.source, "create table t (id int); insert into t values (1)")
            let database = quotedIdentifier(fixture.target.keywords["dbname"] ?? "")
            try await fixture.execute(
                fixture.target,
                "grant create on schema public to \(role); grant create on database \(database) to \(role); create table t (old int)"
            )
            let yaml = fixture.ddlYAML("['public.*']").replacing(
                "ddl: true",
                with: "ddl: {enabled: true, run_as: \(role)}"
            )
            _ = try await fixture.backup(yaml)
            for _ in 1...2 {
                let events = EventLog()
                let report = try await fixture.restore(yaml, events: events)
                #expect(report.failed.isEmpty, "\(report.failed)")
                #expect(
                    events.all.contains {
                        guard case .runningDefinitions(let source) = $0 else { return false }
                        return source.role == role && !source.isSuperuser
                            && source.locations == ["\(fixture.folder)/public.t/ddl"]
                    }
                )
                // It may not give the table to its owner in the source.
                #expect(events.warnings.contains { $0.contains("an owner or a privilege could not be set") })
                let owner = "select relowner::regrole::text, (select count(*) from t) from pg_class where relname = 't'"
                #expect(try await fixture.rows(fixture.target, owner) == ["\(role)|1"])
            }
            try await fixture.execute(fixture.target, "drop owned by \(role)")
        }
    }

    @Test(
        "A role of run_as that does not exist, or is not the session's to take, is refused before anything is changed"
    )
    func refusedRunAs() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(fixture.source, "create table t (id int)")
            let yaml = fixture.ddlYAML("['public.*']")
            _ = try await fixture.backup(yaml)
            func lines(_ fixture: RunFixture, _ name: String, clean: Bool = false) async -> [String] {
                await fixture.preflightLines(
                    yaml.replacing("ddl: true", with: "ddl: {enabled: true, run_as: \(name), clean: \(clean)}")
                )
            }
            #expect(
                await lines(fixture, "no_such_role").first?.hasPrefix("the role no_such_role, which 'ddl.run_as'")
                    == true
            )
            let refused = await lines(fixture.connected(as: role), "postgres")
            #expect(refused.first?.hasPrefix("the role \(role) is not allowed to become postgres") == true)
            try await fixture.execute(fixture.target, "create table mine (id int)")
            var configuration = try fixture.configuration(
                yaml.replacing("ddl: true", with: "ddl: {enabled: true, run_as: no_such_role, clean: true}")
            )
            configuration.restore.assumesYes = true
            let error = await #expect(throws: DatabudgieError.self) { try await RestoreRun(configuration).run() }
            #expect(error?.effect == .nothingChanged)
            #expect(try await fixture.names(fixture.target) == ["mine"])
        }
    }

    @Test("One table's ddl is enough: it is replaced, and the others are loaded as they are")
    func oneTable() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                "create table a (id int); create table b (id int, n text); insert into a values (1); insert into b values (2)"
            )
            try await fixture.execute(fixture.target, "create table a (id int primary key); create table b (old int)")
            let yaml = fixture.ddlYAML("{a: , b: {ddl: {enabled: true}}}").replacing("ddl: true, ", with: "")
            try await fixture.copy(yaml)
            #expect(
                try fixture.files().filter { $0.contains("/ddl/") && $0.hasSuffix(".sql") }.map { $0.prefix(8) } == [
                    "public.b"
                ]
            )
            #expect(try await fixture.rows(fixture.target, "select a.id, b.id, n from a, b") == ["1|2|NULL"])
            #expect(
                try await fixture.rows(fixture.target, "select count(*) from pg_index where indrelid = 'a'::regclass")
                    == ["1"]
            )
        }
    }
}
