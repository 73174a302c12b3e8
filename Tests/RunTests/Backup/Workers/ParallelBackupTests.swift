import DatabudgieTestSupport
import Foundation
import Postgres
import Synchronization
import Testing

@testable import Databudgie

@Suite("Backups of several tables at once", .timeLimit(.minutes(10)))
struct ParallelBackupTests {
    private static let schema = """
        create table small (id serial primary key, v text); insert into small (v) select 'v' || i from generate_series(1, 10) i;
        create table large (id int primary key, at timestamptz, v text);
        insert into large select i, timestamptz '2026-01-01 00:00+00' + i * interval '1 minute', repeat(md5(i::text), 4)
            from generate_series(1, 20000) i;
        create table parent (id int, v text) partition by range (id);
        create table parent_1 partition of parent for values from (0) to (1000);
        create table parent_2 partition of parent for values from (1000) to (2000);
        insert into parent select i, 'p' || i from generate_series(0, 1999) i;
        create materialized view sums as select count(*) as n from large; create view odd as select * from small where id % 2 = 1;
        """

    /// The record of the only set, without what is different in each.
    private func record(_ fixture: RunFixture) throws -> SetRecord {
        var record = try fixture.record()
        (record.id, record.startedAt, record.finishedAt) = (
            "", Date(timeIntervalSince1970: 0), Date(timeIntervalSince1970: 0)
        )
        (record.source, record.config) = (nil, nil)
        return record
    }

    /// A run that writes the same paths each time.
    private func yaml(_ fixture: RunFixture, jobs: Int, _ tables: String, _ more: String = "") -> String {
        """
        {root_location: \(fixture.folder), location: '{table}', filename: 'data.{ext}', compression: gzip, jobs: \(jobs),
        tables: \(tables)\(more)}
        """
    }

    private func files(_ fixture: RunFixture) throws -> [String: Data] {
        Dictionary(
            uniqueKeysWithValues: try fixture.files().map {
                ($0, try Data(contentsOf: URL(filePath: fixture.folder + "/" + $0)))
            }
        )
    }

