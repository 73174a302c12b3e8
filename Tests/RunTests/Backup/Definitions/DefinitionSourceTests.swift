import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Sources that definitions are read from")
struct DefinitionSourceTests {
    private func withArguments(
        _ fixture: RunFixture,
        _ yaml: String,
        from source: RunFixture? = nil
    ) async throws -> [String] {
        let path = try fixture.path(
            withFake: "pg_dump",
            """
            printf '%s\\n' "$@" >> '\(fixture.folder)/arguments'
            exec /usr/bin/env PATH="${PATH#*:}" pg_dump "$@"
            """
        )
        let report = try await (source ?? fixture).backup(yaml, path: path)
        #expect(report.failed.map(\.message) == [])
        return try fixture.text("arguments").split(separator: "\n").map(String.init).filter {
            $0.hasPrefix("--exclude")
        }
    }

    @Test("One table among hundreds is backed up without a pattern for each of the others")
    func manyTables() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                do $$ begin for i in 1..300 loop
                    execute pg_catalog.format('create table %I (i int)', 'a_name_as_long_as_frameworks_make_them_' || i);
                end loop; end $$;
                create table t (i int); insert into t values (1);
                """
            )
            #expect(try await withArguments(fixture, fixture.ddlYAML("[t]")) == [])
            #expect(try await fixture.restore(fixture.ddlYAML("[t]")).failed.isEmpty)
            #expect(try await fixture.names(fixture.target) == ["t"])
        }
    }

    @Test("A table that another session has locked is not waited for when nobody asks for it")
    func lockedTable() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (i int); create table \"lo\"\"ck.ed|x*\" (i int)")
            try await Connection.withConnection(to: fixture.source) { blocker in
                try await blocker.withTransaction { blocker in
                    try await blocker.execute("lock table \"lo\"\"ck.ed|x*\" in access exclusive mode")
                    let patterns = try await withArguments(fixture, fixture.ddlYAML("[t]"))
                    #expect(patterns == ["--exclude-table=\"public\".\"lo\"\"ck.ed|x*\""])
                }
            }
        }
    }

    @Test("A source with standard_conforming_strings off is restored with its backslashes")
    func backslashes() async throws {
        try await RunFixture.with { fixture in
            let database = quotedIdentifier(fixture.source.keywords["dbname"] ?? "")
            try await fixture.execute(
                fixture.source,
                """
                alter database \(database) set standard_conforming_strings = off;
                alter database \(database) set escape_string_warning = off; set standard_conforming_strings = on;
                """
                    + #"""
                    create table t ("a\b" int, t text default 'x\y\\z"' check (t <> '\'));
                    comment on table t is '\ or \\''';
                    create function f() returns text language sql as $$ select E'\\n'::text || '\' $$;
                    create view v as select 'a\'::text as t from t; insert into t ("a\b") values (1);
                    """#
            )
            try await fixture.copy(fixture.ddlYAML("['public.*']"))
            for (query, text) in [
                ("select t from t", #"x\y\\z""#), ("select obj_description('t'::regclass)", #"\ or \\'"#),
                ("select t from v", #"a\"#),
                ("select prosrc from pg_proc where proname = 'f'", #" select E'\\n'::text || '\' "#),
                ("select attname from pg_attribute where attrelid = 't'::regclass and attnum = 1", #"a\b"#),
            ] {
                #expect(try await fixture.rows(fixture.source, query) == [text])
                #expect(try await fixture.rows(fixture.target, query) == [text])
            }
        }
    }

    @Test("A security label whose provider the target lacks is a warning, and the table is restored")
    func securityLabel() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table t (i int); set allow_system_table_mods = on;
                insert into pg_seclabel values ('t'::regclass, 'pg_class'::regclass, 0, 'nobody', 'top; secret');
                """
            )
            let events = EventLog()
            #expect(try await fixture.backup(fixture.ddlYAML("['public.*']"), events: events).failed.isEmpty)
            #expect(try await fixture.restore(fixture.ddlYAML("['public.*']"), events: events).failed.isEmpty)
            #expect(
                events.warnings == [
                    "a security label could not be set, because its provider nobody is not a module of the server"
                ]
            )
            #expect(try await fixture.names(fixture.target) == ["t"])
        }
    }

    @Test("A materialized view without data has no rows to back up, and stays without data")
    func unpopulated() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table t (i int); insert into t values (1);
                create materialized view m as select * from t with no data; create materialized view n as select * from t;
                """
            )
            let events = EventLog()
            let report = try await fixture.backup(fixture.ddlYAML("[t, m, n]"), events: events)
            #expect(report.failed.map(\.message) == [])
            #expect(report.finished.map(\.job.description).sorted() == ["public.n", "public.t"])
            #expect(events.notes.contains("public.m: it has not been populated, so only its definition is backed up"))
            #expect(try await fixture.restore(fixture.ddlYAML("[t, m, n]")).failed.isEmpty)
            let populated = "select relname, relispopulated from pg_class where relkind = 'm' order by 1"
            #expect(try await fixture.rows(fixture.target, populated) == ["m|f", "n|t"])
        }
    }
}
