import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Restores of one large new table by several connections", .timeLimit(.minutes(10)))
struct DividedLoadTests {
    /// Rows with line breaks and quotes, each of which begins with what could be a byte order mark, and a generated column.
    private static let schema = """
        create table big (v text, id serial primary key, at timestamptz, twice int generated always as (id * 2) stored,
            check (id::text is distinct from current_setting('test.refused', true)));
        create index on big (at);
        create table small (id int primary key, big_id int references big);
        insert into big (v, at) select e'\\uFEFF"' || i || e'"\\n,' || repeat(md5(i::text), i % 5),
            timestamptz '2026-01-01 00:00+00' + i * interval '1 minute' from generate_series(1, 30000) i;
        insert into small select i, i from generate_series(1, 10) i;
        """

    private static let digest =
        "select count(*), count(distinct id), md5(string_agg(t::text, ';' order by id)) from big t"
    private static let writers = "select count(distinct xmin::text) > 1 from big"

    /// As for ranges of 64 KiB: a file of some hundreds is large.
    private func environment(_ variables: [String: String]? = nil) -> RunEnvironment {
        var environment = RunEnvironment.reporting
        if let variables { environment.variables = variables }
        environment.rangeSize = 64 << 10
        return environment
    }

    private func yaml(_ fixture: RunFixture, _ more: String = "", location: String? = nil) -> String {
        """
        {root_location: '\(location ?? fixture.folder)', location: '{table}', ddl: {enabled: true, location: ddl}, jobs: 3,
        tables: ['public.*']\(more)}
        """
    }

    @discardableResult
    private func backup(_ fixture: RunFixture, _ yaml: String, _ variables: [String: String]? = nil) async throws
        -> RunReport
    {
        let report = try await BackupRun(fixture.configuration(yaml), environment: environment(variables)).run()
        try #require(report.failed.isEmpty, "\(report.failed)")
        return report
    }

    private func restore(
        _ fixture: RunFixture,
        _ yaml: String,
        _ log: EventLog = EventLog(),
        variables: [String: String]? = nil
    ) async throws -> RunReport {
        try await RestoreRun(fixture.configuration(yaml), environment: environment(variables)).run(onEvent: log.append)
    }

    private func divided(_ log: EventLog) -> [String] {
        log.notes.filter { $0.contains(" parts, by several connections") }
            .map { String($0.prefix { $0 != ":" }) }
    }

    private func expectEqualRows(_ fixture: RunFixture) async throws {
        let expected = try await fixture.rows(fixture.source, Self.digest)
        #expect(try await fixture.rows(fixture.target, Self.digest) == expected)
    }

