import DatabudgieTestSupport
import Foundation
import Postgres
import Subprocess
import Testing

@testable import Databudgie

/// What the owner of a table may write into its definitions, and what must not become SQL of a restore.
@Suite("Texts of the source in definitions")
struct DefinitionInjectionTests {
    @Test("A comment whose last line looks like a setting does not make a role superuser")
    func comment() async throws {
        try await RunFixture.withRole { fixture, role in
            let name = quotedIdentifier(role)
            try await fixture.execute(fixture.source, "create schema app authorization \(name)")
            try await fixture.connected(as: role).execute(
                fixture.connected(as: role).source,
                """
                create table app.t (id int primary key, v text); create index zz on app.t (v);
                comment on constraint t_pkey on app.t is E'harmless\\nSET default_table_settings are fine';
                comment on index app.zz is ' ; ALTER ROLE \(name) SUPERUSER; --';
                insert into app.t values (1, 'x');
                """
            )
            try await fixture.copy(fixture.ddlYAML("['app.*']"))
            let isSuperuser = "select rolsuper from pg_roles where rolname = \(quotedLiteral(role))"
            #expect(try await fixture.rows(fixture.target, isSuperuser) == ["f"])
            let index = "select count(*) from pg_class where oid = to_regclass('app.zz')"
            #expect(try await fixture.rows(fixture.target, index) == ["1"])
            let comments =
                "select description from pg_description where objoid::regclass::text like 'app.%' or objoid in (select oid from pg_constraint where conname = 't_pkey') order by 1"
            let expected = try await fixture.rows(fixture.source, comments)
            #expect(try await fixture.rows(fixture.target, comments) == expected)
            #expect(expected.count == 2)
            try await fixture.expectSameDump()
        }
    }

    @Test("A source with hostile texts in all kinds of definitions is restored as it was")
    func texts() async throws {
        try await RunFixture.with { fixture in
            var sql = "set check_function_bodies = off; create schema app; create table app.base (a text);"
            for (number, line) in HostileTexts.lastLines.enumerated() {
                sql += Self.definitions(number, text: "x\n" + line)
            }
            try await fixture.execute(fixture.source, sql)
            let events = EventLog()
            let views = HostileTexts.lastLines.indices.map { ", app.v\($0)" }.joined()
            let yaml = fixture.ddlYAML("['app.*'\(views)]")
            #expect(try await fixture.backup(yaml, events: events).failed.isEmpty)
            #expect(try await fixture.restore(yaml, events: events).failed.isEmpty)
            #expect(events.warnings.isEmpty)
            try await fixture.expectSameDump()
            // Once more, onto what is there.
            #expect(try await fixture.restore(yaml).failed.isEmpty)
            try await fixture.expectSameDump()
        }
    }

