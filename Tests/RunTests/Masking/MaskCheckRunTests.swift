import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("Checks, suggestions and previews of masks")
struct MaskCheckRunTests {
    private let schema = """
        create table account (id serial primary key, email text not null unique, nickname text, born date,
            payload jsonb, raw bytea not null, secret_note text);
        comment on column account.nickname is 'what friends call them';
        create table visit (account_email text references account (email), at timestamptz, ip inet, agent text,
            constraint short check (length(agent) < 9));
        """

    private func configuration(_ fixture: RunFixture, _ masking: String) throws -> Configuration {
        try fixture.configuration("{tables: ['public.*'], location: \"\(fixture.folder)/{table}\"\(masking)}")
    }

    @Test("A check of an empty database names each column without a rule, and says what would be refused")
    func check() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            let masking = """
                , masking: {key: random, policy: strict, columns: {"*.email": email, "*.born": {truncate: year}, "*.raw": null},
                keep: ["*.id", "*.at"]}
                """
            let report = try await MaskCheck(try configuration(fixture, masking)).run()
            #expect(!report.isAccepted)
            #expect(
                report.findings.map(\.sentence) == [
                    "public.account.nickname  unclassified: no rule (add one, or keep it; suggestion: scramble)",
                    "public.account.payload  unclassified: no rule (add one, or keep it; suggestion: {keep_paths: []})",
                    "public.account.raw  not_null: the mask is NULL, and the column is NOT NULL "
                        + "(use value, or another mask)   yaml:1",
                    "public.account.secret_note  unclassified: no rule (add one, or keep it; suggestion: filler)",
                    "public.visit.ip  unclassified: no rule (add one, or keep it; suggestion: ip)",
                    "public.visit.agent  unclassified: no rule (add one, or keep it; suggestion: scramble)",
                ]
            )
            #expect(report.tables == 2 && report.columns == 11 && report.masked == 4 && report.kept == 2)
            #expect(try fixture.files().isEmpty)
        }
    }

    @Test("Every kind of finding is found in a database")
    func codes() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table a (id int primary key, email varchar(20) unique, phone text, raw jsonb,
                    word text not null, state text check (state in ('x', 'y')), two text);
                create table b (id serial, a_email varchar(20) references a (email), p int); insert into b values (1, null, 1);
                insert into a values (1, 'a@b', '1', null, 'w', 'x', '2');
                """
            )
            func codes(_ masking: String, data: Bool = false) async throws -> [MaskFinding.Code] {
                let check = MaskCheck(try configuration(fixture, ", masking: {\(masking)}"))
                return try await check.run(readsData: data).findings.map(\.code)
            }
            let strict = try await codes(
                """
                policy: strict, columns: {public.a.email: email, public.b.a_email: hash, "*.wor*": null, "*.word": hash,
                "*.phone": digits, "*.b.id": {noise: 1%}, "*.state": {shift: 1 day}, "*.nothing": hash}, keep: ["*.a.id"]
                """
            )
            #expect(
                Set(strict) == [
                    .unmatchedRule, .unclassified, .ambiguous, .conflict, .wrongType, .protectedColumn, .noKey,
                ]
            )
            let open = try await codes(
                "columns: {\"*.email\": email, \"*.word\": null, \"*.two\": digits}, keep: [\"*.phone\"]"
            )
            #expect(Set(open) == [.unclassified, .tooLong, .notUnique, .notNull, .mayHoldCopies, .suspiciousKeep])
            let data = try await codes(
                "columns: {\"*.state\": hash}, keep: [\"*.b.*\", \"*.a.[!s]*\"]",
                data: true
            )
            #expect(Set(data) == [.violatesCheck, .suspiciousKeep])
            let groups = MaskCheck(try configuration(fixture, ", masking: {keep: [\"*\"]}"))
            let small = try await groups.run(groups: [try #require(MaskGroup("a(id)"))]).findings.map(\.code)
            #expect(small.contains(.smallGroups))
            #expect(Set(strict + open + data + small) == Set(MaskFinding.Code.allCases))
        }
    }

    @Test("A column that is added later turns a check that passed into one that fails")
    func addedColumn() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table a (id int, email text)")
            let masking = ", masking: {key: random, policy: strict, columns: {\"*.email\": email}, keep: [\"*.id\"]}"
            let configuration = try configuration(fixture, masking)
            #expect(try await MaskCheck(configuration).run().findings.isEmpty)
            try await fixture.execute(fixture.source, "alter table a add phone text")
            let report = try await MaskCheck(configuration).run()
            #expect(report.findings.map(\.column) == ["public.a.phone"] && !report.isAccepted)
        }
    }

    @Test("Rows that are alike are counted as they are exported, and small groups refuse the masks")
    func groups() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table customer (id int primary key, area text, "birth ""day" date, data json);
                insert into customer select i, '1' || i % 4, date '1980-01-01' + i, '{}' from generate_series(1, 40) i;
                insert into customer values (41, null, null, null);
                """
            )
            func report(_ mask: String, _ groups: [String], least: Int = 5) async throws -> MaskReport {
                let masking = #"""
                    , masking: {key: random, columns: {"*.birth \"day": \#(mask)}, keep: ["*.id", "*.area", "*.data"]}
                    """#
                return try await MaskCheck(try configuration(fixture, masking)).run(
                    groups: groups.compactMap { MaskGroup($0) },
                    atLeast: least
                )
            }
            let exact = try await report("{shift: 30 days}", ["public.customer(area, birth \"day)"])
            #expect(!exact.isAccepted && exact.groups.map(\.rows) == [41] && exact.groups[0].smallest == 1)
            #expect(exact.findings.map(\.code) == [.smallGroups])
            let coarse = try await report("{truncate: year}", ["customer(area,birth \"day)", "customer(data)"])
            #expect(
                coarse.findings.map(\.sentence) == [
                    "public.customer  small_groups: 1 row of 41 is in groups of fewer than 5 that have the same area, "
                        + "birth \"day; the smallest has 1 (truncate, redact or null one of these columns)",
                    "public.customer  small_groups: 1 row of 41 is in groups of fewer than 5 that have the same data; "
                        + "the smallest has 1 (truncate, redact or null one of these columns)",
                ]
            )
            #expect(coarse.groups.map(\.groups) == [5, 2])
            try await fixture.execute(fixture.source, "delete from customer where id = 41")
            #expect(try await report("{truncate: year}", ["customer(area,birth \"day)"], least: 10).isAccepted)
            #expect(try await !report("{truncate: year}", ["customer(area,birth \"day)"], least: 11).isAccepted)
            for (group, message) in [
                ("customer(areaa)", "public.customer exports no column 'areaa'"),
                ("public.customr(area)", "the backup has no table 'public.customr'"),
            ] {
                let error = await #expect(throws: DatabudgieError.self) { try await report("null", [group]) }
                #expect(error?.message == message && error?.hint?.hasPrefix("did you mean '") == true)
            }
            #expect(["t", "t()", "t(a,)", "(a)", "t(a"].allSatisfy { MaskGroup($0) == nil })
        }
    }

    @Test("With data, the server checks masked values; without, it reads no row")
    func data() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            try await fixture.execute(fixture.source, "insert into visit (agent) values ('firefox')")
            let masking =
                ", masking: {key: random, columns: {\"*.agent\": hash}, keep: [\"public.account.*\", \"*.visit.[!a]*\"]}"
            let check = MaskCheck(try configuration(fixture, masking))
            #expect(try await check.run().isAccepted)
            let found = try await check.run(readsData: true)
            #expect(found.findings.filter(\.isProblem).map(\.code) == [.violatesCheck])
        }
    }

    @Test("Strict masks with a key need one, unless a random one is meant")
    func key() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table a (email text)")
            func codes(_ key: String) async throws -> [MaskFinding.Code] {
                let masking = ", masking: {\(key) policy: strict, columns: {\"*.email\": email}}"
                return try await MaskCheck(try configuration(fixture, masking)).run().findings.map(\.code)
            }
            #expect(try await codes("") == [.noKey])
            #expect(try await codes("key: random,") == [])
            #expect(try await codes("key: 0123456789abcdef,") == [])
        }
    }

    @Test("Without masks there is nothing to check, and all columns have suggestions that pass the check")
    func suggestions() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            let plain = try configuration(fixture, "")
            let error = await #expect(throws: DatabudgieError.self) { try await MaskCheck(plain).run() }
            #expect(error?.code == .configuration && error?.hint == "'databudgie mask suggest' writes one")
            let suggestions = try await MaskSuggestions(plain).run()
            #expect(
                suggestions.map { "\($0.column): \($0.mask) (\($0.reason))" } == [
                    "public.account.id: keep (type)", "public.account.email: email (name)",
                    "public.account.nickname: scramble (name)", "public.account.born: keep (type)",
                    "public.account.payload: {keep_paths: []} (type)", "public.account.raw: hash (type)",
                    "public.account.secret_note: filler (name)", "public.visit.at: keep (type)",
                    "public.visit.ip: ip (name)", "public.visit.agent: scramble (type)",
                ]
            )
            let columns = suggestions.filter { $0.mask != "keep" }.map { "\"\($0.column)\": \($0.mask)" }
            let keep = suggestions.filter { $0.mask == "keep" }.map { "\"\($0.column)\"" }
            let masking = """
                , masking: {key: random, policy: strict, columns: {\(columns.joined(separator: ", "))},
                keep: [\(keep.joined(separator: ", "))]}
                """
            #expect(try await MaskCheck(try configuration(fixture, masking)).run().isAccepted)
            #expect(try await MaskSuggestions(try configuration(fixture, masking)).run().isEmpty)
        }
    }

    @Test("With data, what values look like says more than names")
    func content() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table a (x text, y text, z text, w text);
                insert into a select 'a' || i || '@b.org', '+49 30 12345' || i, 'word', null from generate_series(1, 9) i;
                """
            )
            let suggestions = try await MaskSuggestions(try configuration(fixture, "")).run(readsData: true)
            #expect(suggestions.map(\.mask) == ["email", "digits", "scramble", "scramble"])
            #expect(suggestions.map(\.reason) == ["content", "content", "type", "type"])
        }
    }

    @Test("A preview shows masked rows, and no value of a masked column")
    func preview() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                "create table a (id int, email text); insert into a select i, 'ada@example.org' from generate_series(1, 9) i"
            )
            let masking = ", masking: {key: \(MaskAnswerTests.secret), columns: {\"*.email\": email}, keep: [\"*.id\"]}"
            let configuration = try configuration(fixture, masking)
            for name in ["a", "public.a"] {
                let sample = try await MaskPreview(configuration, table: name).run(rows: 2)
                #expect(sample.table == "public.a" && sample.columns.map(\.mask) == [nil, "email"])
                let mask = "uef99c0780c6c295b@example.com"
                #expect(sample.rows == [["1", mask], ["2", mask]])
            }
            let error = await #expect(throws: DatabudgieError.self) {
                try await MaskPreview(configuration, table: "publik.a").run()
            }
            #expect(error?.hint == "did you mean 'public.a'?")
        }
    }
}
