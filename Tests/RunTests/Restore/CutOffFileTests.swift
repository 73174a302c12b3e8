import Compression
import DatabudgieTestSupport
import Foundation
import Storage
import Testing

@testable import Databudgie

@Suite("Files that were cut off or altered")
struct CutOffFileTests {
    private static let file = "public.t/2024-01-01T00:00:00.csv"

    /// Why a restore did not load the table, whether that was found before the load or during it.
    private func failures(_ fixture: RunFixture, _ yaml: String) async throws -> [String] {
        do {
            let report = try await fixture.restore(yaml)
            return report.failed.map(\.message)
        } catch let error as DatabudgieError {
            return error.problems.map(\.description)
        }
    }

    private func expectRefused(_ fixture: RunFixture, _ reason: String, _ comment: Comment? = nil) async throws {
        let failures = try await failures(fixture, fixture.yaml("[t]"))
        #expect(failures.count == 1, comment)
        #expect(failures.first?.contains(reason) == true, "\(failures)")
        #expect(try await fixture.rows(fixture.target, "select a from t") == ["old"], comment)
    }

    @Test(
        "A file that was cut off at the end of any segment is not restored",
        arguments: StorageUnderTest.allCases,
        CompressionFormat.allCases
    )
    func segmentEnds(_ kind: StorageUnderTest, format: CompressionFormat) async throws {
        try await kind.withStorage { storage, folder in
            try await RunFixture.with { fixture in
                let rows =
                    "insert into t select rpad(md5(i::text), 800, md5((i + 1)::text)) from generate_series(1, 45000) i"
                try await fixture.onBoth("create table t (a text)")
                try await fixture.execute(fixture.source, rows)
                try await fixture.execute(fixture.target, "insert into t values ('old')")
                let configuration = try fixture.configuration(
                    """
                    {root_location: '\(folder)', location: '{table}', compression: \(format.rawValue), truncate: true,
                        strategy: use_latest_filename, tables: [t]}
                    """
                )
                var environment = RunEnvironment()
                if kind == .s3 { environment.variables = try await S3Server.shared.environment }
                let backup = try await BackupRun(configuration, environment: environment).run(onEvent: { _ in })
                let outcome = try #require(backup.finished.first)
                let path = try #require(outcome.file?.path)
                let bytes = try await storage.read(path).collect(upTo: 1 << 28)
                #expect(outcome.segments.count == 4)
                for part in outcome.segments.dropLast() {
                    let end = Int(part.segment.offset + part.segment.bytes)
                    _ = try await storage.write(path, ifExists: .replace, from: SingleChunk(Array(bytes[..<end])))
                    let failure = await #expect(throws: DatabudgieError.self) {
                        let report = try await RestoreRun(configuration, environment: environment).run(onEvent: { _ in }
                        )
                        for failure in report.failed { throw DatabudgieError(.dataFile, failure.message) }
                    }
                    #expect(failure?.message.contains("is incomplete: its beginning announces") == true)
                    #expect(try await fixture.rows(fixture.target, "select a from t") == ["old"])
                }
                _ = try await storage.write(path, ifExists: .replace, from: SingleChunk(bytes))
                let whole = try await RestoreRun(configuration, environment: environment).run(onEvent: { _ in })
                #expect(whole.finished.map(\.totals.rows) == [45_000])
            }
        }
    }

    /// A compressed file with a header and rows, one a segment; the last append claims more rows than it has.
    private func file(_ format: CompressionFormat, _ lines: [String], surplus: Int = 0) throws -> [[UInt8]] {
        let writer = try SegmentWriter(format: format, segmentSize: 1)
        var segments = try lines.map { try writer.append(Array($0.utf8), rows: 1).bytes }
        _ = try writer.append([], rows: surplus)
        segments += try writer.finish().map(\.bytes)
        return segments
    }

    @Test("What only the load finds out is rolled back", arguments: CompressionFormat.allCases)
    func foundByLoad(format: CompressionFormat) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (a text); insert into t values ('old')")
            let path = Self.file + format.fileSuffix
            let whole = try file(format, ["a\n", "1\n", "2\n"])

            try fixture.write(Data((whole[..<2] + whole[3...]).joined()), to: path)
            try await expectRefused(fixture, "it has 4 bytes of content, and its end says 6")
            try fixture.write(Data(file(format, ["a\n", "1\n", "2\n"], surplus: 2).joined()), to: path)
            try await expectRefused(fixture, "the file has 3 records, and its end says 5")
            try fixture.write(Data((whole + whole).joined()), to: path)
            try await expectRefused(fixture, "has reached its totals at byte")
            try fixture.write(Data((whole + ["3\n"].map { Array($0.utf8) }).joined()), to: path)
            try await expectRefused(fixture, "is followed by something that is not a")

            try fixture.write(Data(whole.joined()), to: path)
            #expect(try await failures(fixture, fixture.yaml("[t]")) == [])
            #expect(try await fixture.rows(fixture.target, "select a from t order by a") == ["1", "2"])
        }
    }

    @Test("Files of other tools, which announce nothing, are restored")
    func handMade() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (a text)")
            let script = """
                cd '\(fixture.folder)' && mkdir public.t && printf 'a\\n1\\n' > one && printf '2\\n3\\n' > two &&
                    (gzip -c one; gzip -c two) > public.t/2024-01-01T00:00:00.csv.gz &&
                    (zstd -c one; zstd -c two) > public.t/2024-01-02T00:00:00.csv.zst
                """
            let process = Process()
            process.executableURL = URL(filePath: "/bin/sh")
            process.arguments = ["-c", script]
            let status = try await withCheckedThrowingContinuation { continuation in
                process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
                do { try process.run() } catch { continuation.resume(throwing: error) }
            }
            #expect(status == 0)
            for file in ["2024-01-02T00:00:00.csv.zst", "2024-01-01T00:00:00.csv.gz"] {
                #expect(try await failures(fixture, fixture.yaml("[t]")) == [])
                #expect(try await fixture.rows(fixture.target, "select a from t order by a") == ["1", "2", "3"])
                try FileManager.default.removeItem(atPath: "\(fixture.folder)/public.t/\(file)")
            }
        }
    }

    @Test(
        "A plain file that ends without a line break, or inside quotes, is not restored",
        arguments: [
            ("a\n1\n23", "the last line has no line break"), ("a\r\n1\r\n23\r", "the last line has no line break"),
            ("a\r1\r23", "the last line has no line break"), ("a\n\"1\n2", "the file ends inside quotes"),
            ("a\n\"1\n", "the file ends inside quotes"), ("a\n1\n\"2\"", "the last line has no line break"),
            ("a", "the line with the columns' names has no line break"),
        ]
    )
    func plain(text: String, reason: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (a text); insert into t values ('old')")
            try fixture.write(text, to: Self.file)
            try await expectRefused(fixture, reason)
        }
    }

    @Test("Tables without rows and without columns come back in every format", arguments: ["null", "gzip", "zstd"])
    func emptyTables(compression: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table t (a text); create table nothing (); create table neither ()")
            try await fixture.execute(fixture.source, "insert into nothing default values")
            try await fixture.execute(fixture.source, "insert into nothing default values")
            let yaml = """
                {root_location: '\(fixture.folder)', location: '{table}', compression: \(compression), truncate: true,
                    tables: [t, nothing, neither]}
                """
            let backup = try await fixture.backup(yaml)
            #expect(backup.failed.map(\.message) == [])
            #expect(try await failures(fixture, yaml) == [])
            #expect(try await fixture.rows(fixture.target, "select count(*) from nothing") == ["2"])
            #expect(try await fixture.rows(fixture.target, "select count(*) from t, neither") == ["0"])
        }
    }
}
