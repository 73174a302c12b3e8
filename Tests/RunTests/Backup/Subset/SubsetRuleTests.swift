import Crypto
import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Rules of subsets")
struct SubsetRuleTests {
    @Test("Two runs on the same data write the same bytes")
    func bytes() async throws {
        try await RunFixture.withAccounts { fixture in
            let yaml = fixture.subsetYAML("start: {accounts: id = 1}, references: {\(AccountsSchema.polymorphic)}")
            func contents() throws -> [String] { try fixture.files().map { try fixture.text($0) } }
            _ = try await fixture.backup(yaml)
            let first = try contents()
            _ = try await fixture.backup(yaml)
            #expect(try contents() == first && first.count == 9)
        }
    }

    @Test(
        "Keys that are equal for their type are one key: citext, and numbers of other types",
        .enabled("needs contrib") { try await ServerBuild.shared.extensions.contains("citext") }
    )
    func comparisons() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create extension citext;
                create table person(email citext primary key);
                create table letter(id int primary key, recipient citext references person);
                create table account(number numeric primary key);
                create table booking(id int primary key, account bigint references account);
                insert into person values ('Ada@example.org'), ('bob@example.org');
                insert into letter values (1, 'ADA@EXAMPLE.ORG'), (2, 'bob@example.org');
                insert into account values (1.0), (2.00);
                insert into booking values (1, 1), (2, 2);
                """
            )
            _ = try await fixture.backup(
                fixture.subsetYAML("start: {person: \"email = 'ada@example.org'\", account: number = 2}")
            )
            #expect(try fixture.lines("public.letter") == ["1,ADA@EXAMPLE.ORG"])
            #expect(try fixture.lines("public.booking") == ["2,2"])
        }
    }

    @Test("A sample is the rows whose hash begins with less than its share of 2³²")
    func sample() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table item(kind text, number int, primary key (number, kind));
                insert into item select chr(65 + i % 3), i from generate_series(1, 400) i;
                """
            )
            _ = try await fixture.backup(fixture.subsetYAML("start: {item: {sample: 12.5%}}"))
            let all = try await fixture.rows(fixture.source, "select number, kind from item")
            let expected = all.filter { key in
                let hash = SHA256.hash(data: Data("public.item|\(key)".utf8))
                return hash.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) } < 1 << 29
            }
            #expect((20...90).contains(expected.count))
            let kept = try fixture.lines("public.item").map { line in
                line.split(separator: ",").reversed().joined(separator: "|")
            }
            #expect(kept.sorted() == expected.sorted())
        }
    }

    @Test("A reference without a constraint that is named exactly is stronger than a glob", arguments: [true, false])
    func globs(isFirst: Bool) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table tenants(id int primary key);
                create table orders(id int primary key, tenant_id int); create table logs(id int primary key, tenant_id int);
                insert into tenants values (1), (2);
                insert into orders values (10, 1), (11, 2); insert into logs values (10, 1), (11, 2);
                """
            )
            let references = ["orders.tenant_id: {to: tenants.id, follow: cut}", "'*.tenant_id': {to: tenants.id}"]
            let ordered = (isFirst ? references : references.reversed()).joined(separator: ", ")
            _ = try await fixture.backup(
                fixture.subsetYAML("start: {orders: id = 10}, references: {\(ordered)}")
            )
            #expect(try fixture.lines("public.orders") == ["10,"])
            #expect(try fixture.counts() == ["tenants": "0|0", "orders": "1|0", "logs": "0|0"])
        }
    }

    @Test("A reference that is ignored connects nothing")
    func ignored() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table a(id int primary key); create table b(id int primary key, a int references a);
                insert into a values (1), (2); insert into b values (1, 1), (2, 2);
                """
            )
            _ = try await fixture.backup(fixture.subsetYAML("start: {a: id = 1}, references: {b.a: ignore}"))
            #expect(try fixture.counts() == ["a": "1|0", "b": "0|2"])
            let log = EventLog()
            _ = try await fixture.backup(
                fixture.subsetYAML("start: {a: id = 1}, unconnected: none, references: {b.a: ignore}"),
                events: log
            )
            #expect(try fixture.counts()["b"] == "0|0")
            #expect(
                log.warnings == ["no row of public.b is exported, because no reference connects it with the start"]
            )
        }
    }

    @Test("A table that others inherit from has its own rows alone, and a warning says so")
    func inheritance() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table acc(id int primary key); create table base(id int primary key, acc int references acc);
                create table derived() inherits (base);
                insert into acc values (1), (2); insert into base values (1, 1), (2, 2);
                insert into derived values (3, 1), (4, 2);
                """
            )
            let log = EventLog()
            let tables = "[public.acc, public.base]"
            _ = try await fixture.backup(fixture.subsetYAML("start: {acc: id = 1}", tables: tables), events: log)
            #expect(try fixture.lines("public.base") == ["1,1"])
            #expect(
                log.warnings == [
                    "public.base: the subset has only its own rows, and not those of public.derived, which inherits from it; add "
                        + "public.derived to 'tables', or name the table under 'whole'"
                ]
            )
            let whole = EventLog()
            let subset = "start: {acc: id = 1}, whole: [base]"
            _ = try await fixture.backup(fixture.subsetYAML(subset, tables: tables), events: whole)
            #expect(try fixture.lines("public.base") == ["1,1", "2,2", "3,1", "4,2"])
            #expect(!whole.warnings.contains { $0.contains("inherits from it") })
        }
    }

    @Test("Rows that are exported with a whole table, because they inherit from it, have its references")
    func inheritedReferences() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table users(id int primary key);
                create table base(id int primary key, user_id int references users);
                """
            )
            try await fixture.execute(
                fixture.source,
                """
                create table sub(extra int) inherits (base);
                insert into users values (1), (2), (3); insert into base values (1, 1), (2, null);
                insert into sub values (3, 2, 5);
                """
            )
            let tables = "[public.users, public.base]"
            let yaml = fixture.subsetYAML("start: {users: id = 1}, whole: [base]", tables: tables)
            _ = try await fixture.backup(yaml)
            #expect(try fixture.lines("public.base") == ["1,1", "2,", "3,2"])
            #expect(try fixture.lines("public.users") == ["1", "2"])
            #expect(try await fixture.restore(yaml).failed.isEmpty)
            let log = EventLog()
            let cut = "start: {users: id = 1}, whole: [base], references: {base.user_id: cut}"
            _ = try await fixture.backup(fixture.subsetYAML(cut, tables: tables), events: log)
            #expect(try fixture.lines("public.base") == ["1,1", "2,", "3,"])
            #expect(try fixture.lines("public.users") == ["1"])
            #expect(log.warnings == [])
        }
    }

    @Test("A table that fails leaves the others, and the set is partial")
    func failure() async throws {
        try await RunFixture.withAccounts { fixture in
            try await fixture.execute(
                fixture.source,
                "create view trap as select 1 / (id - 1) as x from accounts"
            )
            let report = try await fixture.backup(
                fixture.subsetYAML("start: {accounts: id = 1}", tables: "['public.*', public.trap]")
            )
            #expect(report.failed.map(\.job.name) == ["public.trap"])
            let record = try fixture.record()
            #expect(record.status == .partial && record.failures.map(\.table) == ["public.trap"])
            #expect(record.subset != nil && record.tables.contains { $0.name == "orders" })
        }
    }

    @Test(
        "Rows that have no address can only be exported all together",
        .enabled("needs contrib") { try await ServerBuild.shared.extensions.contains("postgres_fdw") }
    )
    func unaddressable() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create extension postgres_fdw; create server elsewhere foreign data wrapper postgres_fdw;
                create table a(id int primary key);
                create table b(id int, a int) partition by range (id);
                create table b1 partition of b for values from (0) to (10);
                create foreign table b2 partition of b for values from (10) to (20) server elsewhere;
                insert into a values (1);
                """
            )
            let yaml = fixture.subsetYAML("start: {a: id = 1}, references: {b.a: {to: a.id}}")
            let error = await #expect(throws: DatabudgieError.self) { try await fixture.backup(yaml) }
            #expect(error?.code == .configuration)
            #expect(
                error?.problems.map(\.description) == [
                    "public.b: a subset of it is not possible: its partition public.b2 is a foreign table; name it under 'whole' "
                        + "and let no reference lead to it, or exclude it"
                ]
            )
            #expect(try fixture.files() == [])
        }
    }

    @Test("An unconnected table of a tenant's run is named with its rows, unless it is whole or left empty")
    func unconnected() async throws {
        try await RunFixture.withAccounts { fixture in
            try await fixture.execute(fixture.source, "analyze settings")
            let tenants = "start: {accounts: id = 2}, tenants: accounts, crossing: include"
            let error = await #expect(throws: DatabudgieError.self) {
                try await fixture.backup(
                    fixture.subsetYAML(tenants + ", references: {\(AccountsSchema.polymorphic)}")
                )
            }
            #expect(
                error?.problems.map(\.description) == [
                    "no reference leads from public.accounts to public.settings (about 1 row); name it under 'whole', or set "
                        + "unconnected: none"
                ]
            )
            let none = tenants + ", unconnected: none, references: {\(AccountsSchema.polymorphic)}"
            _ = try await fixture.backup(fixture.subsetYAML(none))
            #expect(try fixture.counts()["settings"] == "0|0")
        }
    }

    @Test(
        "A temporal key refers to the rows of its periods",
        .enabled("needs Postgres 18") { try await ServerBuild.shared.majorVersion >= 18 }
    )
    func temporal() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table room(id int4range, valid daterange, primary key (id, valid without overlaps));
                create table stay(id int primary key, room int4range, during daterange,
                    foreign key (room, period during) references room (id, period valid));
                insert into room values ('[1,2)', '[2026-01-01,2026-06-01)'), ('[1,2)', '[2026-06-01,2027-01-01)'),
                    ('[2,3)', '[2026-01-01,2027-01-01)');
                insert into stay values (1, '[1,2)', '[2026-05-20,2026-06-10)'), (2, '[2,3)', '[2026-05-20,2026-06-10)');
                """
            )
            _ = try await fixture.backup(fixture.subsetYAML("start: {stay: id = 1}, children: false"))
            #expect(try fixture.counts() == ["room": "0|2", "stay": "1|0"])
            // The stay is found from one of the two rows that it refers to, and needs the other one as well.
            let january = "\"valid @> date '2026-01-01' and id = '[1,2)'\""
            _ = try await fixture.backup(fixture.subsetYAML("start: {room: \(january)}"))
            #expect(try fixture.counts() == ["room": "1|1", "stay": "1|0"])
            _ = try await fixture.backup(
                fixture.subsetYAML(
                    "start: {room: \(january), stay: 'true'}, references: {'stay(room, during)': cut}"
                )
            )
            #expect(try fixture.lines("public.stay") == ["1,,", "2,,"])
            #expect(try fixture.lines("public.room").count == 1)
        }
    }
}
