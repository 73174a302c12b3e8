import Compression
import DatabudgieTestSupport
import Foundation
import Storage
import Synchronization
import Testing

@testable import Databudgie

@Suite("The verification of a set")
struct VerificationTests {
    private static let otherBytes = "its bytes are not those that were written (SHA-256)"

    @Test(
        "A set that a backup has written is as its record says, at every level",
        arguments: StorageUnderTest.allCases
    )
    func backup(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder in
            try await RunFixture.with { fixture in
                try await fixture.execute(
                    fixture.source,
                    """
                    create table a (id bigint generated always as identity, t text, "q,""u" text);
                    insert into a (t, "q,""u") select case i % 4 when 0 then null when 1 then '' when 2 then E'x\\n"y"' else '\\.'
                        end, i from generate_series(1, 30000) i;
                    create table lone (t text); insert into lone values (null), (''), ('\\.'), (E'\\r\\n');
                    create table none (); insert into none select from generate_series(1, 3);
                    create table empty (a int);
                    create table mark (U&"\\FEFFx" int); insert into mark values (1);
                    """
                )
                let configuration = try fixture.configuration(
                    """
                    {root_location: '\(folder)', location: '{table}', ddl: {enabled: true, location: ddl}, tables: {
                      public.a: {compression: gzip}, public.lone: {}, public.none: {compression: zstd},
                      public.empty: {compression: zstd}, public.mark: {}}}
                    """
                )
                let variables = kind == .s3 ? try await S3Server.shared.environment : [:]
                let report = try await BackupRun(configuration, environment: RunEnvironment(variables: variables)).run()
                #expect(report.failed.isEmpty)
                let set = try #require(report.set)
                for level in SetVerification.Level.allCases where level != .restore {
                    let log = VerificationLog()
                    let verified = try await Verification(
                        configuration,
                        level: level,
                        environment: RunEnvironment(variables: variables)
                    ).run(onEvent: log.append)
                    #expect(verified.id == set && verified.outcome == .ok && verified.isStored, "\(log.findings)")
                    #expect(verified.unhashedFiles == 0 && log.findings.isEmpty)
                    #expect(level == .files || verified.totals.rows == 30_008)
                    let catalog = folder.appending("catalog")
                    let stored = try await storage.read(catalog.appending("\(set).verified.json")).collect(upTo: 10_000)
                    #expect(String(decoding: stored, as: UTF8.self).contains("\"level\" : \"\(level.rawValue)\""))
                }
            }
        }
    }

    @Test(
        "A flipped bit is found wherever it is, in its file and in its segment",
        arguments: StorageUnderTest.allCases
    )
    func flippedBits(_ kind: StorageUnderTest) async throws {
        try await HandMadeSets.with(kind) { sets in
            let record = try await sets.writeSet()
            #expect(try await sets.damages(.rows) == [])
            var random = SeededGenerator(seed: 7)
            for file in record.files {
                let segments = file.tableNumber.flatMap { record.tables[$0].file?.segments }
                #expect((segments?.count ?? 4) > 3)
                let bytes = try await sets.bytes(file.path)
                for _ in 0..<(kind == .local ? 12 : 3) {
                    let offset = Int.random(in: 0..<bytes.count, using: &random)
                    var flipped = bytes
                    flipped[offset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                    try await sets.write(flipped, to: file.path)
                    let damages = try await sets.damages()
                    let number = segments?.firstIndex { ($0.offset..<$0.offset + $0.bytes).contains(Int64(offset)) }
                    #expect(damages.count == 1, "byte \(offset) of \(file.path): \(damages)")
                    #expect(damages.first?.path == file.path && damages.first?.table == file.table)
                    #expect(damages.first?.segment == number.map { $0 + 1 })
                    #expect(damages.first?.offset == number.flatMap { segments?[$0].offset })
                    #expect(damages.first?.message.hasPrefix(Self.otherBytes) == true)
                }
                try await sets.write(bytes, to: file.path)
            }
            #expect(try await sets.stored()?["status"] as? String == "damaged")
            #expect(try await sets.damages() == [])
            #expect(try await sets.stored()?["status"] as? String == "ok")
        }
    }

    @Test("Several damaged segments of a file are all found, and those between them are not")
    func severalSegments() async throws {
        try await HandMadeSets.with(.local) { sets in
            let record = try await sets.writeSet()
            for table in record.tables {
                let file = try #require(table.file)
                let segments = try #require(file.segments)
                var bytes = try await sets.bytes(file.path)
                for number in [0, 2, 3] { bytes[Int(segments[number].offset + segments[number].bytes / 2)] ^= 4 }
                try await sets.write(bytes, to: file.path)
            }
            // Read in parts, the same is found.
            for partSize in [nil, Int64(1), 3_000] {
                let damages = try await sets.damages(partSize: partSize)
                #expect(damages.map(\.segment) == [1, 3, 4, 1, 3, 4, 1, 3, 4])
                #expect(
                    damages.map(\.table)
                        == ["plain", "gzip", "zstd"].flatMap { Array(repeating: "public.\($0)", count: 3) }
                )
            }
        }
    }

    @Test("Files that are cut off, gone, longer or swapped are found", arguments: StorageUnderTest.allCases)
    func otherFiles(_ kind: StorageUnderTest) async throws {
        try await HandMadeSets.with(kind) { sets in
            let record = try await sets.writeSet()
            let file = try #require(record.tables[1].file)
            let segments = try #require(file.segments)
            let bytes = try await sets.bytes(file.path)
            let cut = Int(segments[1].offset) + 10
            let size = bytes.count
            for partSize in [nil, Int64(1)] {
                try await sets.write(Array(bytes[..<cut]), to: file.path)
                let sentence = "the file is cut off: it has \(cut) of its \(size) bytes"
                #expect(try await sets.damages(.files).map(\.message) == [sentence])
                let found = try await sets.damages(partSize: partSize)
                #expect(found.map(\.message) == [sentence, "it is cut off after 10 of its \(segments[1].bytes) bytes"])
                #expect(found.map(\.segment) == [nil, 2])
                try await sets.write(Array(bytes[..<Int(segments[1].offset)]), to: file.path)
                #expect(try await sets.damages(partSize: partSize).count == 1)
                try await sets.write(bytes + [10, 10], to: file.path)
                for level in SetVerification.Level.allCases where level != .restore {
                    let longer = try await sets.damages(level, partSize: partSize)
                    #expect(longer.map(\.message) == ["2 bytes follow the \(size) bytes that were written"])
                    #expect(longer.map(\.offset) == [Int64(size)])
                }
                try await sets.storage.delete([sets.folder.appending(file.path)])
                for level in SetVerification.Level.allCases where level != .restore {
                    let damages = try await sets.damages(level, partSize: partSize)
                    #expect(damages == [.init(table: "public.gzip", path: file.path, message: "the file is missing")])
                }
                try await sets.write(bytes, to: file.path)
            }
            let whole = try #require(record.tables[0].sequencesFile)
            try await sets.storage.delete([sets.folder.appending(whole.path)])
            #expect(try await sets.damages().map(\.path) == [whole.path])
        }
    }

    @Test("Two files of equal size that have been swapped are found")
    func swapped() async throws {
        try await HandMadeSets.with(.local) { sets in
            let first = try await sets.writeTable("first", HandMadeSets.lines(300))
            let second = try await sets.writeTable(
                "other",
                HandMadeSets.lines(300).map { $0.replacing("x", with: "y") }
            )
            let record = sets.record([first, second])
            try await sets.write(record)
            let paths = record.files.map(\.path)
            let contents = [try await sets.bytes(paths[0]), try await sets.bytes(paths[1])]
            #expect(contents[0].count == contents[1].count)
            try await sets.write(contents[1], to: paths[0])
            try await sets.write(contents[0], to: paths[1])
            #expect(try await sets.damages(.files) == [])
            let damages = try await sets.damages()
            #expect(Set(damages.map(\.path)) == Set(paths))
            #expect(damages.count == 2 * (first.file?.segments?.count ?? 0))
        }
    }

    @Test("A file that the role may not read is a finding, and all of them are one error")
    func denied() async throws {
        let server = try await S3Server.shared
        try await HandMadeSets.with(.s3) { sets in
            let record = try await sets.writeSet()
            let (configuration, path) = (try sets.configuration, record.tables[1].file?.path)
            @Sendable func verification(_ proxy: FaultProxy, _ level: SetVerification.Level) -> Verification {
                var configuration = configuration
                configuration.backup.run.s3 = server.options(endpoint: proxy.endpoint)
                return Verification(configuration, level: level, environment: RunEnvironment(variables: [:]))
            }
            let one = FaultProxy.Rule(.error(403, "AccessDenied"), target: "public.gzip")
            try await FaultProxy.withProxy(to: server.endpoint, rules: [one]) { proxy async throws in
                let verified = try await verification(proxy, .hashes).run()
                guard case .damaged(let damages) = verified.outcome else {
                    Issue.record("nothing is found")
                    return
                }
                #expect(damages.map(\.path) == [path])
                #expect(damages[0].message.contains("denies access"))
            }
            let all = ["public.", "ddl"].map { FaultProxy.Rule(.error(403, "AccessDenied"), target: $0) }
            try await FaultProxy.withProxy(to: server.endpoint, rules: all) { proxy async throws in
                for level in SetVerification.Level.allCases where level != .restore {
                    let error = await #expect(throws: DatabudgieError.self) {
                        try await verification(proxy, level).run()
                    }
                    #expect(error?.problems.count == 1 && error?.code == .storage)
                }
            }
            #expect(try await sets.stored()?["finding_count"] as? Int == 1)
        }
    }

    @Test("A storage that takes no result gets a warning, and the result is returned all the same")
    func readOnly() async throws {
        let server = try await S3Server.shared
        try await HandMadeSets.with(.s3) { sets in
            try await sets.writeSet()
            var configuration = try sets.configuration
            let rule = FaultProxy.Rule(.error(403, "AccessDenied"), method: "PUT")
            let log = VerificationLog()
            let verified = try await FaultProxy.withProxy(to: server.endpoint, rules: [rule]) {
                [configuration] proxy async throws in
                var configuration = configuration
                configuration.backup.run.s3 = server.options(endpoint: proxy.endpoint)
                return try await Verification(configuration, environment: RunEnvironment(variables: [:]))
                    .run(onEvent: log.append)
            }
            #expect(verified.outcome == .ok && !verified.isStored)
            #expect(log.warnings.count == 1 && log.warnings[0].hasPrefix("the result is not stored: "))
            #expect(try await sets.stored() == nil)
            configuration.backup.run.isDryRun = true
            let variables = server.environment
            let dry = try await Verification(configuration, environment: RunEnvironment(variables: variables)).run()
            #expect(dry.outcome == .ok && !dry.isStored)
            #expect(try await sets.stored() == nil)
        }
    }

    @Test("Thousands of files are looked at with a request for each thousand")
    func requests() async throws {
        let server = try await S3Server.shared
        try await HandMadeSets.with(.s3) { sets in
            let names = (0..<2_300).map { "t\($0)" }
            let tables = try await names.concurrentMap(limit: 32) { name in
                let path = "public.\(name)/\(HandMadeSets.id).csv"
                try await sets.write([10], to: path)
                return SetRecord.Table(
                    schema: "public",
                    name: name,
                    columns: [],
                    rows: 0,
                    bytes: 1,
                    file: SetRecord.DataFile(path: path, bytes: 1),
                    sequences: []
                )
            }
            try await sets.write(sets.record(tables))
            let configuration = try sets.configuration
            let requests = try await FaultProxy.withProxy(to: server.endpoint) { proxy async throws in
                var configuration = configuration
                configuration.backup.run.s3 = server.options(endpoint: proxy.endpoint)
                let verification = Verification(
                    configuration,
                    level: .files,
                    environment: RunEnvironment(variables: [:])
                )
                #expect(try await verification.run().outcome == .ok)
                return proxy.requests
            }
            #expect(requests.count < 12, "\(requests.map(\.target))")
            // One that is gone costs one more.
            try await sets.storage.delete([sets.folder.appending("public.t7/\(HandMadeSets.id).csv")])
            #expect(try await sets.damages(.files).map(\.table) == ["public.t7"])
        }
    }
}

/// Keeps the events of a verification.
final class VerificationLog: Sendable {
    private let events = Mutex<[VerificationEvent]>([])

    var all: [VerificationEvent] { events.withLock { $0 } }

    /// What was found, in one line each.
    var findings: [String] {
        all.compactMap { if case .found(_, let damage, let file) = $0 { damage.sentence(file: file) } else { nil } }
    }

    /// Warnings and notes of a kind.
    func messages(_ kind: Finding.Kind) -> [String] {
        all.compactMap { event in
            if case .progress(.found(let finding)) = event, finding.kind == kind { finding.description } else { nil }
        }
    }

    var warnings: [String] { messages(.warning) }

    @Sendable func append(_ event: VerificationEvent) {
        events.withLock { $0.append(event) }
    }
}
