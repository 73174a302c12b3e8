import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Files of different backups")
struct MixedBackupTests {
    private static let old = "2024-01-01T00:00:00"
    private static let new = "2024-02-01T00:00:00"
    private static let sentence = "the files are of different backups, and their rows might not match: "

    /// Tables `a`, `b`, `c` and `d` with a file each, of the moments given.
    private func withFiles(_ moments: [String], _ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            for (table, moment) in zip(["a", "b", "c", "d"], moments) {
                try await fixture.execute(fixture.target, "create table \(table) (id int)")
                try fixture.write("id\n1\n", to: "public.\(table)/\(moment).csv")
            }
            try await body(fixture)
        }
    }

    private func mixtures(_ events: EventLog) -> [String] {
        events.all.compactMap { event in
            guard case .found(let finding) = event, finding.message.hasPrefix(Self.sentence) else { return nil }
            return "\(finding.kind): \(finding.message.dropFirst(Self.sentence.count))"
        }
    }

    @Test("A warning lists the moments, newest first, before anything is loaded, in a dry run too")
    func warning() async throws {
        try await withFiles([Self.old, Self.new, Self.new, Self.new]) { fixture in
            for isDryRun in [true, false] {
                let events = EventLog()
                let report = try await fixture.restore(fixture.yaml("['public.*']"), isDryRun: isDryRun, events: events)
                #expect(report.failed.isEmpty)
                #expect(mixtures(events) == ["warning: 3 tables of \(Self.new), 1 of \(Self.old)"])
            }
            #expect(try await fixture.rows(fixture.target, "select id from a") == ["1"])
        }
    }

    @Test("A strict run restores nothing of them")
    func strict() async throws {
        try await withFiles([Self.new, Self.old]) { fixture in
            let yaml = "{strict: true, " + fixture.yaml("[a, b]").dropFirst()
            let lines = await fixture.preflightLines(yaml)
            #expect(lines.count == 1)
            #expect(lines.first?.hasPrefix(Self.sentence + "1 table of \(Self.new), 1 of \(Self.old);") == true)
            #expect(try await fixture.rows(fixture.target, "select id from a") == [])
            // One of them alone is of one backup.
            let alone = "{strict: true, " + fixture.yaml("[a]").dropFirst()
            let report = try await fixture.restore(alone)
            #expect(report.failed.isEmpty)
        }
    }

    @Test("The time of modification is a choice, also in a strict run")
    func metadata() async throws {
        try await withFiles([Self.new, Self.old]) { fixture in
            let yaml = "{strict: true, strategy: use_latest_metadata, " + fixture.yaml("[a, b]").dropFirst()
            let events = EventLog()
            let report = try await fixture.restore(yaml, events: events)
            #expect(report.failed.isEmpty)
            #expect(mixtures(events) == ["warning: 1 table of \(Self.new), 1 of \(Self.old)"])
        }
    }

    @Test("Files of one backup, of its day, and files without a time are not a mixture")
    func oneMoment() async throws {
        try await withFiles([Self.old, Self.old, "data", "2024-01-01"]) { fixture in
            let events = EventLog()
            let report = try await fixture.restore(
                fixture.yaml("[a, b, {name: c, filename: data.csv}, {name: d, filename: '{date}.csv'}]"),
                events: events
            )
            #expect(report.finished.count == 4)
            #expect(events.warnings == [])
        }
    }

    @Test("What the run that is resumed has loaded counts as well")
    func resumption() async throws {
        try await withFiles([Self.old, Self.old]) { fixture in
            try await fixture.execute(fixture.target, ManifestTable("m").definition)
            let yaml = "{manifest: m, " + fixture.yaml("[a, b]").dropFirst()
            var configuration = try fixture.configuration(yaml)
            configuration.restore.run.resumeID = 1
            #expect(try await RestoreRun(configuration).run().finished.count == 2)
            try await fixture.execute(fixture.target, "delete from m where \"table\" = 'public.b'")
            try fixture.write("id\n1\n", to: "public.b/\(Self.new).csv")
            let events = EventLog()
            let report = try await RestoreRun(configuration).run(onEvent: events.append)
            #expect(report.finished.count == 1)
            #expect(mixtures(events) == ["warning: 1 table of \(Self.new), 1 of \(Self.old)"])
        }
    }

    @Test("A backup of one table after one of all is found out")
    func laterBackup() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table a (id int); create table b (id int)")
            let all = try fixture.configuration(fixture.yaml("['public.*']"))
            let some = try fixture.configuration(fixture.yaml("[a]"))
            let now = Date()
            for (configuration, time) in [(all, now), (some, now + 60)] {
                let report = try await BackupRun(configuration, environment: RunEnvironment(now: time)).run()
                #expect(report.failed.isEmpty)
            }
            let events = EventLog()
            let byName = "{strategy: use_latest_filename, " + fixture.yaml("['public.*']").dropFirst()
            _ = try await fixture.restore(byName, events: events)
            let moments = [now + 60, now].map { RunTimestamp($0).timestamp }
            #expect(mixtures(events) == ["warning: 1 table of \(moments[0]), 1 of \(moments[1])"])
        }
    }

    @Test("A partition whose file is newer than the one of its root is named")
    func partitions() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table p (id int) partition by range (id);
                create table p_a partition of p for values from (0) to (10);
                create table p_b partition of p for values from (10) to (20);
                """
            )
            try fixture.write("id\n1\n", to: "public.p/\(Self.old).csv")
            try fixture.write("id\n2\n", to: "public.p_a/\(Self.old).csv")
            let same = EventLog()
            #expect(try await fixture.restore(fixture.yaml("['public.*']"), events: same).failed.isEmpty)
            #expect(same.warnings == [])
            try fixture.write("id\n3\n", to: "public.p_a/\(Self.new).csv")
            let events = EventLog()
            #expect(try await fixture.restore(fixture.yaml("['public.*']"), events: events).failed.isEmpty)
            let path = "\(fixture.folder)/public.p/\(Self.old).csv"
            #expect(
                events.warnings == [
                    "public.p: it is loaded from \(path), though public.p_a has a newer file; back up the partitioned table "
                        + "again, or exclude it to load its partitions"
                ]
            )
            #expect(try await fixture.rows(fixture.target, "select id from p") == ["1"])
        }
    }

    @Test(
        "Of two files of one moment the one in the configured compression is read",
        arguments: ["gzip", "zstd", "null", nil],
        ["use_latest_filename", "use_latest_metadata"]
    )
    func compressions(_ compression: String?, _ strategy: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table a (id int); insert into a values (0)")
            let environment = RunEnvironment(now: Date(timeIntervalSince1970: 1_700_000_000))
            for written in ["null", "gzip", "zstd"] {
                try await fixture.execute(fixture.source, "update a set id = id + 1")
                let yaml = "{compression: \(written), " + fixture.yaml("[a]").dropFirst()
                let report = try await BackupRun(fixture.configuration(yaml), environment: environment).run()
                #expect(report.failed.isEmpty)
                // Else the next run would take the next second.
                try FileManager.default.removeItem(atPath: fixture.folder + "/catalog")
            }
            // Without a difference of time nothing but the suffix decides.
            for file in try fixture.files() {
                try FileManager.default.setAttributes(
                    [.modificationDate: environment.now],
                    ofItemAtPath: fixture.folder + "/" + file
                )
            }
            let setting = compression.map { "compression: \($0), " } ?? ""
            let yaml = "{\(setting)strategy: \(strategy), " + fixture.yaml("[a]").dropFirst()
            #expect(try await fixture.restore(yaml).failed.isEmpty)
            let expected = ["gzip": "2", "zstd": "3"][compression ?? "null"] ?? "1"
            #expect(try await fixture.rows(fixture.target, "select id from a") == [expected])
        }
    }
}
