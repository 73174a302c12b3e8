import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

/// What a manifest has but for ids and times.
private let recorded = "select transaction, action, \"table\", file_path from m order by id"

extension RunFixture {
    /// Runs a backup, perhaps with the id of an earlier one.
    fileprivate func backup(
        _ yaml: String,
        id: Int?,
        at date: String = "2024-01-01T00:00:00Z",
        isDryRun: Bool = false,
        events: EventLog = EventLog()
    ) async throws -> RunReport {
        var configuration = try configuration(yaml)
        configuration.backup.run.resumeID = id
        configuration.backup.run.isDryRun = isDryRun
        var environment = RunEnvironment()
        environment.now = try Date(date, strategy: .iso8601)
        return try await BackupRun(configuration, environment: environment).run(onEvent: events.append)
    }

    /// Runs a restore, perhaps with the id of an earlier one.
    fileprivate func restore(_ yaml: String, id: Int?, isDryRun: Bool = false) async throws -> RunReport {
        var configuration = try configuration(yaml)
        configuration.restore.run.resumeID = id
        configuration.restore.run.isDryRun = isDryRun
        return try await RestoreRun(configuration).run()
    }

    fileprivate func makeManifests() async throws {
        try await onBoth(ManifestTable("m").definition)
    }

    fileprivate func manifestYAML(_ tables: String, strict: Bool = false) -> String {
        """
        {root_location: \(folder), location: '{table}', truncate: true, manifest: m, strict: \(strict), tables: \(tables)}
        """
    }
}

@Suite("Runs with a manifest")
struct ManifestRunTests {
    @Test("Finished tables are recorded as the Python tool does it; unnamed queries and the manifest itself are not")
    func rows() async throws {
        try await RunFixture.with { fixture in
            try await fixture.makeManifests()
            try await fixture.onBoth(
                "create table a (id int); create table b (id int); create schema s; create table s.c ()"
            )
            let yaml = fixture.manifestYAML(
                "['*', {name: s.c, compression: gzip}, {query: select 1, location: q}]"
            )
            let events = EventLog()
            let report = try await fixture.backup(yaml, id: nil, events: events)
            #expect(report.failed.isEmpty)
            #expect(report.finished.count == 4)
            let folder = fixture.folder
            let expected = [
                "1|backup|public.a|\(folder)/public.a/2024-01-01T00:00:00.csv",
                "1|backup|public.b|\(folder)/public.b/2024-01-01T00:00:00.csv",
                "1|backup|s.c|\(folder)/s.c/2024-01-01T00:00:00.csv.gz",
            ]
            #expect(try await fixture.rows(fixture.source, recorded) == expected)
            let announced = events.all.compactMap { if case .recording(let it) = $0 { it } else { nil } }
            #expect(announced == [RecordedRun(manifest: "public.m", kind: .backup, id: 1)])

            let loads = "['public.*']"
            #expect(try await fixture.restore(fixture.manifestYAML(loads), id: nil).finished.count == 2)
            #expect(try await fixture.restore(fixture.manifestYAML(loads), id: nil).finished.count == 2)
            let restored = try await fixture.rows(fixture.target, recorded)
            #expect(restored.count == 4)
            #expect(restored.first == "1|restore|public.a|\(folder)/public.a/2024-01-01T00:00:00.csv")
            #expect(restored.last == "2|restore|public.b|\(folder)/public.b/2024-01-01T00:00:00.csv")
        }
    }

