import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

/// Names that close a quote too early, and go on as SQL, for whatever takes a quote and the mark after it for one Character.
@Suite("Hostile names in runs")
struct HostileNameRunTests {
    private static let marks = ["\u{301}", "\u{200D}", "\u{FE0F}", "\u{20DD}"]

    /// Each quote with each mark, and behind it what calls `att.f()` in an identifier or a string constant.
    private static let names = marks.flatMap { mark in
        ["x\"\(mark),lateral(select att.f())q--", "x'\(mark)||att.f()||'", "x\\\(mark)'||att.f()--"]
    }

    /// The schemas and tables of all tests; the schema of a hostile name exists as well.
    private static let tables = names.flatMap { name in
        ["att", name].map { QualifiedName(schema: $0, name: name) }
    }

    /// What is needed for the rest of a name to be valid SQL, and a function that leaves a trace when it is called: a row,
    /// or the failure of a transaction that only reads.
    private static let trap = """
        create schema att; create schema log; create table log.call (id int);
        create function att.f() returns int language plpgsql as
            $$begin insert into log.call values (1); return 0; end$$;
        create table public.x (id int); create table att.x (id int); insert into att.x values (1);

        """

    private func schema(_ table: QualifiedName) -> String {
        let name = table.name
        let (schema, quoted) = (quotedIdentifier(table.schema), quotedIdentifier(name))
        return """
            create schema if not exists \(schema);
            create table \(table.quoted) (id int constraint \(quotedIdentifier(name + "k")) primary key, \(quoted) int);
            create sequence \(schema).\(quotedIdentifier(name + "s")) owned by \(table.quoted).\(quoted);
            create table \(schema).\(quotedIdentifier(name + "t"))
                (id int primary key, \(quoted) int constraint \(quoted) references \(table.quoted));
            alter table \(table.quoted)
                add constraint \(quoted) foreign key (\(quoted)) references \(schema).\(quotedIdentifier(name + "t"));

            """
    }

    private func data(_ table: QualifiedName) -> String {
        let (schema, quoted) = (quotedIdentifier(table.schema), quotedIdentifier(table.name))
        let sequence = QualifiedName(schema: table.schema, name: table.name + "s").quoted
        return """
            insert into \(table.quoted) values (1, null), (2, null);
            insert into \(schema).\(quotedIdentifier(table.name + "t")) values (7, 1);
            update \(table.quoted) set \(quoted) = 7 where id = 1;
            select pg_catalog.setval(\(quotedLiteral(sequence)), 42);

            """
    }

    private func queries(_ table: QualifiedName) -> [String] {
        let other = QualifiedName(schema: table.schema, name: table.name + "t").quoted
        let sequence = QualifiedName(schema: table.schema, name: table.name + "s").quoted
        return [
            "select * from \(table.quoted) order by id", "select * from \(other) order by id",
            "select last_value, is_called from \(sequence)",
        ]
    }

    /// Every relation, function and constraint outside of the server's own schemas.
    private static let objects = """
        select n.nspname, relkind, relname from pg_class c join pg_namespace n on n.oid = relnamespace
            where nspname !~ '^pg_' and nspname <> 'information_schema'
        union all select n.nspname, 'f', proname from pg_proc p join pg_namespace n on n.oid = pronamespace
            where nspname !~ '^pg_' and nspname <> 'information_schema'
        union all select n.nspname, contype, concat(conname, ' ', condeferrable) from pg_constraint c
            join pg_namespace n on n.oid = connamespace where nspname !~ '^pg_' and nspname <> 'information_schema'
        order by 1, 2, 3
        """