    @Test("The set is the same as that of a run with one table at a time: files, hashes, and the order in its record")
    func equalSets() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema)
            let tables = "['public.*', public.sums, public.odd, {query: select 1 as one, location: q}]"
            let first = try await fixture.backup(yaml(fixture, jobs: 1, tables))
            let (files1, record1) = (try files(fixture), try record(fixture))
            try FileManager.default.removeItem(atPath: fixture.folder)
            let second = try await fixture.backup(yaml(fixture, jobs: 4, tables))
            #expect(first.failed.isEmpty && second.failed.isEmpty, "\(first.failed) \(second.failed)")
            #expect(second.finished.map(\.job) == first.finished.map(\.job))
            #expect(second.finished.map(\.totals) == first.finished.map(\.totals))
            let (files4, record4) = (try files(fixture), try record(fixture))
            #expect(files4 == files1 && files4.count > 5)
            #expect(record4 == record1)
            #expect(record4.tables.map(\.name) == record1.tables.map(\.name))
        }
    }

    @Test("All members see one moment, while another session keeps moving rows from table to table")
    func oneMoment() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table a (v int); create table b (v int); create table c (v int); create table d (v int);
                insert into a values (1000); insert into b values (1000); insert into c values (1000); insert into d values (1000);
                """
            )
            try await fixture.withGates(4) { gates in
                let tables = ["a", "b", "c", "d"].enumerated().map { number, table in
                    """
                    {query: "select gate(\(number + 1)) as gate, pg_backend_pid() as pid, sum(v) as sum from \(table)",
                      location: gate\(number + 1), filename: f.csv}
                    """
                }
                let mover = Task {
                    try await Connection.withConnection(to: fixture.source) { connection in
                        while !Task.isCancelled {
                            try await connection.execute(
                                """
                                begin; update a set v = v - 1; update b set v = v + 1; update c set v = v - 3;
                                update d set v = v + 3; commit
                                """
                            )
                        }
                    }
                }
                defer { mover.cancel() }
                let yaml = yaml(fixture, jobs: 4, "[\(tables.joined(separator: ", "))]").replacing(
                    "compression: gzip, ",
                    with: ""
                )
                async let report = fixture.backup(yaml)
                _ = try await fixture.members(4)
                for gate in 1...4 { try await gates.open(gate) }
                #expect(try await report.failed.map(\.description) == [])
                let rows = try (1...4).map {
                    try fixture.text("gate\($0)/f.csv").split(separator: "\n")[1].split(separator: ",")
                }
                #expect(Set(rows.map { $0[1] }).count == 4)
                let sums = rows.compactMap { Int($0[2]) }
                #expect(
                    sums[0] + sums[1] == 2000 && sums[2] + sums[3] == 2000 && 3 * (1000 - sums[0]) == 1000 - sums[2],
                    "\(sums)"
                )
            }
        }
    }

    @Test("A member joins the snapshot that any other member has exported, also when the first one is gone")
    func chain() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (id int); insert into t values (1)")
            let settings = try RunSettings(try fixture.configuration("tables: [t]"), for: .backup, in: RunEnvironment())
            @Sendable func member(
                _ snapshot: SharedSnapshot,
                _ body: @Sendable (Connection) async throws -> Void
            ) async throws {
                try await Connection.withConnection(to: settings.database) { connection in
                    try await connection.withTransaction(.snapshot, idleTimeout: nil) {
                        try await snapshot.join(over: connection)
                    } _: {
                        try await snapshot.withMember(over: connection) { try await body(connection) }
                    }
                }
            }
            @Sendable func count(_ connection: Connection) async throws -> String? {
                try await connection.query("select count(*) from t").rows.first?[0]
            }
            try await Connection.withConnection(to: settings.database) { first in
                let (ended, end) = AsyncStream.makeStream(of: Void.self)
                let (joined, join) = AsyncStream.makeStream(of: Void.self)
                let work = try await first.withTransaction(.snapshot, idleTimeout: nil) {
                    let snapshot = try await SharedSnapshot(of: first)
                    try await fixture.execute(fixture.source, "insert into t values (2)")
                    let work = Task {
                        try await member(snapshot) { second in
                            join.finish()
                            for await _ in ended {}
                            try await member(snapshot) { third in
                                let counts = [try await count(second), try await count(third)]
                                #expect(counts == ["1", "1"])
                            }
                        }
                    }
                    for await _ in joined {}
                    return work
                }
                end.finish()
                try await work.value
            }
        }
    }

    @Test("Events come one at a time, and those of a job in their order, each job once")
    func events() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema)
            let (log, overlaps) = (EventLog(), Overlaps())
            let configuration = try fixture.configuration(yaml(fixture, jobs: 4, "['public.*', public.odd]"))
            let report = try await BackupRun(configuration).run { event in
                overlaps.watch { log.append(event) }
            }
            #expect(overlaps.count == 0)
            var states: [JobID: String] = [:]
            for event in log.all {
                switch event {
                case .started(let job):
                    #expect(states[job] == nil)
                    states[job] = "started"
                case .progressed(let job, _): #expect(states[job] == "started")
                case .finished(let outcome):
                    #expect(states[outcome.job] == "started")
                    states[outcome.job] = "finished"
                default: break
                }
            }
            #expect(states.count == report.finished.count && states.values.allSatisfy { $0 == "finished" })
        }
    }

    @Test("Masks and a subset are the same with three tables at a time")
    func masksAndSubset() async throws {
        try await RunFixture.withAccounts { fixture in
            func files(_ jobs: Int) async throws -> [String: Data] {
                var yaml = fixture.subsetYAML(
                    "start: {public.accounts: id = 1}, references: {\(AccountsSchema.polymorphic)}"
                )
                yaml.removeLast()
                let report = try await fixture.backup(
                    yaml + ", jobs: \(jobs), masking: {key: \(MaskAnswerTests.secret), columns: {'*.email': email}}}"
                )
                #expect(report.failed.map(\.description) == [])
                return try self.files(fixture)
            }
            let one = try await files(1)
            #expect(try fixture.text("public.users/public.users.csv").contains("@example.com"))
            try FileManager.default.removeItem(atPath: fixture.folder)
            #expect(try await files(3) == one)
        }
    }

    @Test("Two runs in one second do not overwrite each other")
    func equalTimestamps() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema)
            let yaml = """
                {root_location: \(fixture.folder), location: '{table}', jobs: 4, catalog: other, tables: ['public.*', public.odd]}
                """
            var environment = RunEnvironment()
            environment.now = Date(timeIntervalSince1970: 1_700_000_000)
            let configuration = try fixture.configuration(yaml)
            let first = try await BackupRun(configuration, environment: environment).run()
            // Only files are in the way then, and each member meets one.
            try FileManager.default.removeItem(atPath: fixture.folder + "/other")
            let second = try await BackupRun(configuration, environment: environment).run()
            #expect(first.failed.isEmpty && second.failed.isEmpty)
            #expect(second.finished.allSatisfy { $0.path?.contains("2023-11-14T22:13:21") == true })
            let files = try fixture.files().filter { !$0.hasPrefix("other/") }
            #expect(files.filter { $0.contains("22:13:20") }.count == files.filter { $0.contains("22:13:21") }.count)
            #expect(files.filter { $0.hasSuffix("22:13:21.csv") }.count == second.finished.count)
            #expect(try await fixture.expectSoundSets(configuration).count == 1)
        }
    }

    @Test("The manifest has each table once, whoever has exported it, and a run is resumed by what it has")
    func manifest() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                Self.schema + "create table m (transaction int, action text, \"table\" text, file_path text);"
            )
            let tables = "[small, large, parent, odd]"
            let report = try await fixture.backup(yaml(fixture, jobs: 4, tables, ", manifest: public.m"))
            #expect(report.failed.isEmpty, "\(report.failed)")
            let recorded = "select \"table\" from m where transaction = 1 order by 1"
            let names = ["public.large", "public.odd", "public.parent", "public.small"]
            #expect(try await fixture.rows(fixture.source, recorded) == names)
            try await fixture.execute(fixture.source, "delete from m where \"table\" = 'public.odd'")
            var configuration = try fixture.configuration(yaml(fixture, jobs: 4, tables, ", manifest: public.m"))
            configuration.backup.run.resumeID = 1
            let resumed = try await BackupRun(configuration).run()
            #expect(resumed.finished.map(\.job.name) == ["public.odd"])
            #expect(resumed.skipped.count == 3)
            #expect(try await fixture.rows(fixture.source, recorded) == names)
        }
    }
}

/// Counts calls during other calls.
private final class Overlaps: Sendable {
    private let busy = Mutex(())
    private let overlaps = Mutex(0)

    var count: Int { overlaps.withLock { $0 } }

    func watch(_ body: () -> Void) {
        guard busy.withLockIfAvailable({ _ in body() }) == nil else { return }
        overlaps.withLock { $0 += 1 }
    }
}