    @Test("A backup that is resumed exports only what is not recorded for backups under its id, each table once")
    func resumedBackup() async throws {
        try await RunFixture.with { fixture in
            try await fixture.makeManifests()
            try await fixture.execute(
                fixture.source,
                """
                create table a (id int); create table b (id int); create view broken as select 1 / 0 as x;
                insert into m (transaction, action, "table", file_path) values (1, 'restore', 'public.b', 'x');
                """
            )
            let yaml = fixture.manifestYAML("[a, broken, b]", strict: true)
            let first = try await fixture.backup(yaml, id: nil)
            #expect(first.failed.count == 2)
            try await fixture.execute(fixture.source, "create or replace view broken as select 1 as x")
            let dryRun = try await fixture.backup(yaml, id: 2, isDryRun: true)
            #expect(dryRun.skipped.map(\.job.description) == ["public.a"])
            let events = EventLog()
            let second = try await fixture.backup(yaml, id: 2, at: "2024-01-02T00:00:00Z", events: events)
            #expect(second.failed.isEmpty)
            #expect(second.skipped.map(\.job.description) == ["public.a"])
            #expect(events.warnings.contains { $0.hasPrefix("1 of the 3 tables was exported by an earlier run") })
            let rows = try await fixture.rows(
                fixture.source,
                "select transaction, action, \"table\" from m where action = 'backup' order by id"
            )
            #expect(rows == ["2|backup|public.a", "2|backup|public.broken", "2|backup|public.b"])
            #expect(
                try fixture.files() == [
                    "public.a/2024-01-01T00:00:00.csv", "public.b/2024-01-02T00:00:00.csv",
                    "public.broken/2024-01-02T00:00:00.csv",
                ]
            )
            #expect(try await fixture.backup(yaml, id: 2).skipped.count == 3)
        }
    }

    @Test("Of a table with several jobs only those are skipped whose files are recorded")
    func severalJobs() async throws {
        try await RunFixture.with { fixture in
            try await fixture.makeManifests()
            try await fixture.execute(fixture.source, "create table a (id int)")
            let first = "{name: a, location: one}"
            _ = try await fixture.backup(fixture.manifestYAML("[\(first)]"), id: 7)
            let both = fixture.manifestYAML("[\(first), {name: a, location: two, query: 'select 2 as id'}]")
            let report = try await fixture.backup(both, id: 7, at: "2024-01-02T00:00:00Z")
            #expect(report.skipped.count == 1)
            #expect(try fixture.files() == ["one/2024-01-01T00:00:00.csv", "two/2024-01-02T00:00:00.csv"])
        }
    }

    @Test("A restore that is resumed neither truncates nor loads what is recorded for restores under its id")
    func resumedRestore() async throws {
        try await RunFixture.with { fixture in
            try await fixture.makeManifests()
            try await fixture.execute(
                fixture.target,
                """
                create table product (id int primary key); create table sale (id int, product int references product);
                create table late (id int);
                """
            )
            try fixture.write("id\n1\n", to: "public.product/2024-01-01T00:00:00.csv")
            try fixture.write("id,product\n5,1\n", to: "public.sale/2024-01-01T00:00:00.csv")
            try fixture.write("id\nx\n", to: "public.late/2024-01-01T00:00:00.csv")
            let yaml = fixture.manifestYAML("['public.*']")
            let first = try await fixture.restore(yaml, id: nil)
            #expect(first.failed.map(\.job.description) == ["public.late"])
            // Proof that the finished tables are not touched again.
            try await fixture.execute(fixture.target, "insert into sale values (6, 1)")
            try fixture.write("id\n9\n", to: "public.late/2024-01-02T00:00:00.csv")
            let dryRun = try await fixture.restore(yaml, id: 1, isDryRun: true)
            #expect(dryRun.skipped.map(\.job.description) == ["public.product", "public.sale"])
            let second = try await fixture.restore(yaml, id: 1)
            #expect(second.finished.map(\.job.description) == ["public.late"])
            #expect(second.skipped.map(\.job.description) == ["public.product", "public.sale"])
            #expect(try await fixture.rows(fixture.target, "select id from sale order by id") == ["5", "6"])
            #expect(try await fixture.rows(fixture.target, "select id from late") == ["9"])
            let rows = try await fixture.rows(fixture.target, "select transaction, \"table\" from m order by id")
            #expect(rows == ["1|public.product", "1|public.sale", "1|public.late"])
        }
    }

    @Test("A restore that is resumed still refuses to truncate what a finished table refers to")
    func reach() async throws {
        try await RunFixture.with { fixture in
            try await fixture.makeManifests()
            try await fixture.execute(
                fixture.target,
                """
                create table product (id int primary key); create table sale (id int, product int references product);
                insert into sale values (5, null);
                insert into m (transaction, action, "table", file_path) values (1, 'restore', 'public.sale', 'x');
                """
            )
            try fixture.write("id\n1\n", to: "public.product/2024-01-01T00:00:00.csv")
            let error = await #expect(throws: DatabudgieError.self) {
                try await fixture.restore(fixture.manifestYAML("['public.*']"), id: 1)
            }
            let problem = "public.product: it cannot be truncated, because public.sale refers"
            #expect(error?.description.contains(problem) == true)
        }
    }

    @Test("A partition whose root is recorded is not loaded a second time, whatever files there are now")
    func partitions() async throws {
        try await RunFixture.with { fixture in
            try await fixture.makeManifests()
            try await fixture.execute(
                fixture.target,
                """
                create table event (id int) partition by range (id);
                create table event_a partition of event for values from (0) to (10);
                """
            )
            try fixture.write("id\n1\n", to: "public.event/2024-01-01T00:00:00.csv")
            let yaml = fixture.manifestYAML("['public.*']")
            #expect(try await fixture.restore(yaml, id: 1).finished.count == 1)
            try FileManager.default.removeItem(atPath: fixture.folder + "/public.event")
            try fixture.write("id\n1\n", to: "public.event_a/2024-01-01T00:00:00.csv")
            #expect(try await fixture.restore(yaml, id: 1).finished.isEmpty)
            #expect(try await fixture.rows(fixture.target, "select id from event") == ["1"])
            let leaf = fixture.manifestYAML("[event_a]")
            let error = await #expect(throws: DatabudgieError.self) { try await fixture.restore(leaf, id: 1) }
            #expect(error?.description.contains("public.event is already recorded for restore 1 in public.m") == true)
        }
    }

    @Test("A row lands in the manifest with the table's data, or neither does")
    func sameTransaction() async throws {
        try await RunFixture.with { fixture in
            try await fixture.makeManifests()
            try await fixture.execute(
                fixture.target,
                """
                create table a (id int); insert into a values (0);
                alter table m add check (file_path not like '%public.a%');
                """
            )
            try fixture.write("id\n1\n", to: "public.a/2024-01-01T00:00:00.csv")
            let report = try await fixture.restore(fixture.manifestYAML("[a]"), id: nil)
            #expect(report.failed.first?.message.contains("m_file_path_check") == true)
            #expect(try await fixture.rows(fixture.target, "select id from a") == ["0"])
            #expect(try await fixture.rows(fixture.target, recorded) == [])
        }
    }

    @Test("A file that cannot be recorded is a failure that says so")
    func unrecorded() async throws {
        try await RunFixture.with { fixture in
            try await fixture.makeManifests()
            try await fixture.execute(
                fixture.source,
                "create table a (id int); create table b (id int); alter table m add check (\"table\" <> 'public.a')"
            )
            let report = try await fixture.backup(fixture.manifestYAML("[a, b]"), id: nil)
            #expect(report.finished.map(\.job.description) == ["public.b"])
            let message = try #require(report.failed.first?.description)
            #expect(message.contains("2024-01-01T00:00:00.csv is complete, but could not be recorded"))
            #expect(message.contains("--backup-id 1"))
        }
    }

    @Test("Two runs at the same time never share an id, and one id never serves two runs at the same time")
    func concurrency() async throws {
        try await RunFixture.with { fixture in
            try await fixture.makeManifests()
            try await fixture.execute(fixture.source, "create table a (id int)")
            let yaml = fixture.manifestYAML("[a]")
            try await Connection.withConnection(to: fixture.source) { guardian in
                // Another run that has begun and recorded nothing yet.
                let other = try RunSettings(fixture.configuration(yaml), for: .backup, in: RunEnvironment())
                try await ManifestSession.with(other, over: guardian) { manifest in
                    try await guardian.withTransaction(.snapshot, idleTimeout: nil) {
                        #expect(try await manifest?.begin()?.id == 1)
                        _ = try await fixture.backup(yaml, id: nil)
                        let error = await #expect(throws: DatabudgieError.self) {
                            try await fixture.backup(yaml, id: 1, at: "2024-01-02T00:00:00Z")
                        }
                        #expect(
                            error?.description.contains("the backup 1 of the manifest public.m is still running")
                                == true
                        )
                    }
                }
            }
            #expect(try await fixture.rows(fixture.source, "select transaction from m") == ["2"])
            #expect(try await fixture.backup(yaml, id: 1, at: "2024-01-03T00:00:00Z").finished.count == 1)
        }
    }

    @Test("A missing manifest is reported before anything is read or written, with the command that creates it")
    func missing() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table a (id int)")
            try fixture.write("id\n1\n", to: "public.a/2024-01-01T00:00:00.csv")
            let yaml = fixture.manifestYAML("[a]")
            let backup = await #expect(throws: DatabudgieError.self) { try await fixture.backup(yaml, id: nil) }
            #expect(backup?.description.contains("'databudgie manifest create'") == true)
            #expect(backup?.effect == nil)
            let restore = await #expect(throws: DatabudgieError.self) { try await fixture.restore(yaml, id: nil) }
            #expect(restore?.description.contains("'databudgie manifest create --for restore'") == true)
            #expect(restore?.effect == .nothingChanged)
            #expect(try fixture.files() == ["public.a/2024-01-01T00:00:00.csv"])
            #expect(try await fixture.rows(fixture.target, "select * from a") == [])
        }
    }

    @Test("An id without a manifest is refused, and so is one that the column cannot hold")
    func badIDs() async throws {
        try await RunFixture.with { fixture in
            try await fixture.makeManifests()
            try await fixture.onBoth("create table a (id int)")
            let without = await #expect(throws: DatabudgieError.self) {
                try await fixture.backup(fixture.yaml("[a]"), id: 3)
            }
            #expect(without?.code == .configuration)
            #expect(without?.description.contains("--backup-id has no effect without a manifest") == true)
            let large = await #expect(throws: DatabudgieError.self) {
                try await fixture.restore(fixture.manifestYAML("[a]"), id: 1 << 40)
            }
            #expect(large?.description.contains("too large for the column") == true)
        }
    }

    @Test("The manifest is exported when it is named to the letter, and never restored by a run that records in it")
    func manifestItself() async throws {
        try await RunFixture.with { fixture in
            try await fixture.makeManifests()
            let yaml = fixture.manifestYAML("[m]")
            #expect(try await fixture.backup(yaml, id: nil).finished.count == 1)
            let error = await #expect(throws: DatabudgieError.self) { try await fixture.restore(yaml, id: nil) }
            #expect(error?.description.contains("public.m is the manifest of this restore") == true)
        }
    }
}