    @Test("Rows and sequences come back from under hostile names, and nothing in a name is run")
    func roundTrip() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(Self.trap + Self.tables.map(schema).joined())
            try await fixture.execute(fixture.source, Self.tables.map(data).joined())
            let before = try await fixture.rows(fixture.source, Self.objects)
            let yaml = fixture.yaml("[{name: '*.*', exclude: ['log.*']}]")
            // The second time there are rows to be truncated.
            for _ in 1...2 {
                #expect(try await fixture.backup(yaml).failed.map(\.message) == [])
                let log = EventLog()
                let restored = try await fixture.restore(yaml, events: log)
                #expect(restored.failed.map(\.message) == [])
                #expect(restored.finished.count == 2 * Self.tables.count + 2)
                #expect(log.warnings == [])
                for query in Self.tables.flatMap(queries) {
                    let expected = try await fixture.rows(fixture.source, query)
                    #expect(!expected.isEmpty)
                    #expect(try await fixture.rows(fixture.target, query) == expected)
                }
            }
            for database in [fixture.source, fixture.target] {
                #expect(try await fixture.rows(database, "select * from log.call") == [])
                #expect(try await fixture.rows(database, Self.objects) == before)
            }
        }
    }

    @Test("A name that continues as SQL calls no function, whoever backs up", arguments: marks)
    func exploit(mark: String) async throws {
        try await RunFixture.with { fixture in
            let sequence = QualifiedName(schema: "att", name: "s\"\(mark),lateral(select att.f())q--")
            try await fixture.onBoth(
                Self.trap + "create table att.t (id int); create sequence att.s;"
                    + "create sequence \(sequence.quoted) owned by att.t.id;"
            )
            try await fixture.execute(
                fixture.source,
                "insert into att.t values (1); select setval(\(quotedLiteral(sequence.quoted)), 5)"
            )
            let log = EventLog()
            let yaml = fixture.yaml("[att.t]")
            #expect(try await fixture.backup(yaml, events: log).failed.map(\.message) == [])
            #expect(try await fixture.restore(yaml, events: log).failed.map(\.message) == [])
            #expect(log.warnings == [])
            #expect(try await fixture.rows(fixture.target, "select last_value from \(sequence.quoted)") == ["5"])
            for database in [fixture.source, fixture.target] {
                #expect(try await fixture.rows(database, "select * from log.call") == [])
            }
        }
    }

    @Test("A manifest of a hostile name is read and written")
    func manifest() async throws {
        for name in Self.marks.flatMap({ mark in ["\"", "'", "\\"].map { "m\($0)\(mark)--" } }) {
            try await RunFixture.with { fixture in
                try await fixture.onBoth(Self.trap + "create table public.t (id int)")
                try await fixture.execute(fixture.source, "insert into public.t values (1)")
                let manifest = ManifestTable(name: QualifiedName(schema: "public", name: name))
                try await fixture.onBoth(manifest.definition)
                var configuration = try fixture.configuration(fixture.yaml("[t]"))
                configuration.backup.run.manifest = "public." + name
                configuration.restore.run.manifest = configuration.backup.run.manifest
                #expect(try await BackupRun(configuration).run().failed.map(\.message) == [])
                #expect(try await RestoreRun(configuration).run().failed.map(\.message) == [])
                for database in [fixture.source, fixture.target] {
                    let rows = try await fixture.rows(database, "select \"table\" from \(manifest.name.quoted)")
                    #expect(rows == ["public.t"])
                    #expect(try await fixture.rows(database, "select * from log.call") == [])
                }
            }
        }
    }

    @Test("A role and a database of hostile names are connected to, by us and by pg_dump")
    func roleAndDatabase() async throws {
        for name in Self.names {
            try await PostgresServer.withRole(named: name) { role in
                try await PostgresServer.shared.withDatabase(named: name) { source in
                    try await PostgresServer.withDatabase { target in
                        try await withTemporaryFolder { folder in
                            let fixture = RunFixture(source: source, target: target, folder: folder)
                            try await fixture.execute(source, "grant all on schema public to \(quotedIdentifier(role))")
                            let asRole = fixture.connected(as: role)
                            let table = "create table public.t (id int)"
                            try await fixture.execute(asRole.source, table + "; insert into t values (1), (2)")
                            try await fixture.execute(target, table)
                            let place = "select current_user, current_database()"
                            let names = try await asRole.rows(asRole.source, place)
                            #expect(names.map { Array($0.utf8) } == [Array("\(name)|\(name)".utf8)])
                            #expect(try await asRole.backup(asRole.ddlYAML("[t]")).failed.map(\.message) == [])
                            let definition = try #require(try fixture.files().first { $0.hasSuffix(".sql") })
                            #expect(try fixture.text(definition).utf8.contains("CREATE TABLE public.t (".utf8))
                            #expect(try await fixture.restore(fixture.yaml("[t]")).failed.map(\.message) == [])
                            #expect(try await fixture.rows(target, "select id from t order by id") == ["1", "2"])
                            try await fixture.execute(source, "drop owned by \(quotedIdentifier(role))")
                        }
                    }
                }
            }
        }
    }
}
