import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Definitions that are run in one text")
struct DefinitionBatchTests {
    private func stored(
        _ order: Int,
        _ sql: String,
        _ type: String = "TABLE",
        of table: String? = nil,
        attachedTo: Int? = nil
    ) throws -> StoredDefinition {
        let definition = Definition(
            order: order,
            section: .preData,
            type: type,
            schema: "public",
            table: table ?? "t\(order)",
            attachedTo: attachedTo,
            sql: sql
        )
        return StoredDefinition(definition: definition, path: try StoragePath("/public.sql"))
    }

    private func tables(_ numbers: ClosedRange<Int>) throws -> [StoredDefinition] {
        try numbers.map { try stored($0, "CREATE TABLE public.t\($0) (id integer);") }
    }

    /// Runs definitions in the target, and commits what was done.
    private func run(
        _ definitions: [StoredDefinition],
        in fixture: RunFixture,
        mayExist: Set<QualifiedName> = [],
        role: String? = nil,
        events: EventLog = EventLog()
    ) async throws -> DefinitionRunner.Outcome {
        try await Connection.withConnection(to: fixture.target) { connection in
            try await connection.withTransaction(.writing, idleTimeout: nil) {
                try await DefinitionRunner(
                    connection: connection,
                    recorder: RunRecorder(onEvent: events.append),
                    mayExist: mayExist,
                    settled: SettledDefinitions(),
                    role: role
                ).run(definitions)
            }
        }
    }

    /// Has the target count the texts that its definitions come in.
    private func countTexts(_ fixture: RunFixture) async throws {
        try await fixture.execute(
            fixture.target,
            """
            create schema log; create table log.texts (text text primary key);
            create function log.add() returns event_trigger language plpgsql as $$ begin
                insert into log.texts values (md5(current_query())) on conflict do nothing;
            end $$;
            create event trigger texts on ddl_command_end execute function log.add();
            """
        )
    }

    private func created(_ fixture: RunFixture) async throws -> Int {
        let tables = "select count(*) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
        return try await fixture.rows(fixture.target, tables).first.flatMap(Int.init) ?? -1
    }

    @Test(
        "Fifty come in one text, and one of them that fails is named, costs two more texts, and keeps nothing from being run"
    )
    func failure() async throws {
        try await RunFixture.with { fixture in
            try await countTexts(fixture)
            var definitions = try tables(1...200)
            definitions[76].definition.sql = "CREATE TABLE public.t77 (id integer, id text);"
            let outcome = try await run(definitions, in: fixture)
            #expect(outcome.failures.map(\.definition.definition.table) == ["t77"])
            #expect(outcome.failures.first?.error.message == "column \"id\" specified more than once")
            #expect(try await created(fixture) == 199)
            #expect(try await fixture.rows(fixture.target, "select count(*) from log.texts") == ["5"])
        }
    }

    @Test("One that cannot be parsed is found among the others; one without an end swallows none of them")
    func syntax() async throws {
        try await RunFixture.with { fixture in
            try await countTexts(fixture)
            var definitions = try tables(1...120)
            definitions[33].definition.sql = "CREATE TABEL public.t34 (id integer);"
            definitions[70].definition.sql = "COMMENT ON TABLE public.t1 IS 'x"
            definitions[71].definition.sql = "CREATE TABLE public.t72 (v text DEFAULT 'it''s');"
            let outcome = try await run(definitions, in: fixture)
            #expect(outcome.failures.map(\.definition.definition.table) == ["t34", "t71"])
            #expect(outcome.failures.map(\.error.sqlState) == ["42601", "42601"])
            #expect(outcome.failures.first?.error.message == "syntax error at or near \"TABEL\"")
            #expect(try await created(fixture) == 118)
            let texts = try await fixture.rows(fixture.target, "select count(*) from log.texts")
            #expect(texts.first.flatMap(Int.init).map { $0 < 16 } == true, "\(texts)")
        }
    }

