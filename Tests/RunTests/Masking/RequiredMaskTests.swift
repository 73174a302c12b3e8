import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Restores that require masks")
struct RequiredMaskTests {
    private let strict =
        "policy: strict, columns: {\"*.email\": email, \"*.data\": {paths: {a: hash}}}, keep: [\"*.id\"]"

    private func yaml(_ fixture: RunFixture, _ masking: String?, more: String = "", tables: String = "['public.*']")
        -> String
    {
        let masks = masking.map { ", masking: {key: \(MaskAnswerTests.secret), \($0)}" } ?? ""
        return """
            {root_location: \(fixture.folder), location: '{table}', truncate: true, tables: \(tables), require_masked: true\
            \(masks)\(more)}
            """
    }

    private func withTables(_ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                "create table a (id int, email text, data jsonb); create table b (id int, email text)"
            )
            try await fixture.execute(
                fixture.source,
                "insert into a values (1, 'ada@example.org', '{\"a\": \"x\", \"b\": \"secretvalue\"}'); insert into b values (1, 'b@x')"
            )
            try await body(fixture)
        }
    }

    private func backup(
        _ fixture: RunFixture,
        _ yaml: String,
        at date: String,
        id: Int? = nil
    ) async throws -> RunReport {
        var configuration = try fixture.configuration(yaml)
        configuration.backup.run.resumeID = id
        var environment = RunEnvironment()
        environment.now = try Date(date, strategy: .iso8601)
        return try await BackupRun(configuration, environment: environment).run()
    }

    /// What a restore is refused for; nil when it is not.
    private func refusal(_ fixture: RunFixture, _ yaml: String, set: SetSelection = .newest) async throws -> String? {
        do {
            var configuration = try fixture.configuration(yaml)
            configuration.restore.set = set
            let report = try await RestoreRun(configuration).run()
            #expect(report.failed.isEmpty)
            return nil
        } catch let error as DatabudgieError {
            #expect(error.code == .preflight && error.effect == .nothingChanged)
            return error.message
        }
    }

    @Test("A partial set counts as any other: with masks its tables can be restored, without it cannot")
    func partialSets() async throws {
        try await withTables { fixture in
            try await fixture.execute(fixture.source, "create view broken as select 1 / 0 as id")
            let tables = "[public.a, public.broken]"
            func refusal(_ masking: String?, at date: String) async throws -> String? {
                let report = try await backup(fixture, yaml(fixture, masking, tables: tables), at: date)
                #expect(report.failed.count == 1 && report.finished.count == 1)
                let restore = yaml(fixture, nil, tables: "[public.a]")
                return try await self.refusal(fixture, restore, set: .id(try #require(report.set)))
            }
            #expect(try await refusal(strict, at: "2024-01-01T00:00:00Z") == nil)
            #expect(try await refusal(nil, at: "2024-01-02T00:00:00Z")?.contains("is not masked") == true)
        }
    }

    @Test("Neither a drill nor a comparison loads a set without masks into the server of such a restore")
    func otherLoads() async throws {
        try await withTables { fixture in
            _ = try await backup(fixture, yaml(fixture, nil), at: "2024-01-01T00:00:00Z")
            let configuration = try fixture.configuration(yaml(fixture, nil))
            let drill = await #expect(throws: DatabudgieError.self) { try await Drill(configuration).run() }
            #expect(drill?.message.contains("is not masked") == true, "\(drill.debugDescription)")
            let comparison = await #expect(throws: DatabudgieError.self) {
                try await SetComparison(configuration).run()
            }
            #expect(comparison?.message.contains("is not masked") == true, "\(comparison.debugDescription)")
            _ = try await backup(fixture, yaml(fixture, strict), at: "2024-01-02T00:00:00Z")
            #expect(try await Drill(configuration).run().outcome == .ok)
        }
    }

    @Test("A comparison of databases shows no keys of rows where masks are configured")
    func comparedKeys() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table a (email text primary key, id int)")
            try await fixture.execute(fixture.source, "insert into a values ('privatevalue', 1)")
            let masked = try fixture.configuration(yaml(fixture, strict, tables: "[public.a]"))
            let report = try await Comparison(masked).run()
            #expect(report.tables.map(\.differences).count == 1 && report.tables[0].keys.isEmpty)
            #expect(report.notes.contains { $0.message.contains("keys are not shown") })
            let open = try fixture.configuration(yaml(fixture, nil, tables: "[public.a]"))
            #expect(try await Comparison(open).run().tables[0].keys.count == 1)
        }
    }

    @Test("A run that is resumed with masks has the unmasked files of its beginning, and is refused")
    func resumedBackups() async throws {
        try await withTables { fixture in
            try await fixture.onBoth(ManifestTable("m").definition)
            try await fixture.execute(fixture.source, "create view broken as select 1 / 0 as id")
            let (manifest, tables) = (", manifest: m, strict: true", "[public.a, public.broken, public.b]")
            let open = yaml(fixture, "columns: {}, keep: []", more: manifest, tables: tables)
            #expect(try await backup(fixture, open, at: "2024-01-01T00:00:00Z").finished.count == 1)
            try await fixture.execute(fixture.source, "create or replace view broken as select 1 as id")
            let masked = yaml(fixture, strict, more: manifest, tables: tables)
            let report = try await backup(fixture, masked, at: "2024-01-02T00:00:00Z", id: 1)
            #expect(report.skipped.map(\.job.description) == ["public.a"] && report.failed.isEmpty)
            let restore = yaml(fixture, nil, tables: "[public.a, public.b]")
            #expect(try await refusal(fixture, restore)?.contains("has 3 columns that no rule masks or keeps") == true)
        }
    }

    @Test("A run that is resumed under the same rules is as well masked as one in a single go")
    func resumedMasks() async throws {
        try await withTables { fixture in
            try await fixture.onBoth(ManifestTable("m").definition)
            try await fixture.execute(fixture.source, "create view broken as select 1 / 0 as id")
            let masked = yaml(
                fixture,
                strict,
                more: ", manifest: m, strict: true",
                tables: "[public.a, public.broken, public.b]"
            )
            #expect(try await backup(fixture, masked, at: "2024-01-01T00:00:00Z").finished.count == 1)
            try await fixture.execute(fixture.source, "create or replace view broken as select 1 as id")
            #expect(try await backup(fixture, masked, at: "2024-01-02T00:00:00Z", id: 1).skipped.count == 1)
            #expect(try await refusal(fixture, yaml(fixture, nil, tables: "[public.a, public.b]")) == nil)
        }
    }

    @Test("A kept file whose paths, query or columns were others does not count as masked")
    func keptFiles() async throws {
        try await withTables { fixture in
            let fewer = strict.replacing("{a: hash}", with: "{c: hash}")
            let skipping = ", skip_if_exists: true"
            _ = try await backup(fixture, yaml(fixture, fewer, tables: "[public.a]"), at: "2024-01-01T00:00:00Z")
            let other = yaml(fixture, strict, more: skipping, tables: "[public.a]")
            #expect(try await backup(fixture, other, at: "2024-01-02T00:00:00Z").skipped.count == 1)
            #expect(try await refusal(fixture, other)?.contains("has 3 columns that no rule") == true)

            // Its third column is known to no rule of the later run.
            try await fixture.execute(fixture.source, "alter table b add phone text; update b set phone = '1234567'")
            let open = yaml(fixture, "columns: {\"*.email\": email}, keep: [\"*.id\"]", tables: "[public.b]")
            _ = try await backup(fixture, open, at: "2024-01-03T00:00:00Z")
            try await fixture.execute(fixture.source, "alter table b drop phone")
            let later = yaml(
                fixture,
                "policy: strict, columns: {\"*.email\": email}, keep: [\"*.id\"]",
                more: skipping,
                tables: "[public.b]"
            )
            #expect(try await backup(fixture, later, at: "2024-01-04T00:00:00Z").skipped.count == 1)
            #expect(try await refusal(fixture, later)?.contains("has 3 columns that no rule") == true)
        }
    }

    @Test("A kept file of a query counts as masked only when the query is the same")
    func keptQueries() async throws {
        try await withTables { fixture in
            func yaml(_ query: String, policy: String = "strict") -> String {
                self.yaml(
                    fixture,
                    "policy: \(policy), columns: {}, keep: [\"*.id\", \"\(fixture.folder)/q.mail\"]",
                    more: ", skip_if_exists: true, catalog: catalog",
                    tables: "[{query: \"\(query)\", location: q}]"
                )
            }
            _ = try await backup(fixture, yaml("select id, upper(email) as mail from a"), at: "2024-01-01T00:00:00Z")
            let records = { try SetRecord(json: Array(fixture.text("catalog/\($0).json").utf8), at: $0).masking }
            let other = try await backup(
                fixture,
                yaml("select id, '' as mail from a", policy: "open"),
                at: "2024-01-02T00:00:00Z"
            )
            #expect(other.skipped.count == 1)
            #expect(try records("2024-01-01T00:00:00")?.unclassified == 0)
            #expect(try records("2024-01-02T00:00:00")?.unclassified == 2)
        }
    }

    @Test("Adopted files, and files that are chosen by their names, are of unknown content")
    func adoptedSets() async throws {
        try await withTables { fixture in
            let masked = yaml(fixture, strict)
            _ = try await backup(fixture, masked, at: "2024-01-01T00:00:00Z")
            let named = yaml(fixture, nil, tables: "[{name: 'public.*', strategy: use_latest_filename}]")
            #expect(try await refusal(fixture, named)?.contains("are of no set") == true)
            let one = yaml(fixture, nil, tables: "[public.a, {name: public.b, strategy: use_latest_filename}]")
            #expect(try await refusal(fixture, one)?.contains("files are chosen without a set") == true)
            try fixture.forgetSets()
            #expect(try await refusal(fixture, masked)?.contains("are of no set") == true)
            let adoption = SetAdoption(try fixture.configuration(masked))
            try await adoption.adopt(try await adoption.find())
            #expect(try await refusal(fixture, masked)?.contains("is not masked") == true)
        }
    }

    @Test("An older set by its id or its time, and one that a restore is resumed with, are looked at, too")
    func otherSets() async throws {
        try await withTables { fixture in
            let plain = yaml(fixture, nil)
            _ = try await backup(fixture, plain, at: "2024-01-01T00:00:00Z")
            _ = try await backup(fixture, yaml(fixture, strict), at: "2024-01-02T00:00:00Z")
            #expect(try await refusal(fixture, plain) == nil)
            for set in [
                SetSelection.id("2024-01-01T00:00:00"), .asOf(try Date("2024-01-01T12:00:00Z", strategy: .iso8601)),
            ] {
                #expect(try await refusal(fixture, plain, set: set)?.contains("is not masked") == true)
            }
            try await fixture.onBoth(ManifestTable("m").definition)
            let path = "\(fixture.folder)/public.a/2024-01-01T00:00:00.csv"
            try await fixture.execute(
                fixture.target,
                "insert into m (transaction, action, \"table\", file_path) values (1, 'restore', 'public.a', '\(path)')"
            )
            var configuration = try fixture.configuration(yaml(fixture, nil, more: ", manifest: m"))
            configuration.restore.run.resumeID = 1
            let error = await #expect(throws: DatabudgieError.self) { try await RestoreRun(configuration).run() }
            #expect(error?.message.contains("the set 2024-01-01T00:00:00 is not masked") == true)
        }
    }
}
