import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

/// Two thousand names and texts as every kind of object, comment and default: what comes back is equal, and nothing else
/// happens in either database.
@Suite("Hostile names and texts of all kinds of objects")
struct HostileObjectTests {
    /// Each is another two thousand.
    private static let seed: UInt64 = 20_261_126

    private static let canary = """
        create schema canary; create table canary.called (at timestamptz default now()); create table canary.t (i int);
        insert into canary.t values (42);
        create function canary.f() returns text language plpgsql volatile as
            $$ begin insert into canary.called default values; return 'x'; end $$;
        """

    /// One schema with a table, and what can belong to them.
    private static func objects(_ text: inout HostileText, owner: String, grantee: String) -> (
        sql: String, table: String
    ) {
        // Short, because a file is named for schema and table, and a file system has limits of its own.
        let schema = text.identifier(20)
        func own(_ name: String) -> String { "\(schema).\(name)" }
        let (key, column, other) = (text.identifier(), text.identifier(), text.identifier())
        let table = own(text.identifier())
        let (mood, label, domain, pair) = (
            own(text.identifier()), text.name(), own(text.identifier()), own(text.identifier())
        )
        let (function, trigger) = (own(text.identifier()), own(text.identifier()))
        let (sequence, view, sums) = (own(text.identifier()), own(text.identifier()), own(text.identifier()))
        let (child, partition, part) = (own(text.identifier()), own(text.identifier()), own(text.identifier()))
        let (triggerName, rule, policy, statistics) = (
            text.identifier(), text.identifier(), text.identifier(), own(text.identifier())
        )
        let (primary, check, index, foreign) = (
            text.identifier(), text.identifier(), text.identifier(), text.identifier()
        )
        let (dictionary, configuration, collation) = (
            own(text.identifier()), own(text.identifier()), own(text.identifier())
        )
        let (publication, domainCheck, label2) = (
            text.identifier(), text.identifier(), HostileText.literal(text.name())
        )
        let first = HostileText.literal(label)
        let sql = """
            set check_function_bodies = off; create schema \(schema) authorization \(owner);
            create type \(mood) as enum (\(first), \(label2));
            create domain \(domain) as text default \(text.literal())
                constraint \(domainCheck) check (value <> \(text.literal()));
            create type \(pair) as (\(text.identifier()) int, \(text.identifier()) text);
            create sequence \(sequence); select setval(\(HostileText.literal(sequence)), 7);
            create collation \(collation) from "C";
            create text search dictionary \(dictionary) (template = simple);
            create text search configuration \(configuration) (parser = default);
            create table \(table) (\(key) int constraint \(primary) primary key, \(column) text default \(text.literal()),
                \(other) \(mood) default \(first), \(text.identifier()) \(domain), \(text.identifier()) \(pair),
                \(text.identifier()) text collate \(collation) default \(text.literal()),
                constraint \(check) check (\(column) <> \(text.literal())));
            create index \(index) on \(table) (\(column)) where \(column) <> \(text.literal());
            create statistics \(statistics) on \(key), \(column) from \(table);
            create table \(child) (\(key) int constraint \(foreign) references \(table), \(column) text default \(text.literal()));
            create table \(partition) (\(key) text) partition by list (\(key));
            create table \(part) partition of \(partition) for values in (\(text.literal(60)), \(text.literal(60)));
            create function \(function)(\(text.identifier()) text default \(text.literal())) returns int language plpgsql
                as \(text.literal());
            create function \(trigger)() returns trigger language plpgsql as 'begin return new; end';
            create trigger \(triggerName) before update on \(table) for each row
                execute function \(trigger)(\(text.literal()), \(text.literal()));
            create rule \(rule) as on delete to \(child) where old.\(column) = \(text.literal()) do instead nothing;
            create policy \(policy) on \(table) to \(grantee) using (\(column) <> \(text.literal()));
            create view \(view) as select \(key), \(column) as \(text.identifier()), \(text.literal())::text as \(text.identifier())
                from \(table) where \(column) <> \(text.literal());
            create materialized view \(sums) as select \(text.literal())::text as \(text.identifier()), \(key) from \(table);
            create publication \(publication) for table \(table);
            insert into \(table) (\(key), \(column)) values (1, \(text.literal())), (2, default);
            insert into \(child) values (1, \(text.literal())); refresh materialized view \(sums);
            grant select on \(table), \(view) to \(grantee); grant select (\(column)) on \(child) to \(grantee);
            grant usage on schema \(schema) to \(grantee); grant execute on function \(function)(text) to \(grantee);
            alter table \(table) owner to \(owner); alter view \(view) owner to \(owner);
            alter default privileges in schema \(schema) grant select on tables to \(grantee);
            """
        let subjects = [
            "schema \(schema)", "table \(table)", "column \(table).\(column)", "constraint \(primary) on \(table)",
            "constraint \(check) on \(table)", "index \(schema).\(index)", "type \(mood)", "domain \(domain)",
            "type \(pair)",
            "constraint \(domainCheck) on domain \(domain)", "sequence \(sequence)", "collation \(collation)",
            "text search dictionary \(dictionary)", "text search configuration \(configuration)",
            "statistics \(statistics)", "function \(function)(text)", "trigger \(triggerName) on \(table)",
            "rule \(rule) on \(child)", "policy \(policy) on \(table)", "view \(view)", "materialized view \(sums)",
            "publication \(publication)", "constraint \(foreign) on \(child)", "table \(partition)", "table \(part)",
        ]
        return (sql + subjects.map { "comment on \($0) is \(text.literal());" }.joined(separator: "\n"), table)
    }