    @Test("What was done before a text that cannot be parsed stays, privileges that were taken back too")
    func parsedBefore() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(fixture.target, "alter default privileges grant all on tables to \(role)")
            var definitions = try tables(1...2)
            definitions.append(
                try stored(10, "GRANT SELEC ON TABL public.t1 TO \(role);", "ACL", of: "t1", attachedTo: 1)
            )
            definitions.append(try stored(3, "CREATE TABEL public.t3 (id integer);"))
            let outcome = try await run(definitions, in: fixture)
            #expect(outcome.failures.map(\.error.sqlState) == ["42601", "42601"])
            #expect(try await created(fixture) == 2)
            let acl = "select count(*) from pg_class, aclexplode(relacl) where grantee = '\(role)'::regrole"
            #expect(try await fixture.rows(fixture.target, acl) == ["0"])
            try await fixture.execute(fixture.target, "drop owned by \(role)")
        }
    }

    @Test("When all of them fail, each is named, and when none of them can be parsed")
    func allFail() async throws {
        try await RunFixture.with { fixture in
            let definitions = try tables(1...60)
            #expect(try await run(definitions, in: fixture).failures.isEmpty)
            let outcome = try await run(definitions, in: fixture)
            #expect(outcome.failures.map(\.definition.definition.table) == definitions.map(\.definition.table))
            #expect(Set(outcome.failures.map(\.error.sqlState)) == ["42P07"])
            var broken = definitions
            for index in broken.indices { broken[index].definition.sql = "CREATE TABEL public.x (id integer);" }
            #expect(try await run(broken, in: fixture).failures.count == 60)
        }
    }

    @Test("What misses something that comes later in the same text is run again after it")
    func order() async throws {
        try await RunFixture.with { fixture in
            let view = try stored(0, "CREATE VIEW public.v AS SELECT id FROM public.t9;", "VIEW", of: "v")
            let lost = try stored(99, "CREATE VIEW public.w AS SELECT id FROM public.nowhere;", "VIEW", of: "w")
            let outcome = try await run([view, lost] + tables(1...9), in: fixture)
            #expect(outcome.failures.map(\.definition.definition.table) == ["w"])
            #expect(outcome.failures.first?.error.sqlState == "42P01")
            #expect(try await fixture.rows(fixture.target, "select count(*) from v") == ["0"])
        }
    }

    @Test("What follows one that exists already is skipped with it, also in the same text")
    func existing() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t1 (other text)")
            var definitions = try tables(1...3)
            definitions.insert(
                try stored(10, "COMMENT ON TABLE public.t1 IS 'no';", "COMMENT", of: "t1", attachedTo: 1),
                at: 1
            )
            definitions.append(
                try stored(11, "COMMENT ON TABLE public.t2 IS 'yes';", "COMMENT", of: "t2", attachedTo: 2)
            )
            let events = EventLog()
            let names: Set = [QualifiedName(schema: "public", name: "t1")]
            let outcome = try await run(definitions, in: fixture, mayExist: names, events: events)
            #expect(outcome.failures.isEmpty)
            #expect(events.notes == ["relation \"t1\" already exists; it stays as it is"])
            let comments =
                "select obj_description(oid) from pg_class where relname in ('t1', 't2', 't3') order by relname"
            #expect(try await fixture.rows(fixture.target, comments) == ["NULL", "yes", "NULL"])
        }
    }

    @Test("Each definition of a text is run by the role of 'run_as', whoever the one before it has become")
    func role() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(fixture.target, "grant all on schema public to \(role)")
            var definitions = try tables(1...4)
            definitions[1].definition.sql = "CREATE TABLE public.t2 (id integer); RESET SESSION AUTHORIZATION;"
            definitions[2].definition.sql = "CREATE TABLE public.t3 (id integer, id text);"
            let outcome = try await run(definitions, in: fixture, role: role)
            #expect(outcome.failures.count == 1)
            let owners = "select relname, relowner::regrole from pg_class where relname ~ '^t\\d$' order by 1"
            #expect(try await fixture.rows(fixture.target, owners) == ["t1|\(role)", "t2|\(role)", "t4|\(role)"])
            try await fixture.execute(fixture.target, "drop owned by \(role)")
        }
    }

    @Test("A missing role costs one grant of many in a text, and the others are counted once")
    func grants() async throws {
        try await RunFixture.withRole { fixture, role in
            var definitions = try tables(1...3)
            for number in 1...3 {
                definitions.append(
                    try stored(
                        10 + number,
                        "GRANT SELECT ON TABLE public.t\(number) TO nobody_here;\nGRANT INSERT ON TABLE public.t\(number) TO \(role);",
                        "ACL",
                        of: "t\(number)",
                        attachedTo: number
                    )
                )
            }
            let outcome = try await run(definitions, in: fixture)
            #expect(outcome.failures.isEmpty)
            let warning = ByteKey("an owner or a privilege could not be set: role \"nobody_here\" does not exist")
            #expect(outcome.warnings == [warning: 3])
            #expect(outcome.missingRoles == [warning])
            let given =
                "select count(*) from pg_class where has_table_privilege('\(role)', oid, 'insert') and relname ~ '^t\\d$'"
            #expect(try await fixture.rows(fixture.target, given) == ["3"])
            try await fixture.execute(fixture.target, "drop owned by \(role)")
        }
    }

    @Test(
        "Default privileges of the target are taken back from all new objects of a text before privileges are granted"
    )
    func defaultPrivileges() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(fixture.target, "alter default privileges grant all on tables to \(role)")
            try await countTexts(fixture)
            var definitions = try tables(1...100)
            for number in 1...100 {
                let grant = "GRANT SELECT ON TABLE public.t\(number) TO \(role);"
                definitions.append(try stored(1000 + number, grant, "ACL", of: "t\(number)", attachedTo: number))
            }
            #expect(try await run(definitions, in: fixture).failures.isEmpty)
            let privileges = """
                select string_agg(privilege_type, ' ') as p, count(*) from (
                    select c.oid, a.privilege_type from pg_class c, aclexplode(relacl) a
                    where relname ~ '^t\\d+$' and grantee = '\(role)'::regrole
                ) x group by privilege_type
                """
            #expect(try await fixture.rows(fixture.target, privileges).map { $0.hasSuffix("|100") } == [true])
            let texts = try await fixture.rows(fixture.target, "select count(*) from log.texts")
            #expect(texts.first.flatMap(Int.init).map { $0 < 10 } == true, "\(texts)")
            try await fixture.execute(fixture.target, "drop owned by \(role)")
        }
    }
}
