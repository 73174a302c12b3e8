import Compression
import Crypto
import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("What is known of a job that is complete")
struct JobOutcomeTests {
    /// More rows than fit into one segment, and sequences of two kinds.
    private let schema = """
        create table big (id bigserial primary key, other int generated always as identity, text text, day date);
        create table none (id int, "e\u{301}" numeric(5, 2), "\u{E9}" text[]); create view seen as select day from big;
        """
    private let rows = """
        insert into big (text, day) select rpad(md5(i::text), 800, md5((i + 1)::text)), '2024-01-01' from
            generate_series(1, 22000) i;
        select setval('big_other_seq', 77, false);
        """

    @Test(
        "Segments cover the stored file, and each hash is that of the segment's bytes",
        arguments: StorageUnderTest.allCases,
        ["null", "gzip", "zstd"]
    )
    func segments(_ kind: StorageUnderTest, compression: String) async throws {
        try await kind.withStorage { storage, folder in
            try await RunFixture.with { fixture in
                try await fixture.execute(fixture.source, schema + rows)
                let configuration = try fixture.configuration(
                    "{root_location: '\(folder)', location: '{table}', compression: \(compression), tables: [big, none]}"
                )
                var environment = RunEnvironment()
                if kind == .s3 { environment.variables = try await S3Server.shared.environment }
                let log = EventLog()
                let report = try await BackupRun(configuration, environment: environment).run(onEvent: log.append)
                #expect(report.failed.map(\.description) == [])
                #expect(report.finished.count == 2)
                for outcome in report.finished {
                    let file = try #require(outcome.file)
                    let bytes = try await storage.read(file.path).collect(upTo: 1 << 26)
                    #expect(try await storage.info(file.path)?.version == file.version)
                    #expect(outcome.path == file.path.description)
                    #expect(file.size == Int64(bytes.count))
                    #expect(outcome.totals.fileBytes == file.size)
                    expectSegments(of: outcome, bytes)
                }
                #expect(report.finished.map(\.totals.rows) == [22_000, 0])
                #expect(report.finished.map(\.segments.count) == (compression == "null" ? [2, 1] : [3, 2]))
                let events = log.all.compactMap { if case .finished(let outcome) = $0 { outcome } else { nil } }
                #expect(events.map(\.segments) == report.finished.map(\.segments))
            }
        }
    }

    private func expectSegments(of outcome: JobOutcome, _ bytes: [UInt8]) {
        var end: Int64 = 0
        for part in outcome.segments {
            #expect(part.segment.offset == end)
            end = part.segment.offset + part.segment.bytes
            #expect(part.segment.bytes > 0 && end <= Int64(bytes.count))
            let stored = bytes[Int(part.segment.offset)..<Int(end)]
            #expect(part.sha256 == Array(SHA256.hash(data: Array(stored))))
        }
        #expect(end == Int64(bytes.count))
        // The header is a row of the first segment, and none of the table.
        #expect(outcome.segments.map(\.segment.rows).reduce(0, +) == outcome.totals.rows + 1)
        #expect(outcome.segments.map(\.segment.uncompressedBytes).reduce(0, +) == outcome.totals.bytes)
    }

    @Test("Columns have their names and types in the order of the file, and sequences their values")
    func columns() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(schema)
            try await fixture.execute(fixture.source, rows)
            let yaml = fixture.yaml("[big, none, {query: 'select 1 as one, now() as \"Two\"', location: free}]")
            let backup = try await fixture.backup(yaml)
            #expect(backup.failed.map(\.description) == [])
            let big = try #require(backup.finished.first { $0.job.name == "public.big" })
            #expect(big.job.subject == .rows)
            #expect(big.columns.map(\.name) == ["id", "other", "text", "day"])
            #expect(big.columns.map(\.typeOID) == [20, 23, 25, 1082])
            let expected = [("big_id_seq", 22_000, true), ("big_other_seq", 77, false)]
            let values = big.sequences.sorted { $0.name < $1.name }
            #expect(values.map(\.name.name) == expected.map(\.0))
            #expect(values.map(\.lastValue) == expected.map { Int64($0.1) })
            #expect(values.map(\.isCalled) == expected.map(\.2))
            let none = try #require(backup.finished.first { $0.job.name == "public.none" })
            #expect(none.columns.map { Array($0.name.utf8) } == ["id", "e\u{301}", "\u{E9}"].map { Array($0.utf8) })
            #expect(none.columns.map(\.typeOID) == [23, 1700, 1009])
            #expect(none.sequences.isEmpty)
            let query = try #require(backup.finished.first { $0.job.subject == .query })
            #expect(query.columns.map(\.name) == ["one", "Two"])
            #expect(query.columns.map(\.typeOID) == [23, 1184])
            #expect(backup.finished.allSatisfy { !$0.includesDefinition })

            let restore = try await fixture.restore(fixture.yaml("[big, none]"))
            #expect(restore.failed.map(\.description) == [])
            let loaded = try #require(restore.finished.first { $0.job.name == "public.big" })
            #expect(loaded.columns.map(\.name) == big.columns.map(\.name))
            #expect(loaded.sequences.sorted { $0.name < $1.name } == values)
            #expect(loaded.segments.isEmpty)
            #expect(loaded.path == big.path)
            #expect(loaded.totals.rows == 22_000)
        }
    }

    @Test("Tables whose definitions are part of the run say so, in a backup and in a restore")
    func definitions() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table a (id int); create table b (id int)")
            try await fixture.execute(fixture.target, "create table b (id int)")
            let yaml = fixture.ddlYAML("[a, {name: b, ddl: false}]")
            for report in [try await fixture.backup(yaml), try await fixture.restore(yaml)] {
                #expect(report.failed.map(\.description) == [])
                let included = report.finished.filter(\.includesDefinition).map(\.job.name)
                #expect(included == ["public.a"])
                #expect(report.finished.count == 2)
                #expect(report.definitions == ["public.a"])
            }
        }
    }
}