    @Test("Names that make the head of a definition ambiguous stop no backup")
    func ambiguousHeads() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create schema pub; create schema "pub t; Type: TABLE; Schema: pub";
                create type pub."A; Type: TYPE; Schema: pub A" as enum ('x');
                create table pub."t; Type: TABLE; Schema: pub t" (i int primary key);
                create table "pub t; Type: TABLE; Schema: pub".t (i int primary key);
                create function pub."f(); Type: FUNCTION; Schema: pub f"() returns int language sql as 'select 1';
                comment on table pub."t; Type: TABLE; Schema: pub t" is 'x';
                comment on type pub."A; Type: TYPE; Schema: pub A" is 'x';
                comment on table "pub t; Type: TABLE; Schema: pub".t is 'y';
                insert into pub."t; Type: TABLE; Schema: pub t" values (1);
                """
            )
            try await fixture.copy(fixture.ddlYAML("['pub*.*']"))
            try await fixture.expectSameDump()
        }
    }

    /// Each kind of definition that holds a user's text, with the text at its end.
    private static func definitions(_ number: Int, text: String) -> String {
        let (literal, table) = (quotedLiteral(text), "app.t\(number)")
        let body =
            "$body_\(number)$ select 'x'; /* \(text.replacing("*/", with: "").replacing("/*", with: "")) */ $body_\(number)$"
        return """
            create table \(table) (a text primary key default \(literal), b text,
                constraint c\(number) check (b <> \(literal)), "\(text.replacing("\"", with: "\"\"").prefix(20))" int);
            create index i\(number) on \(table) (b) where b <> \(literal);
            create policy p on \(table) using (a = \(literal));
            create function app.plain\(number)() returns text language plpgsql as \(literal);
            create function app.dollar\(number)() returns text language plpgsql as \(body);
            create function app.atomic\(number)(begin int) returns text language sql
                begin atomic select case when begin > 1 then 'x' else \(literal) end; select \(literal)::text; end;
            create view app.v\(number) as select a, \(literal)::text as b from \(table);
            create rule r as on update to \(table) do also
                (delete from app.base where a = \(literal); delete from app.base where a = \(literal));
            create domain app.d\(number) as text default \(literal) check (value <> \(literal));
            create type app.e\(number) as enum ('x', \(quotedLiteral(String(text.prefix(60)))));
            comment on table \(table) is \(literal); comment on column \(table).b is \(literal);
            comment on constraint c\(number) on \(table) is \(literal); comment on index app.i\(number) is \(literal);
            comment on policy p on \(table) is \(literal); comment on rule r on \(table) is \(literal);
            comment on function app.plain\(number)() is \(literal); comment on view app.v\(number) is \(literal);
            comment on constraint t\(number)_pkey on \(table) is \(literal);
            insert into \(table) (a, b) values ('x', 'y');

            """
    }

    /// Every quote with a mark that makes one Character of both.
    static let hostileNames = ["\"", "'", "\\"].flatMap { quote in
        ["\u{301}", "\u{200D}", "\u{FE0F}"].map { mark in "q\(quote)\(mark); drop \(quote)\(mark)" }
    }

    @Test(
        "Names with a quote and a combining mark are restored as they were, whatever they name",
        arguments: hostileNames
    )
    func names(_ name: String) async throws {
        let (owner, grantee) = ("o\(name)\(UUID().uuidString)", "g\(name)\(UUID().uuidString)")
        try await RunFixture.with { fixture in
            let databases = ["s", "t"].map { $0 + name + UUID().uuidString }
            for database in databases {
                try await fixture.execute(fixture.source, "create database \(Self.quoted(database))")
            }
            for role in [owner, grantee] {
                try await fixture.execute(fixture.source, "create role \(Self.quoted(role))")
            }
            var (source, target) = (fixture.source, fixture.target)
            (source.keywords["dbname"], target.keywords["dbname"]) = (databases[0], databases[1])
            let hostile = RunFixture(source: source, target: target, folder: fixture.folder)
            let result = await Result { try await copy(hostile, name, owner: owner, grantee: grantee) }
            for database in databases {
                try await fixture.execute(fixture.source, "drop database \(Self.quoted(database)) with (force)")
            }
            for role in [owner, grantee] {
                try await fixture.execute(fixture.source, "drop role \(Self.quoted(role))")
            }
            try result.get()
        }
    }

    private func copy(_ fixture: RunFixture, _ name: String, owner: String, grantee: String) async throws {
        let (id, owner, grantee) = (Self.quoted(name), Self.quoted(owner), Self.quoted(grantee))
        let (table, other) = (Self.quoted("t" + name), Self.quoted("u" + name))
        let (sequence, index) = (Self.quoted("s" + name), Self.quoted("i" + name))
        try await fixture.execute(
            fixture.source,
            """
            create schema \(id) authorization \(owner);
            create sequence \(id).\(sequence);
            create table \(id).\(table) (
                \(id) serial, b text default nextval(\(Self.literal("\(id).\(sequence)"))),
                constraint \(id) primary key (\(id)));
            create table \(id).\(other) (\(id) int references \(id).\(table), c text check (c <> \(Self.literal(name))));
            create index \(index) on \(id).\(other) (c);
            create function \(id).f(\(id) int) returns int language sql as 'select 1';
            alter table \(id).\(table) owner to \(owner); alter function \(id).f(int) owner to \(owner);
            grant select on all tables in schema \(id) to \(grantee); grant usage on schema \(id) to \(grantee);
            comment on schema \(id) is \(Self.literal(name));
            insert into \(id).\(table) (b) values (\(Self.literal(name))), (default);
            insert into \(id).\(other) select \(id), 'x' from \(id).\(table);
            """
        )
        try await fixture.copy(fixture.ddlYAML("['*.*']"))
        try await fixture.expectSameDump()
        for query in [
            "select * from \(id).\(table) order by 1", "select * from \(id).\(other) order by 1",
            "select last_value, is_called from \(id).\(sequence)",
        ] {
            let expected = try await fixture.rows(fixture.source, query)
            #expect(try await fixture.rows(fixture.target, query) == expected)
        }
    }

    /// Built from bytes, apart from the code under test.
    private static func quoted(_ name: String) -> String {
        "\"" + String(decoding: name.utf8.flatMap { $0 == 0x22 ? [0x22, 0x22] : [$0] }, as: UTF8.self) + "\""
    }

    private static func literal(_ text: String) -> String {
        let bytes = text.utf8.flatMap { [0x27, 0x5C].contains($0) ? [$0, $0] : [$0] }
        return "E'" + String(decoding: bytes, as: UTF8.self) + "'"
    }
}

extension RunFixture {
    /// Expects pg_dump to print the same for both databases, comments included, line by line.
    func expectSameDump(_ location: SourceLocation = #_sourceLocation) async throws {
        let (left, right) = (try await dump(source), try await dump(target))
        let difference = right.difference(from: left) { $0.utf8.elementsEqual($1.utf8) }.map { "\($0)" }
        #expect(difference.isEmpty, sourceLocation: location)
        #expect(left.count > 1, sourceLocation: location)
    }

    private func dump(_ parameters: ConnectionParameters) async throws -> [String] {
        var variables: [Environment.Key: String] = [:]
        for (keyword, variable) in [
            ("host", "PGHOST"), ("port", "PGPORT"), ("user", "PGUSER"), ("dbname", "PGDATABASE"),
        ] {
            variables[Environment.Key(stringLiteral: variable)] = parameters.keywords[keyword]
        }
        let result = try await run(
            .name("pg_dump"),
            arguments: ["--schema-only"],
            environment: .inherit.updating(variables.mapValues { Optional($0) }),
            output: .string(limit: 1 << 22),
            error: .string(limit: 1 << 16)
        )
        try #require(result.terminationStatus.isSuccess, "\(result.standardError)")
        let lines = result.standardOutput.utf8.split(separator: UInt8(ascii: "\n"))
            .map { String(decoding: $0, as: UTF8.self) }
        // With a key that is another one each time.
        return lines.filter { !$0.hasPrefix("\\restrict ") && !$0.hasPrefix("\\unrestrict ") }
    }
}

extension Result where Failure == any Error {
    /// What an asynchronous closure returns or throws.
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
