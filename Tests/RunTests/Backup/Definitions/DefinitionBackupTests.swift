import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Backups with definitions")
struct DefinitionBackupTests {
    @Test(
        "A glob that finds functions and no table is answered, and one that finds nothing is reported",
        arguments: [false, true]
    )
    func schemaOfFunctions(isStrict: Bool) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table t (id int); insert into t values (1); create schema empty;
                create schema fn; create function fn.two() returns int language sql as 'select 2';
                create schema views; create view views.v as select 1 as x;
                """
            )
            let yaml = fixture.ddlYAML("['public.*', 'fn.*', 'views.*']", "strict: \(isStrict)")
            let (backupEvents, restoreEvents) = (EventLog(), EventLog())
            #expect(try await fixture.backup(yaml, events: backupEvents).failed.map(\.message) == [])
            #expect(try await fixture.restore(yaml, events: restoreEvents).failed.map(\.message) == [])
            #expect(backupEvents.warnings + restoreEvents.warnings == [])
            #expect(try await fixture.rows(fixture.target, "select fn.two()") == ["2"])
            let events = EventLog()
            _ = try await fixture.backup(fixture.ddlYAML("['public.*', 'empty.*']"), events: events)
            #expect(events.warnings.map { $0.hasSuffix("'empty.*' matches no table") } == [true], "\(events.warnings)")
            let error = await #expect(throws: DatabudgieError.self) {
                try await fixture.backup(fixture.ddlYAML("['fn.*']"))
            }
            #expect(error?.message.contains("'fn.*' matches no table") == true, "\(String(describing: error))")
        }
    }

    @Test("A database with one of almost everything is restored as it was, with rows and sequences")
    func everything() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(fixture.source, RichSchema.definitions(role: role))
            try await fixture.execute(fixture.source, RichSchema.rows)
            let yaml = fixture.ddlYAML(
                "['app.*', 'Odd.Schema.*', app.v, app.v_on_pk, app.mv, app.v_on_mv, app.mv_on_pk]"
            )
            let events = EventLog()
            let backup = try await fixture.backup(yaml, events: events)
            #expect(backup.failed.isEmpty)
            #expect(events.warnings.isEmpty)
            let restore = try await fixture.restore(yaml, events: events)
            #expect(restore.failed.isEmpty)
            #expect(events.warnings.isEmpty)
            try await fixture.expectEqualDefinitions()
            for table in [
                "app.customer", "app.orders", "app.event", "types.event_2025", "app.event_note", "only app.base",
                "app.child", "app.room", "app.\"ünï☃\"", "\"Odd.Schema\".\"tab\nline\"", "app.mv", "app.mv_on_pk",
                "app.\"Quo\"\"ted.na,me\"", "app.secret", "app.code_seq", "app.unused_seq", "app.orders_id_seq",
                "app.customer_id_seq", "app.room_id_seq",
            ] {
                let expected = try await fixture.rows(fixture.source, Self.digest(table))
                #expect(try await fixture.rows(fixture.target, Self.digest(table)) == expected, "\(table)")
            }
        }
    }

    /// The rows of a table, or the position of a sequence.
    private static func digest(_ table: String) -> String {
        table.hasSuffix("_seq")
            ? "select last_value, is_called from \(table)" : "select t::text from \(table) t order by 1"
    }

    @Test("One table brings its types, functions and extension from other schemas, and no other table")
    func oneTable() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(fixture.source, RichSchema.definitions(role: role))
            try await fixture.execute(fixture.source, RichSchema.rows)
            let events = EventLog()
            _ = try await fixture.backup(fixture.ddlYAML("[app.customer]"))
            let report = try await fixture.restore(fixture.ddlYAML("[app.customer]"), events: events)
            #expect(report.failed.isEmpty)
            let tables = try await fixture.names(fixture.target).filter { !$0.contains("(") && !$0.hasSuffix("_seq") }
            #expect(tables == ["app.customer"])
            #expect(
                try await fixture.rows(fixture.target, "select mail, code, twice from app.customer order by id") == [
                    "a@b|c100|6", "B@c|c105|8",
                ]
            )
            #expect(events.warnings.contains { $0.contains("a foreign key of app.customer is skipped") })
            #expect(
                try await fixture.rows(fixture.target, "select conname from pg_constraint where contype = 'f'")
                    == ["customer_parent_id_fkey"]
            )
        }
    }

    @Test("A leaf alone brings its partitioned table, empty, and none of the other partitions")
    func leaf() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.partitioned)
            try await fixture.copy(fixture.ddlYAML("[p_a]"))
            #expect(try await fixture.names(fixture.target) == ["p", "p_a"])
            #expect(try await fixture.rows(fixture.target, "select id from p") == ["1"])
        }
    }

    private static let partitioned = """
        create schema far; create table p (id int primary key) partition by range (id);
        create table p_a partition of p for values from (0) to (10);
        create table far.p_b partition of p for values from (10) to (20) partition by range (id);
        create table far.p_b_1 partition of far.p_b default;
        insert into p values (1), (11);
        """

    @Test("A partitioned table brings its partitions, also from other schemas and when they exist already")
    func partitions() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.partitioned)
            try await fixture.copy(fixture.ddlYAML("[p]"))
            try await fixture.expectEqualDefinitions()
            try await fixture.execute(fixture.target, "insert into p values (2), (12)")
            let report = try await fixture.restore(fixture.ddlYAML("[p]"))
            #expect(report.failed.isEmpty)
            try await fixture.expectEqualDefinitions()
            #expect(try await fixture.rows(fixture.target, "select id from p order by 1") == ["1", "11"])
        }
    }

    @Test("Locations without {table} hold all definitions of an entry in one file")
    func oneFile() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                "create schema s; create type s.e as enum ('x'); create table s.t (e s.e); create table u (id serial)"
            )
            let yaml = """
                {root_location: \(fixture.folder), ddl: true, tables: [{name: 's.t', location: one}, {name: u, location: two}]}
                """
            try await fixture.copy(yaml)
            try await fixture.expectEqualDefinitions()
            #expect(try fixture.files().filter { $0.contains("one/ddl") }.count == 1)
        }
    }

    @Test("A table in two entries has its definition once in each place, and is created once")
    func twice() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                "create table t (id serial primary key); insert into t values (1), (2)"
            )
            let yaml = """
                {root_location: \(fixture.folder), ddl: true, tables: [
                  {name: t, location: 'low/{table}', query: 'select * from {table} where id = 1'},
                  {name: t, location: 'high/{table}', query: 'select * from {table} where id = 2'}]}
                """
            try await fixture.copy(yaml)
            try await fixture.expectEqualDefinitions()
            #expect(try await fixture.rows(fixture.target, "select id from t order by id") == ["1", "2"])
        }
    }

    @Test("Entries with ddl: false, and runs without ddl, write no definitions")
    func withoutDefinitions() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table a (id int); create table b (id int)")
            _ = try await fixture.backup(fixture.ddlYAML("[{name: a, ddl: false}, {name: b, data: false}]"))
            let files = try fixture.files().map { $0.split(separator: "/").dropLast().joined(separator: "/") }
            #expect(files == ["backups/ddl", "public.a", "public.b/ddl"])
            _ = try await fixture.restore(fixture.ddlYAML("[{name: b, data: false}]"))
            #expect(try await fixture.names(fixture.target) == ["b"])
        }
    }

    @Test("A dry run writes nothing, though it reads the definitions")
    func dryRun() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table a (id int)")
            _ = try await fixture.backup(fixture.ddlYAML("[a]"), isDryRun: true)
            #expect(try fixture.files().isEmpty)
        }
    }

    @Test("A role that can read only its own table backs that table up")
    func restrictedRole() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(
                fixture.source,
                """
                create schema hidden; create table hidden.h (id int primary key); create table other (id int primary key);
                create table own (id int primary key references other);
                insert into other values (1); insert into own values (1);
                alter table own owner to \(quotedIdentifier(role));
                """
            )
            let report = try await fixture.connected(as: role).backup(fixture.ddlYAML("[own]"))
            #expect(report.failed.isEmpty)
            #expect(report.finished.map(\.totals.rows) == [1])
            _ = try await fixture.restore(fixture.ddlYAML("[own]"))
            #expect(try await fixture.names(fixture.target) == ["own"])
        }
    }

    @Test("A sequence of no table is created with its value, and one that exists keeps its value")
    func standaloneSequence() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                "create table t (id int); create sequence used; select nextval('used'), nextval('used'); create sequence fresh"
            )
            let yaml = fixture.ddlYAML("[t]")
            try await fixture.copy(yaml)
            let positions = "select last_value, is_called from used union all select last_value, is_called from fresh"
            #expect(try await fixture.rows(fixture.target, positions) == ["2|t", "1|f"])
            try await fixture.execute(fixture.target, "select setval('used', 70)")
            _ = try await fixture.restore(yaml)
            #expect(try await fixture.rows(fixture.target, positions) == ["70|t", "1|f"])
        }
    }
}

@Suite("pg_dump")
struct DefinitionToolTests {
    private func refused(
        _ code: DatabudgieError.Code,
        _ path: (RunFixture) throws -> String
    ) async throws -> [String] {
        var messages: [String] = []
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (id int)")
            let path = try path(fixture)
            let error = await #expect(throws: DatabudgieError.self) {
                try await fixture.backup(fixture.ddlYAML("[t]"), path: path)
            }
            #expect(error?.code == code)
            #expect(try fixture.files().filter { !$0.hasPrefix("bin/") }.isEmpty)
            messages = error?.problems.map(\.description) ?? []
        }
        return messages
    }

    @Test("A missing pg_dump is reported before anything is written")
    func missing() async throws {
        let messages = try await refused(.configuration) { $0.folder }
        #expect(messages.first?.hasPrefix("pg_dump, which reads the definitions of tables, was not found") == true)
    }

    @Test("A pg_dump that is older than the server is reported before anything is written")
    func old() async throws {
        let messages = try await refused(.configuration) { fixture in
            try fixture.path(withFake: "pg_dump", "echo 'pg_dump (PostgreSQL) 9.6.24'\n")
        }
        #expect(messages.first?.contains("pg_dump 9 cannot dump a server of version") == true)
    }

    @Test("A pg_dump that fails half-way leaves no files, and its message is reported")
    func failing() async throws {
        let messages = try await refused(.database) { fixture in
            try fixture.path(
                withFake: "pg_dump",
                """
                [ "$1" = --version ] && { echo 'pg_dump (PostgreSQL) 99.1'; exit; }
                for argument; do case "$argument" in --file=*) echo PGDMP > "${argument#--file=}";; esac; done
                echo 'pg_dump: error: out of luck' >&2; exit 1
                """
            )
        }
        #expect(messages.first?.contains("out of luck") == true)
    }

    @Test("The password is in the environment of pg_dump and not in its arguments")
    func password() async throws {
        try await PostgresServer.withRole("LOGIN SUPERUSER PASSWORD 'pa ss''word'") { role in
            try await RunFixture.with { fixture in
                try await fixture.execute(fixture.source, "create table t (id int)")
                var source = fixture.connected(as: role).source
                source.keywords["password"] = "pa ss'word"
                let known = RunFixture(source: source, target: fixture.target, folder: fixture.folder)
                let path = try known.path(
                    withFake: "pg_dump",
                    """
                    printf '%s\\n' "$@" >> '\(fixture.folder)/arguments'
                    printf '%s\\n' "$PGPASSWORD" >> '\(fixture.folder)/password'
                    exec /usr/bin/env PATH="${PATH#*:}" pg_dump "$@"
                    """
                )
                let report = try await known.backup(known.ddlYAML("[t]"), path: path)
                #expect(report.failed.isEmpty)
                #expect(try !fixture.text("arguments").contains("word'"))
                #expect(try fixture.text("arguments").contains("--no-password"))
                #expect(try fixture.text("password").hasSuffix("\npa ss'word\n"))
            }
        }
    }
}
