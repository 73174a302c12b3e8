import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Subsets with masks")
struct MaskedSubsetTests {
    private let key = MaskKey(.secret(MaskAnswerTests.secret))

    private func yaml(_ fixture: RunFixture, _ subset: String, columns: String, keep: String = "['*']") -> String {
        """
        {root_location: \(fixture.folder), location: '{table}', filename: '{table}.{ext}', tables: ['public.*'],
        truncate: cascade, subset: {\(subset)},
        masking: {key: \(MaskAnswerTests.secret), columns: \(columns), keep: \(keep)}}
        """
    }

    /// What `email` makes of a value.
    private func address(_ value: String) -> String {
        "u\(hexadecimal(key.hash(value, in: "email").prefix(8)))@example.com"
    }

    private func expectValid(_ fixture: RunFixture) async throws {
        let invalid = "select conname from pg_constraint where not convalidated"
        #expect(try await fixture.rows(fixture.target, invalid).isEmpty)
    }

    private let shop = """
        create table customer (id int primary key, email text not null unique, name text, born date,
            manager_email text references customer (email),
            domain text generated always as (split_part(email, '@', 2)) stored);
        create table purchase (id int primary key, customer_email text not null references customer (email), note text,
            placed date);
        create table line (purchase_id int references purchase, no int, owner text references customer (email),
            primary key (purchase_id, no));
        """

    private let shopRows = """
        insert into customer (id, email, name, born, manager_email) select i, 'person' || i || '@secret.example',
            'Realname ' || i, date '1980-01-01' + i, case when i > 1 then 'person' || i / 2 || '@secret.example' end
            from generate_series(1, 40) i;
        insert into purchase select i, 'person' || (i % 40 + 1) || '@secret.example', 'remark of ' || i, '2020-01-01'
            from generate_series(1, 400) i;
        insert into line select i, n, 'person' || ((i + n) % 40 + 1) || '@secret.example' from generate_series(1, 400) i,
            generate_series(1, 3) n;
        """

    private let shopMasks = """
        {public.customer.email: email, public.customer.name: {mask: full_name, by: id},
        public.customer.born: {shift: 30 days, by: id}, public.purchase.note: {mask: hash, by: customer_email}}
        """
    private let shopKeep = "['*.id', '*_id', '*.no', '*.placed']"