    private func roles(_ text: inout HostileText) -> [String] {
        (0..<4).map { _ in HostileText.quoted(text.name(20) + UUID().uuidString) }
    }

    @Test("Two thousand hostile names and texts come back as they were, and the canaries sing")
    func everything() async throws {
        try await RunFixture.withRole("LOGIN") { fixture, canaryRole in
            var text = HostileText(seed: Self.seed)
            let roles = roles(&text)
            for role in roles { try await fixture.execute(fixture.source, "create role \(role)") }
            let result = await Result { try await copy(fixture, &text, roles) }
            for role in roles {
                for database in [fixture.source, fixture.target] {
                    try await fixture.execute(database, "drop owned by \(role) cascade")
                }
                try await fixture.execute(fixture.source, "drop role \(role)")
            }
            try result.get()
            let isSuperuser = "select rolsuper from pg_roles where rolname = \(quotedLiteral(canaryRole))"
            #expect(try await fixture.rows(fixture.source, isSuperuser) == ["f"])
        }
    }

    private func copy(_ fixture: RunFixture, _ text: inout HostileText, _ roles: [String]) async throws {
        try await fixture.onBoth(Self.canary)
        var tables: [String] = []
        var number = 0
        while text.made < 2_000 {
            let (owner, grantee) = (roles[number % 2], roles[2 + number % 2])
            let (sql, table) = Self.objects(&text, owner: owner, grantee: grantee)
            try await fixture.execute(fixture.source, sql)
            tables.append(table)
            number += 1
        }
        #expect(tables.count > 15)
        let events = EventLog()
        let yaml = fixture.ddlYAML("[{name: '*.*', exclude: ['canary.*']}]")
        #expect(try await fixture.backup(yaml, events: events).failed.map(\.message) == [])
        #expect(try await fixture.restore(yaml, events: events).failed.map(\.message) == [])
        #expect(events.warnings == [])
        try await fixture.expectSameDump()
        for table in tables {
            let query = "select t::text from \(table) t order by 1"
            let expected = try await fixture.rows(fixture.source, query)
            #expect(expected.count == 2)
            #expect(try await fixture.rows(fixture.target, query) == expected)
        }
        for database in [fixture.source, fixture.target] {
            #expect(try await fixture.rows(database, "select * from canary.called") == [])
            #expect(try await fixture.rows(database, "select i from canary.t") == ["42"])
        }
    }
}

extension Result where Failure == any Error {
    /// What an asynchronous closure returns or throws.
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
