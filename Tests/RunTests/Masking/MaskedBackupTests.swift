import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Backups with masks")
struct MaskedBackupTests {
    static let schema = """
        create type mood as enum ('sad', 'ok', 'happy');
        create table customer (
            id int generated always as identity primary key, email varchar(60) not null unique, name text, phone text,
            birthday date, notes text, tags text[], data jsonb, mood mood, balance numeric(10, 2), ref uuid unique,
            email_domain text generated always as (split_part(email, '@', 2)) stored,
            constraint balance_check check (balance > -100000)
        );
        create table purchase (
            id int primary key, customer_email varchar(60) references customer (email), customer_ref uuid
            references customer (ref), total numeric(10, 2), placed_at timestamptz
        );
        """

    static let rows = """
        insert into customer (email, name, phone, birthday, notes, tags, data, mood, balance, ref)
            select 'person' || i || '@secretcorp.example', 'Realname Number' || i, '+49 171 98765' || i, date '1980-01-01' + i,
                'private remark ' || i, array['taggedperson' || i, null], jsonb_build_object('email', 'deep' || i || '@secretcorp.example'),
                'happy', i, md5(i::text)::uuid
            from generate_series(1, 50) i;
        insert into purchase select i, 'person' || (i % 50 + 1) || '@secretcorp.example', md5((i % 50 + 1)::text)::uuid, i, now()
            from generate_series(1, 200) i;
        """

    static let columns = """
        {"*email": email, "*.name": {mask: full_name, by: id}, "*.phone": digits, "*.birthday": {shift: 30 days, by: id},
        "*.notes": null, "*.tags": {each: hash}, "*.data": {paths: {email: email}}, "*.mood": choose, "*.ref": hash,
        "*.balance": {noise: 10%}}
        """

    static let keep = "[\"*.id\", \"*.total\", \"*.placed_at\"]"

    private func yaml(
        _ fixture: RunFixture,
        columns: String = MaskedBackupTests.columns,
        keep: String = MaskedBackupTests.keep,
        policy: String = "strict",
        more: String = "",
        tables: String = "['public.*']"
    ) -> String {
        """
        {root_location: \(fixture.folder), location: '{table}', tables: \(tables), truncate: true,
        masking: {key: \(MaskAnswerTests.secret), policy: \(policy), columns: \(columns), keep: \(keep)}\(more)}
        """
    }