    @Test(
        "All rows are there, once, whatever the format, and so are keys and indexes",
        arguments: ["null", "gzip", "zstd"],
        [false, true]
    )
    func allRows(compression: String, isEmptied: Bool) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema)
            let yaml = yaml(fixture, ", compression: \(compression), truncate: \(isEmptied)")
            try await backup(fixture, yaml)
            let log = EventLog()
            let report = try await restore(fixture, yaml, log)
            #expect(report.failed.isEmpty, "\(report.failed)")
            #expect(divided(log) == ["public.big"] && log.warnings == [], "\(log.notes)")
            #expect(log.started.count { $0 == "public.big" } == 1)
            let outcome = try #require(report.finished.first { $0.job.name == "public.big" })
            #expect(outcome.totals.rows == 30_000 && outcome.totals.fileBytes == Int64(outcome.file?.size ?? 0))
            #expect(outcome.columns.map(\.name) == ["v", "id", "at"])
            try await expectEqualRows(fixture)
            #expect(try await fixture.rows(fixture.target, Self.writers) == ["t"])
            #expect(try await fixture.rows(fixture.target, "select nextval('big_id_seq')") == ["30001"])
            try await fixture.expectEqualDefinitions()
        }
    }

    @Test("Parts are read from S3 by their ranges")
    func s3() async throws {
        try await RunFixture.with { fixture in
            try await S3Server.shared.withFolder { folder in
                let variables = try await S3Server.shared.environment
                try await fixture.execute(fixture.source, Self.schema)
                let yaml = yaml(fixture, location: "\(folder)")
                try await backup(fixture, yaml, variables)
                let log = EventLog()
                let report = try await restore(fixture, yaml, log, variables: variables)
                #expect(report.failed.isEmpty, "\(report.failed)")
                #expect(divided(log) == ["public.big"])
                try await expectEqualRows(fixture)
            }
        }
    }

    @Test("What the server refuses is said as by one connection, with the line of the file, and the table stays empty")
    func refusedRow() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema)
            let yaml = yaml(fixture)
            try await backup(fixture, yaml)
            let name = quotedIdentifier(fixture.target.keywords["dbname"] ?? "")
            var messages: [[String]] = []
            for jobs in [1, 3] {
                try await fixture.execute(fixture.target, "alter database \(name) set test.refused = '29000'")
                let log = EventLog()
                let report = try await restore(fixture, yaml.replacing("jobs: 3", with: "jobs: \(jobs)"), log)
                messages.append(report.failed.map(\.description))
                #expect(divided(log) == (jobs == 1 ? [] : ["public.big"]))
                #expect(log.started.count { $0 == "public.big" } == 1)
                #expect(try await fixture.rows(fixture.target, "select count(*) from big") == ["0"])
                try await fixture.execute(
                    fixture.target,
                    "alter database \(name) reset test.refused; drop table big, small"
                )
            }
            #expect(messages[0] == messages[1], "\(messages)")
            #expect(messages[0].first?.contains("COPY big, line 5800") == true, "\(messages)")
            let report = try await restore(fixture, yaml)
            #expect(report.failed.isEmpty, "\(report.failed)")
            try await expectEqualRows(fixture)
        }
    }

    @Test("A damaged segment fails the table by its number, and none of its rows is there")
    func damage() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema)
            let yaml = yaml(fixture, ", compression: gzip")
            try await backup(fixture, yaml)
            let path = try #require(try fixture.files().first { $0.contains("public.big/") && $0.hasSuffix(".gz") })
            var bytes = Array(try Data(contentsOf: URL(filePath: fixture.folder + "/" + path)))
            bytes[bytes.count * 3 / 4] ^= 1
            try Data(bytes).write(to: URL(filePath: fixture.folder + "/" + path))
            let log = EventLog()
            let report = try await restore(fixture, yaml, log)
            #expect(divided(log) == ["public.big"])
            let failure = try #require(report.failed.first)
            #expect(failure.job.name == "public.big")
            #expect(failure.message.contains(path) && failure.message.contains("at byte "), "\(failure)")
            #expect(try await fixture.rows(fixture.target, "select count(*) from big") == ["0"])
        }
    }

    @Test(
        "When a connection is lost, the table is loaded again over one, and has each row once",
        arguments: [false, true]
    )
    func lostConnection(isLeader: Bool) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table big (id int primary key, v text, check (pg_sleep(0.0002)::text is not null));
                insert into big select i, repeat(md5(i::text), 10) from generate_series(1, 8000) i;
                """
            )
            let yaml = yaml(fixture)
            try await backup(fixture, yaml)
            let log = EventLog()
            let restoring = Task { try await restore(fixture, yaml, log) }
            let loads = """
                select pid from pg_stat_activity where datname = '\(fixture.target.keywords["dbname"] ?? "")'
                    and query ~ '(^|; )copy "public"' and state = 'active' order by backend_start
                """
            var pids: [String] = []
            try await poll("two members load") {
                pids = try await fixture.rows(fixture.source, loads)
                return pids.count > 1
            }
            _ = try await fixture.rows(fixture.source, "select pg_terminate_backend(\(pids[isLeader ? 0 : 1]))")
            guard !isLeader else {
                await #expect(throws: (any Error).self) { try await restoring.value }
                #expect(try await fixture.rows(fixture.target, "select count(*) from big") == ["0"])
                return
            }
            #expect(try await restoring.value.failed.isEmpty)
            #expect(log.notes.contains { $0.contains("loading it again, over one connection") }, "\(log.notes)")
            #expect(log.started == ["public.big"])
            let content = "select count(*), count(distinct id), md5(string_agg(v, '' order by id)) from big"
            let expected = try await fixture.rows(fixture.source, content)
            #expect(try await fixture.rows(fixture.target, content) == expected)
        }
    }

    @Test(
        "A table of a manifest, one that was there, and one of several that are as large are loaded by one connection each"
    )
    func undivided() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema)
            let yaml = yaml(fixture)
            try await backup(fixture, yaml)
            var log = EventLog()
            #expect(try await restore(fixture, yaml.replacing("jobs: 3", with: "jobs: 1"), log).failed.isEmpty)
            #expect(divided(log) == [])
            // The tables are there now, and are replaced.
            log = EventLog()
            #expect(try await restore(fixture, yaml, log).failed.isEmpty)
            #expect(divided(log) == [])
            log = EventLog()
            let existing = yaml.replacing("ddl: {enabled: true, location: ddl}", with: "truncate: true")
            #expect(try await restore(fixture, existing, log).failed.isEmpty)
            #expect(divided(log) == [])
            try await fixture.execute(fixture.target, "drop table big, small")
            let manifest = yaml.replacing("jobs: 3", with: "jobs: 3, manifest: public.manifest")
            _ = try await ManifestCreation(fixture.configuration(manifest), for: .restore).run()
            log = EventLog()
            #expect(try await restore(fixture, manifest, log).failed.isEmpty)
            #expect(divided(log) == [])
            try await expectEqualRows(fixture)
        }
    }
}