    private func withShop(_ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(shop)
            try await fixture.execute(fixture.source, shopRows)
            try await body(fixture)
        }
    }

    @Test("Masked keys join as many rows as the real ones did, and all constraints are valid")
    func joins() async throws {
        try await withShop { fixture in
            let joined = """
                select (select count(*) from purchase p join customer c on c.email = p.customer_email) || ' '
                    || (select count(*) from line l join customer c on c.email = l.owner) || ' '
                    || (select count(*) from customer c join customer m on m.email = c.manager_email) || ' '
                    || (select count(*) from customer)
                """
            let subset = "start: {customer: \"id in (20, 33)\"}"
            let plain = yaml(fixture, subset, columns: "{}")
            #expect(try await fixture.backup(plain).failed.isEmpty)
            #expect(try await fixture.restore(plain).failed.isEmpty)
            let real = try await fixture.rows(fixture.target, joined)
            let addresses = try await fixture.rows(fixture.target, "select id, email from customer order by id")
            #expect(addresses.count > 4 && addresses.count < 40)

            let masked = yaml(fixture, subset, columns: shopMasks, keep: shopKeep)
            #expect(try await fixture.backup(masked).failed.isEmpty)
            #expect(try await fixture.restore(masked).failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, joined) == real)
            try await expectValid(fixture)
            let expected = addresses.map { line in
                let parts = line.split(separator: "|").map(String.init)
                return "\(parts[0])|\(address(parts[1]))|example.com"
            }
            #expect(
                try await fixture.rows(fixture.target, "select id, email, domain from customer order by id") == expected
            )
            let content = try fixture.content()
            #expect(!content.contains("secret.example") && !content.contains("Realname") && !content.contains("remark"))
        }
    }

    @Test("Rows of a subset have the masks that they have in a backup of everything")
    func sameMasks() async throws {
        try await withShop { fixture in
            let subset = yaml(fixture, "start: {customer: \"id in (20, 33)\"}", columns: shopMasks, keep: shopKeep)
            _ = try await fixture.backup(subset)
            let some = try fixture.lines("public.customer") + fixture.lines("public.purchase")
            let whole = yaml(fixture, "start: {customer: 'true'}", columns: shopMasks, keep: shopKeep)
            _ = try await fixture.backup(whole)
            let all = Set(try fixture.lines("public.customer") + fixture.lines("public.purchase"))
            #expect(some.count > 20 && all.count == 440 && Set(some).isSubset(of: all))
        }
    }

    @Test(
        "A column that is cut is NULL where its row is missing, and masked where it is not; generated columns are absent"
    )
    func cuts() async throws {
        try await withShop { fixture in
            let subset = """
                start: {customer: 'id in (2, 4, 5, 9)'}, references: {customer.manager_email: cut, line.owner: cut,
                purchase.customer_email: {where: id < 90}}
                """
            let yaml = yaml(fixture, subset, columns: shopMasks, keep: shopKeep)
            #expect(try await fixture.backup(yaml).failed.isEmpty)
            #expect(
                try fixture.text("public.customer/public.customer.csv").hasPrefix("id,email,name,born,manager_email\n")
            )
            #expect(try await fixture.restore(yaml).failed.isEmpty)
            try await expectValid(fixture)
            let two = address("person2@secret.example")
            #expect(
                try await fixture.rows(fixture.target, "select id, manager_email from customer order by id") == [
                    "2|NULL", "4|\(two)", "5|\(two)", "9|\(address("person4@secret.example"))",
                ]
            )
            let owners = "select count(*) filter (where owner is null) > 0, count(owner) > 0 from line"
            #expect(try await fixture.rows(fixture.target, owners) == ["t|t"])
            let notes = "select count(distinct note) = count(distinct customer_email) from purchase"
            #expect(try await fixture.rows(fixture.target, notes) == ["t"])
        }
    }

    @Test("Arrays of masked keys lead to the same rows, without the elements that are cut")
    func arrays() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table tag (id uuid primary key, name text);
                create table post (id int primary key, tag_ids uuid[], words text[]);
                """
            )
            try await fixture.execute(
                fixture.source,
                """
                insert into tag select md5(i::text)::uuid, 'n' || i from generate_series(1, 4) i;
                insert into post values (1, array[md5('3')::uuid, null, md5('1')::uuid, md5('9')::uuid], '{taggedword,null}'),
                    (2, array[md5('2')::uuid], '{}'), (3, null, null);
                """
            )
            let subset = """
                start: {tag: "name in ('n1', 'n2')", post: id < 4},
                references: {post.tag_ids: {to: tag.id, elements: true, follow: cut}}
                """
            let columns = "{public.tag.id: hash, public.post.words: {each: hash}, public.tag.name: digits}"
            let yaml = yaml(fixture, subset, columns: columns, keep: "['public.post.id']")
            #expect(try await MaskCheck(try fixture.configuration(yaml)).run().findings.isEmpty)
            #expect(try await fixture.backup(yaml).failed.isEmpty)
            #expect(try await fixture.restore(yaml).failed.isEmpty)
            let leads = """
                select p.id, array_length(p.tag_ids, 1), array_positions(p.tag_ids, null),
                    (select count(*) from unnest(p.tag_ids) u join tag t on t.id = u) from post p order by p.id
                """
            #expect(
                try await fixture.rows(fixture.target, leads) == ["1|2|{1}|1", "2|1|{}|1", "3|NULL|NULL|0"]
            )
            let words = "select words from post order by id"
            let masked = hexadecimal(key.hash("taggedword", in: "hash").prefix(16))
            #expect(try await fixture.rows(fixture.target, words) == ["{\(masked),NULL}", "{}", "NULL"])
            let id = try #require(try await fixture.rows(fixture.source, "select md5('1')::uuid").first)
            let content = try fixture.content()
            #expect(!content.contains(id) && !content.contains("taggedword"))
        }
    }

    @Test("Partitions with another order of columns are masked column by column")
    func partitions() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table owner (email varchar(40) primary key);
                create table event (id int, owner varchar(40) references owner, note text, at date) partition by range (at);
                create table event_1 (gone int, note text, at date not null, owner varchar(40), id int);
                alter table event_1 drop gone; alter table event attach partition event_1 for values from ('2020-01-01') to
                    ('2021-01-01');
                create table event_2 partition of event for values from ('2021-01-01') to ('2022-01-01');
                """
            )
            try await fixture.execute(
                fixture.source,
                """
                insert into owner select 'o' || i || '@secret.example' from generate_series(1, 5) i;
                insert into event select i, 'o' || (i % 5 + 1) || '@secret.example', 'note ' || i, date '2020-12-01' + i
                    from generate_series(1, 60) i;
                """
            )
            let columns = "{\"*.email\": email, public.event.note: {mask: digits, by: id}}"
            let yaml = yaml(
                fixture,
                "start: {owner: email like 'o2%'}",
                columns: columns,
                keep: "['*.id', '*.at']"
            )
            #expect(try await fixture.backup(yaml).failed.isEmpty)
            #expect(try await fixture.restore(yaml).failed.isEmpty)
            try await expectValid(fixture)
            let counts = """
                select count(*), count(distinct tableoid), min(owner), bool_and(note ~ '^note [0-9]+$'),
                    bool_and(at between '2020-12-01' and '2021-02-01') from event
                """
            #expect(
                try await fixture.rows(fixture.target, counts)
                    == ["12|2|\(address("o2@secret.example"))|t|t"]
            )
            #expect(!(try fixture.content()).contains("secret.example"))
        }
    }

    private let loose = """
        create table owner (id int primary key, ref text);
        create table thing (id int primary key, owner_ref text, on_kind text, on_ref text);
        create table place (id int primary key, ref text);
        """

    private let looseYAML = """
        references: {"*.owner_ref": {to: owner.ref}, thing.on_ref: [{to: owner.ref, when: on_kind = 'owner'},
        {to: place.ref, when: on_kind = 'place'}]}
        """

    @Test("Columns that a reference without a constraint relates have one mask, also when it leads to several tables")
    func looseReferences() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(loose)
            try await fixture.execute(
                fixture.source,
                """
                insert into owner values (1, 'secretref1'), (2, 'secretref2'); insert into place values (1, 'secretref8');
                insert into thing values (1, 'secretref1', 'place', 'secretref8'), (2, 'secretref2', null, 'secretref9'),
                    (3, 'secretref1', 'owner', 'secretref1');
                """
            )
            let yaml = yaml(
                fixture,
                "start: {owner: id = 1}, unconnected: none, \(looseYAML)",
                columns: "{public.owner.ref: hash}",
                keep: "['*.id', '*.on_kind']"
            )
            #expect(try await MaskCheck(try fixture.configuration(yaml)).run().findings.isEmpty)
            #expect(try await fixture.backup(yaml).failed.isEmpty)
            #expect(try await fixture.restore(yaml).failed.isEmpty)
            let joined = """
                select t.id, o.id, p.id, x.id from thing t left join owner o on o.ref = t.owner_ref
                left join place p on p.ref = t.on_ref and on_kind = 'place'
                left join owner x on x.ref = t.on_ref and on_kind = 'owner' order by t.id
                """
            #expect(try await fixture.rows(fixture.target, joined) == ["1|1|1|NULL", "3|1|NULL|1"])
            #expect(!(try fixture.content()).contains("secretref"))
        }
    }

    @Test("What would break such a reference is found by the check of an empty database")
    func looseFindings() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, loose + "create table log (id int primary key, data jsonb)")
            let references =
                String(looseYAML.dropLast()) + ", log.who: {expression: \"data->>'ref'\", to: owner.ref}}"
            func findings(_ columns: String, keep: String = "['*.id', '*.on_kind', '*.data']") async throws -> [String]
            {
                let yaml = yaml(fixture, "start: {owner: id = 1}, \(references)", columns: columns, keep: keep)
                return try await MaskCheck(try fixture.configuration(yaml)).run().findings.map { finding in
                    let name = finding.column.map { $0.replacing("public.", with: "") } ?? ""
                    return "\(name) \(finding.code.rawValue)\(finding.isProblem ? "" : " (warning)")"
                }
            }
            let expression = "log.who conflict (warning)"
            #expect(try await findings("{public.owner.ref: hash}") == [expression])
            #expect(
                try await findings("{public.owner.ref: digits}") == [
                    expression, "owner.ref not_unique", "place.ref not_unique",
                ]
            )
            #expect(try await findings("{public.owner.ref: hash, public.place.ref: email}") == ["owner.ref conflict"])
            #expect(
                try await findings("{public.owner.ref: {mask: hash, by: id}}") == [
                    expression, "owner.ref conflict", "place.ref conflict", "thing.owner_ref conflict",
                    "thing.on_ref conflict",
                ]
            )
        }
    }

    @Test("No error of the search or of the export has a value of a masked table")
    func errors() async throws {
        try await RunFixture.with { fixture async throws in
            try await fixture.onBoth(
                """
                create function loud(text) returns text language plpgsql
                    as $$ begin raise exception 'no mask for %', $1 using detail = $1; end $$;
                create table a (v text primary key, w text); insert into a values ('topsecretvalue', 'topsecretvalue');
                create table b (v text, foreign key (v) references a); insert into b values ('topsecretvalue');
                """
            )
            func message(_ subset: String, _ columns: String = "{public.a.w: hash}") async throws -> String {
                let log = EventLog()
                do {
                    let report = try await fixture.backup(yaml(fixture, subset, columns: columns), events: log)
                    return report.failed.map { "\($0)" }.joined() + log.warnings.joined()
                } catch let error as DatabudgieError {
                    return "\(error.message) \(error.hint ?? "") \(error.problems)"
                }
            }
            let start = try await message("start: {a: 'v::int > 1'}")
            #expect(
                start.hasPrefix("the start of the subset public.a: the server refused a value of a table with masks")
            )
            let reference = try await message("start: {a: 'true'}, references: {b.v: {where: 'v::int > 1'}}")
            #expect(reference.hasPrefix("the reference public.b.v: the server refused a value of a table with masks"))
            let export = try await message("start: {a: 'true'}", "{public.a.w: {sql: loud(w)}}")
            #expect(export.contains("the server refused a value of a table with masks (SQLSTATE P0001)"))
            for text in [start, reference, export] { #expect(!text.contains("topsecret"), "\(text)") }
        }
    }

    @Test("Examples of crossings have no masked keys")
    func crossings() async throws {
        try await RunFixture.with { fixture async throws in
            try await fixture.execute(
                fixture.source,
                """
                create table tenant (id int primary key);
                create table member (email text primary key, tenant int not null references tenant,
                    friend text references member);
                insert into tenant values (1), (2); insert into member values ('topsecret2', 2, null);
                insert into member values ('topsecret1', 1, 'topsecret2');
                """
            )
            func message(_ columns: String) async -> String {
                let yaml = yaml(fixture, "start: {tenant: id = 1}, tenants: tenant", columns: columns)
                let error = await #expect(throws: DatabudgieError.self) { try await fixture.backup(yaml) }
                return error?.problems.map(\.message).joined() ?? ""
            }
            #expect(
                await message("{}")
                    == "public.member.friend refers to rows outside of the subset, perhaps of other tenants, in 1 row (topsecret1)"
            )
            #expect(
                await message("{public.member.email: email}")
                    == "public.member.friend refers to rows outside of the subset, perhaps of other tenants, in 1 row"
            )
        }
    }
}