    private func withTables(_ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(Self.schema)
            try await fixture.execute(fixture.source, Self.rows)
            try await body(fixture)
        }
    }

    /// All bytes of all files of the set.
    private func content(_ fixture: RunFixture) throws -> String {
        let folder = URL(filePath: fixture.folder)
        let paths = try FileManager.default.subpathsOfDirectory(atPath: fixture.folder)
        return paths.compactMap { try? String(contentsOf: folder.appending(path: $0), encoding: .utf8) }.joined()
    }

    @Test("No value of a masked column is in any file, whatever its mask")
    func leaks() async throws {
        try await withTables { fixture in
            let report = try await fixture.backup(yaml(fixture))
            #expect(report.failed.isEmpty)
            let content = try content(fixture)
            #expect(content.contains("@example.com"))
            let values = try await fixture.rows(
                fixture.source,
                """
                select email from customer union select email_domain from customer union select name from customer
                union select phone from customer union select notes from customer union select tags[1] from customer
                union select data ->> 'email' from customer union select ref::text from customer
                """
            )
            #expect(values.count > 200)
            for value in values { #expect(!content.contains(value), "\(value)") }
        }
    }

    @Test("A set with masks can be restored: foreign keys, types and generated columns are whole")
    func restore() async throws {
        try await withTables { fixture in
            _ = try await fixture.backup(yaml(fixture))
            let report = try await fixture.restore(yaml(fixture, more: ", require_masked: true"))
            #expect(report.failed.isEmpty && report.finished.count == 2)
            let joined = """
                select count(*) from purchase p join customer c on c.email = p.customer_email and c.ref = p.customer_ref
                """
            #expect(try await fixture.rows(fixture.target, joined) == ["200"])
            let facts = """
                select count(distinct email), count(notes), min(email_domain), count(*) filter (where tags[2] is null),
                    bool_and(abs(balance - id) <= 0.1 * id + 0.01), count(distinct name) > 20
                from customer
                """
            #expect(try await fixture.rows(fixture.target, facts) == ["50|0|example.com|50|t|t"])
        }
    }

    @Test("The record says which columns are masked, and with which key")
    func record() async throws {
        try await withTables { fixture in
            let report = try await fixture.backup(yaml(fixture))
            let id = try #require(report.set)
            let record = try SetRecord(
                json: Array(try Data(contentsOf: URL(filePath: "\(fixture.folder)/catalog/\(id).json"))),
                at: id
            )
            let rules = try #require(record.masking?.rules)
            #expect(rules.wholeMatch(of: /sha256:[0-9a-f]{64}/) != nil)
            #expect(
                record.masking
                    == SetRecord.Masking(policy: "strict", keyID: "d8777e0d", lists: 1, unclassified: 0, rules: rules)
            )
            let customer = try #require(record.tables.first { $0.name == "customer" })
            let masks = customer.columns.map { "\($0.name) \($0.mask ?? "-")" }
            #expect(
                masks == [
                    "id -", "email email", "name full_name", "phone digits", "birthday shift", "notes null",
                    "tags each",
                    "data paths", "mood choose", "balance noise", "ref hash",
                ]
            )
            let purchase = try #require(record.tables.first { $0.name == "purchase" })
            #expect(purchase.columns.compactMap(\.mask) == ["email", "hash"])
        }
    }

    @Test("The same key gives the same bytes, another key others, and no key others each time")
    func keys() async throws {
        try await withTables { fixture in
            func export(_ key: String) async throws -> String {
                var configuration = try fixture.configuration(yaml(fixture, policy: "open"))
                configuration.backup.masking?.key = key.isEmpty ? nil : .secret(key)
                _ = try await BackupRun(configuration).run()
                let file = try #require(
                    try fixture.files().first { $0.hasPrefix("public.customer/") && $0.hasSuffix(".csv") }
                )
                let text = try fixture.text(file)
                try FileManager.default.removeItem(atPath: "\(fixture.folder)/\(file)")
                return text
            }
            let first = try await export(MaskAnswerTests.secret)
            #expect(try await export(MaskAnswerTests.secret) == first)
            #expect(try await export("another-secret-of-16") != first)
            let (random, other) = (try await export(""), try await export(""))
            #expect(random != other)
        }
    }

    @Test("All problems stop the run before anything is written")
    func refusal() async throws {
        try await withTables { fixture async throws in
            let columns =
                "{\"*email\": full_name, \"*.phone\": {noise: 10%}, public.customer.id: hash, \"*.nothing\": hash}"
            let error = await #expect(throws: DatabudgieError.self) {
                try await fixture.backup(yaml(fixture, columns: columns, keep: "[]"))
            }
            #expect(error?.code == .configuration)
            let lines = error?.problems.map(\.message) ?? []
            #expect(lines.contains { $0.contains("the rule '*.nothing' matches no column") })
            #expect(lines.contains { $0.contains("which the index customer_email_key refuses") })
            #expect(lines.contains { $0.contains("the mask 'noise' is not for text") })
            #expect(lines.contains { $0.contains("public.customer.id is an identity column, so it can only be kept") })
            #expect(lines.contains { $0.hasPrefix("12 columns have no rule; the first: public.customer.name") })
            #expect(try FileManager.default.subpathsOfDirectory(atPath: fixture.folder).isEmpty)
        }
    }

    @Test("A plan refuses what a backup would, and has the queries as they are written")
    func plan() async throws {
        try await withTables { fixture in
            let refused = try fixture.configuration(yaml(fixture, columns: "{}"))
            let error = await #expect(throws: DatabudgieError.self) { try await BackupRun(refused).plan() }
            #expect(error?.code == .configuration && error?.message.contains("columns have no rule") == true)
            let tables = "[public.purchase, {name: public.customer, query: \"select id, email from {table}\"}]"
            let plan = try await BackupRun(try fixture.configuration(yaml(fixture, tables: tables))).plan()
            #expect(plan.tables.map(\.query) == ["select id, email from public.customer", nil])
            // The column that the server computes again is not exported.
            let whole = try await BackupRun(try fixture.configuration(yaml(fixture))).plan()
            #expect(
                whole.tables.map(\.masks) == [
                    RunPlan.Masks(columns: 11, masked: 10, kept: 1), RunPlan.Masks(columns: 5, masked: 2, kept: 3),
                ]
            )
            let plain = try await BackupRun(try fixture.configuration(fixture.yaml("['public.*']"))).plan()
            #expect(plain.tables.map(\.masks) == [nil, nil])
        }
    }

    @Test("Under open, columns without a rule are counted, reported and recorded")
    func open() async throws {
        try await withTables { fixture in
            let events = EventLog()
            let report = try await fixture.backup(
                yaml(fixture, columns: "{\"*email\": email}", keep: "[\"*.id\"]", policy: "open"),
                events: events
            )
            #expect(report.failed.isEmpty)
            #expect(events.warnings.contains { $0.hasPrefix("12 columns have no rule and are exported unmasked: ") })
            let text = try content(fixture)
            #expect(text.contains("\"unclassified\" : 12") && text.contains("Realname Number7"))
            let failure = await fixture.preflightLines(
                yaml(fixture, columns: "{}", keep: "[]", policy: "open", more: ", require_masked: true")
            )
            #expect(failure.count == 1 && failure[0].contains("has 12 columns that no rule masks or keeps"))
        }
    }

    @Test("A set without masks, or files without a set, are refused where masks are required")
    func requirement() async throws {
        try await withTables { fixture in
            let plain = fixture.yaml("['public.*']")
            _ = try await fixture.backup(plain)
            let required = plain.replacing("{root_location", with: "{require_masked: true, root_location")
            #expect(await fixture.preflightLines(required).first?.contains(" is not masked; restore a set") == true)
            try fixture.forgetSets()
            #expect(
                await fixture.preflightLines(required).first?.contains("the files of this restore are of no set")
                    == true
            )
        }
    }

    @Test("A file that an earlier run has written without masks does not count as masked")
    func keptFiles() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table a (id int, email text)")
            try await fixture.execute(fixture.source, "insert into a values (1, 'ada@example.org')")
            _ = try await fixture.backup(fixture.yaml("[public.a]"))
            let masked = yaml(
                fixture,
                columns: "{\"*.email\": email}",
                keep: "[\"*.id\"]",
                more: ", skip_if_exists: true, require_masked: true",
                tables: "[public.a]"
            )
            let log = EventLog()
            #expect(try await fixture.backup(masked, events: log).skipped.count == 1)
            #expect(log.warnings.contains { $0.hasPrefix("2 columns of files of earlier runs are not masked") })
            let lines = await fixture.preflightLines(masked)
            #expect(lines.count == 1 && lines[0].contains("has 2 columns that no rule masks or keeps"))
        }
    }

    @Test("A CHECK constraint or a domain that refuses masks is found before anything is written")
    func constraints() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create domain code as text check (value ~ '^C[0-9]+$');
                create table a (v text check (length(v) = 3), c code); insert into a values ('abc', 'C1'), ('def', 'C2');
                """
            )
            func problems(_ v: String, _ c: String) async -> [String] {
                let yaml = yaml(fixture, columns: "{public.a.v: \(v), public.a.c: \(c)}", keep: "[]")
                do {
                    _ = try await fixture.backup(yaml)
                    return []
                } catch let error as DatabudgieError {
                    return [error.code.description] + error.problems.map(\.message)
                } catch {
                    return ["\(error)"]
                }
            }
            #expect(
                await problems("hash", "email") == [
                    "database", "public.a: the constraint a_v_check refuses the masks of 2 of the first 10000 rows",
                    "public.a.c: the domain public.code refuses its masks (SQLSTATE 23514)",
                ]
            )
            #expect(await problems("scramble", "digits") == [])
        }
    }

    @Test("The columns of queries are masked by name, and by the column that they are")
    func queries() async throws {
        try await withTables { fixture in
            let tables = """
                [{name: public.customer, query: "select id, email, name as \\"other\\" from {table} where id < 4 -- x"},
                {query: "select c.email as address, upper(c.name) as shout from customer c where id < 4", location: q}]
                """
            let strict = await #expect(throws: DatabudgieError.self) {
                try await fixture.backup(yaml(fixture, tables: tables))
            }
            #expect(
                strict?.problems.map(\.message).contains { $0.contains("1 column has no rule; the first: ") } == true
            )
            _ = try await fixture.backup(
                yaml(
                    fixture,
                    columns: Self.columns.replacing("{\"*email\"", with: "{\"*.shout\": scramble, \"*email\""),
                    tables: tables
                )
            )
            let content = try content(fixture)
            #expect(
                content.contains("@example.com") && !content.contains("secretcorp") && !content.contains("Realname")
            )
            #expect(!content.contains("REALNAME"))
        }
    }

    @Test("Expressions of the user's see the row, with the search path of the session")
    func expressions() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create schema app; create function app.halved(text) returns text immutable language sql
                    as $$ select left($1, length($1) / 2) $$;
                create table app.a (h int, v text, w text); insert into app.a values (1, 'abcd', 'x');
                """
            )
            let name = fixture.source.keywords["dbname"] ?? ""
            try await fixture.execute(fixture.source, "alter database \"\(name)\" set search_path = app")
            let columns = "{app.a.v: {sql: \"halved(v) || h -- comment\"}, app.a.w: {mask: hash, by: h}}"
            _ = try await fixture.backup(yaml(fixture, columns: columns, keep: "[app.a.h]", tables: "['app.*']"))
            let file = try #require(try fixture.files().first { $0.hasSuffix(".csv") })
            #expect(try fixture.text(file).hasPrefix("h,v,w\n1,ab1,"))
            let content = try content(fixture)
            #expect(content.contains("sql sha256:") && !content.contains("halved"))
        }
    }

    @Test("An expression that the server does not understand stops the run before anything is written")
    func brokenExpression() async throws {
        try await withTables { fixture async throws in
            let columns = Self.columns.replacing("\"*.notes\": null", with: "\"*.notes\": {sql: nothing}")
            let error = await #expect(throws: DatabudgieError.self) {
                try await fixture.backup(yaml(fixture, columns: columns))
            }
            #expect(error?.code == .configuration)
            #expect(error?.message.contains("the server refuses its masks: column \"nothing\" does not exist") == true)
            #expect(try FileManager.default.subpathsOfDirectory(atPath: fixture.folder).isEmpty)
        }
    }

    @Test("The error of a table with masks has no value of a row")
    func errors() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create function loud(text) returns text language plpgsql
                    as $$ begin raise exception 'no mask for %', $1 using detail = $1; end $$;
                create table a (v text); insert into a values ('topsecretvalue');
                """
            )
            let report = try await fixture.backup(
                yaml(fixture, columns: "{public.a.v: {sql: loud(v)}}", keep: "[]")
            )
            let failure = try #require(report.failed.first)
            #expect(failure.message.hasPrefix("the server refused a value of a table with masks (SQLSTATE P0001)"))
            #expect(!"\(failure)".contains("topsecret"))
            #expect(!(try content(fixture)).contains("topsecret"))
        }
    }

    @Test("Texts that the server quotes in errors of conversions, functions and queries are not shown")
    func quotedTexts() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table a (v text); insert into a values ('topsecretvalue ( x');
                create view w as select to_tsquery('simple', v)::text as v from a;
                """
            )
            let sql = "{sql: \"to_tsquery('simple', v)::text\"}"
            for tables in [
                "[public.a, public.w]",
                "[public.a, {query: \"select to_tsquery('simple', v)::text as v from a\", location: q}]",
            ] {
                let masks = "{public.a.v: \(sql), public.w.v: hash, q.v: hash}"
                let report = try await fixture.backup(
                    yaml(fixture, columns: masks, keep: "[]", policy: "open", tables: tables)
                )
                #expect(report.failed.count == 2)
                #expect(!"\(report.failed)".contains("topsecret"))
                #expect(!(try content(fixture)).contains("topsecret"))
            }
        }
    }

    @Test("Partitions and parents are exported with the masks of their root")
    func partitions() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table p (id int, v text) partition by range (id);
                create table p_1 partition of p for values from (0) to (10);
                create table c (id int, v text); create table d (w text) inherits (c);
                """
            )
            try await fixture.execute(
                fixture.source,
                "insert into p values (1, 'privatevalue'); insert into c values (1, 'privatevalue');"
                    + "insert into d values (2, 'privatevalue', 'x')"
            )
            let yaml = yaml(fixture, columns: "{public.p.v: hash, public.c.v: hash}", keep: "[\"*.id\", \"*.w\"]")
            let report = try await fixture.backup(yaml)
            #expect(report.failed.isEmpty && report.finished.count == 3)
            #expect(!(try content(fixture)).contains("privatevalue"))
            #expect(try await fixture.restore(yaml).failed.isEmpty)
            let equal = "select count(distinct v) from (select v from p union all select v from c) s"
            #expect(try await fixture.rows(fixture.target, equal) == ["1"])
        }
    }

    @Test("A view and names with quotes are masked like tables")
    func names() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                #"""
                create table "T ""x" ("C ""y' \ z" text, "id" int);
                """#
            )
            try await fixture.execute(
                fixture.source,
                #"insert into "T ""x" values ('privatevalue', 1); create view v as select "C ""y' \ z" as c from "T ""x""#
            )
            let columns = "{\"*y' \\\\ z\": hash, public.v.c: {mask: hash, context: hash}}"
            let report = try await fixture.backup(
                yaml(fixture, columns: columns, keep: "[\"*.id\"]", tables: "['public.T*', public.v]")
            )
            #expect(report.failed.isEmpty && report.finished.count == 2)
            #expect(!(try content(fixture)).contains("privatevalue"))
        }
    }
}
