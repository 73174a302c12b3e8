import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

/// What a program does that embeds the library: it loads a configuration with overrides, and runs it.
@Suite("Dry runs of library users")
struct DryRunTests {
    private let schema = """
        create table product (id serial primary key, name text);
        create table sale (id int primary key, product int references product);
        insert into product (name) values ('tea'), ('cake'); insert into sale values (1, 1);
        """

    /// Reads the text of a configuration for both databases, as `--dry-run` on the command line would.
    private func configuration(_ fixture: RunFixture, dryRun: Bool?, _ more: String) throws -> Configuration {
        func url(_ parameters: ConnectionParameters) -> String {
            parameters.keywords.sorted { $0.key < $1.key }.map { "\($0)='\($1)'" }.joined(separator: " ")
        }
        var sources = ConfigurationSources(environment: [:], workingDirectory: fixture.folder)
        sources.overrides.rawConfig = """
            backup: {url: "\(url(fixture.source))"}
            restore: {url: "\(url(fixture.target))"}
            root_location: \(fixture.folder)
            location: "{table}"
            truncate: true
            manifest: m
            tables: ["public.*"]
            \(more)
            """
        sources.overrides.rawConfigFormat = .yaml
        sources.overrides.dryRun = dryRun
        return try Configuration.load(sources)
    }

    /// Both databases with a manifest, the target with rows of its own.
    private func withDatabases(_ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(schema + ManifestTable("m").definition)
            try await fixture.execute(
                fixture.target,
                "insert into product values (9, 'old'); select setval('product_id_seq', 9)"
            )
            try await body(fixture)
        }
    }

    /// Everything in a database that a run could change.
    private func state(_ fixture: RunFixture, _ parameters: ConnectionParameters) async throws -> [String] {
        let rows = """
            select 'database', oid::text from pg_database where datname = current_database()
            union all select 'product', p::text from product p union all select 'sale', s::text from sale s
            union all select 'm', m::text from m union all select 'value', last_value::text from product_id_seq
            union all select 'manifest value', (last_value, is_called)::text from m_id_seq
            union all select relname, oid::text || ' ' || relfilenode from pg_class where relnamespace = 'public'::regnamespace
            order by 1, 2
            """
        return try await fixture.rows(parameters, rows) + fixture.definitions(of: parameters)
    }

    private func expectNothingRecorded(_ log: EventLog) {
        let recorded = log.all.filter { if case .recording = $0 { true } else { false } }
        #expect(recorded.isEmpty)
        #expect(log.all.contains { if case .planned = $0 { true } else { false } })
    }

    @Test(
        "A backup writes no files, no rows of the manifest and no definitions",
        arguments: ["ddl: false", "ddl: true"]
    )
    func backup(ddl: String) async throws {
        try await withDatabases { fixture in
            let before = try await state(fixture, fixture.source)
            let log = EventLog()
            let report = try await BackupRun(try configuration(fixture, dryRun: true, ddl)).run(onEvent: log.append)
            #expect(report.isDryRun)
            #expect(report.failed.isEmpty)
            #expect(report.finished.map(\.totals.rows) == [2, 1])
            #expect(report.finished.map(\.path) == [nil, nil])
            #expect(try fixture.files() == [])
            let folders = try FileManager.default.contentsOfDirectory(atPath: fixture.folder)
            #expect(folders == [])
            #expect(try await state(fixture, fixture.source) == before)
            expectNothingRecorded(log)
        }
    }

    @Test(
        "A restore changes no rows, no sequences, no definitions and no manifest, whatever it would replace",
        arguments: ["ddl: false", "ddl: true", "ddl: {enabled: true, clean: true}"]
    )
    func restore(ddl: String) async throws {
        try await withDatabases { fixture in
            let backup = try await BackupRun(try configuration(fixture, dryRun: nil, "ddl: true")).run()
            #expect(!backup.isDryRun)
            #expect(backup.failed.isEmpty && backup.finished.count == 2)
            let files = try fixture.files()
            for kind in [".csv", ".json", ".sql"] { #expect(files.contains { $0.hasSuffix(kind) }) }
            let before = try await state(fixture, fixture.target)
            let log = EventLog()
            let report = try await RestoreRun(try configuration(fixture, dryRun: true, ddl)).run(onEvent: log.append)
            #expect(report.isDryRun)
            #expect(report.failed.isEmpty && report.finished.isEmpty)
            #expect(try await state(fixture, fixture.target) == before)
            #expect(try fixture.files() == files)
            expectNothingRecorded(log)
        }
    }

    @Test("Overrides that say no dry run, or nothing, run in earnest", arguments: [false, nil])
    func inEarnest(dryRun: Bool?) async throws {
        try await withDatabases { fixture in
            let configuration = try configuration(fixture, dryRun: dryRun, "")
            #expect(try await !BackupRun(configuration).run().isDryRun)
            #expect(try await RestoreRun(configuration).run().finished.count == 2)
            #expect(try await fixture.rows(fixture.target, "select id from product order by 1") == ["1", "2"])
            #expect(try await fixture.rows(fixture.source, "select count(*) from m") == ["2"])
            #expect(try await fixture.rows(fixture.target, "select count(*) from m") == ["2"])
        }
    }
}
