import Compression
import Crypto
import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("The set record that a backup writes")
struct SetRecordingTests {
    private let schema = """
        create schema shop;
        create table shop.product (id bigint generated always as identity primary key, name text not null,
            price numeric(10, 2), taxed numeric generated always as (price * 1.2) stored);
        create table shop.sale (product bigint references shop.product, day date);
        insert into shop.product (name, price) select 'p' || i, i from generate_series(1, 100) i;
        insert into shop.sale select 1 + i % 100, '2026-01-01' from generate_series(1, 5000) i;
        """
    private let moment = Date(timeIntervalSince1970: 1_767_323_045)
    private let id = "2026-01-02T03:04:05"

    private func environment(_ kind: StorageUnderTest, later: TimeInterval = 0) async throws -> RunEnvironment {
        RunEnvironment(
            variables: kind == .s3 ? try await S3Server.shared.environment : [:],
            now: moment.addingTimeInterval(later)
        )
    }

    /// A backup at the fixed moment, with what it leaves in the catalog.
    private func backup(
        _ fixture: RunFixture,
        _ yaml: String,
        later: TimeInterval = 0,
        events: EventLog = EventLog()
    ) async throws -> RunReport {
        try await BackupRun(
            try fixture.configuration(yaml),
            environment: try await environment(.local, later: later)
        ).run(onEvent: events.append)
    }

    private func record(_ fixture: RunFixture, _ id: String? = nil) throws -> SetRecord {
        let path = "catalog/\(id ?? self.id).json"
        return try SetRecord(json: Array(try fixture.text(path).utf8), at: path)
    }

    private func catalog(_ fixture: RunFixture) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: fixture.folder + "/catalog").sorted()
    }

    @Test(
        "It describes every file, with the hashes of their bytes, relative to the folder of the catalog",
        arguments: StorageUnderTest.allCases
    )
    func files(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder in
            try await RunFixture.with { fixture in
                try await fixture.execute(fixture.source, schema)
                let configuration = try fixture.configuration(
                    """
                    {root_location: '\(folder)', location: '{table}', ddl: {enabled: true, location: ddl}, tables: {
                      'shop.*': {compression: gzip},
                      days: {location: days, query: 'select day, count(*) n from shop.sale group by 1', compression: zstd}}}
                    """
                )
                let report = try await BackupRun(configuration, environment: try await environment(kind)).run()
                #expect(report.set == id && report.failed.isEmpty)
                let base = try StoragePath("\(folder)")
                let names = try await storage.list(base.appending("catalog")).map(\.path.lastComponent)
                #expect(names == ["\(id).json"])
                let bytes = try await storage.read(base.appending("catalog/\(id).json")).collect(upTo: 1 << 20)
                let record = try SetRecord(json: bytes, at: "x")
                try await expectFiles(of: record, at: base, in: storage)
                expectContents(of: record, fixture)
            }
        }
    }

    private func expectFiles(of record: SetRecord, at base: StoragePath, in storage: any Storage) async throws {
        func hash(_ bytes: some Collection<UInt8>) -> String {
            SHA256.hash(data: Data(bytes)).map { String(format: "%02x", $0) }.joined()
        }
        let everything = try await storage.list(base, recursive: true).map(\.path).filter {
            !$0.description.contains("/catalog/")
        }
        #expect(Set(record.filePaths.map(base.appending)) == Set(everything))
        for file in record.definitions + record.tables.compactMap(\.sequencesFile) {
            let bytes = try await storage.read(base.appending(file.path)).collect(upTo: 1 << 20)
            #expect(Int64(bytes.count) == file.bytes && hash(bytes) == file.sha256)
        }
        for file in record.tables.compactMap(\.file) {
            let bytes = try await storage.read(base.appending(file.path)).collect(upTo: 1 << 20)
            #expect(Int64(bytes.count) == file.bytes)
            let segments = try #require(file.segments)
            #expect(segments.map(\.bytes).reduce(0, +) == file.bytes)
            for segment in segments {
                #expect(hash(bytes[Int(segment.offset)...].prefix(Int(segment.bytes))) == segment.sha256)
            }
        }
    }

    private func expectContents(of record: SetRecord, _ fixture: RunFixture) {
        #expect(record.status == .complete && record.consistency == .snapshot)
        #expect(record.startedAt == moment && record.tool == "databudgie \(DatabudgieVersion.current)")
        #expect(record.source?.database == fixture.source.keywords["dbname"])
        #expect(record.source?.systemIdentifier?.isEmpty == false && record.source?.walPosition?.contains("/") == true)
        #expect(record.config?.count == 64)
        #expect(record.entries?.map(\.name) == ["shop.*", "days"])
        #expect(record.totals.tables == 3 && record.totals.rows == 5101)
        #expect(record.foreignKeys.map(\.table) == ["shop.sale"] && record.foreignKeys[0].references == "shop.product")
        let product = record.tables.first { $0.name == "product" }
        #expect(product?.schema == "shop" && product?.rows == 100 && product?.query == nil)
        #expect(
            product?.columns == [
                SetRecord.Column(name: "id", type: "bigint", notNull: true, identity: true),
                SetRecord.Column(name: "name", type: "text", notNull: true),
                SetRecord.Column(name: "price", type: "numeric(10,2)"),
                SetRecord.Column(name: "taxed", type: "numeric", generated: true),
            ]
        )
        #expect(
            product?.sequences == [
                SetRecord.RecordedSequence(schema: "shop", name: "product_id_seq", lastValue: 100, isCalled: true)
            ]
        )
        let query = record.tables.first { $0.name == "days" }
        #expect(query?.schema == nil && query?.query?.hasPrefix("select day") == true)
        #expect(query?.columns.map(\.type) == ["date", "bigint"])
    }

    @Test("It follows the schema in the documentation", .enabled(if: Python.path != nil, "jsonschema is not there"))
    func documentedSchema() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema + "create table shop.locked (id int);")
            let yaml = """
                {root_location: \(fixture.folder), location: '{table}', ddl: true, compression: zstd, tables: {
                  'shop.*': {}, broken: {location: broken, query: 'select 1/0 as x'},
                  q: {location: q, query: 'select 1 as x', filename: 'q.{ext}'}}}
                """
            #expect(try await backup(fixture, yaml).failed.count == 1)
            _ = try await backup(fixture, yaml, later: 60)
            let python = try #require(Python.path)
            let documentation = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appending(path: "../../../Documentation/set-record.schema.json")
            let program = """
                import json, sys, jsonschema
                schema = json.load(open(sys.argv[1]))
                jsonschema.Draft202012Validator.check_schema(schema)
                def close(node):
                    if isinstance(node, dict):
                        if 'properties' in node: node['additionalProperties'] = False
                        for value in node.values(): close(value)
                    elif isinstance(node, list):
                        for value in node: close(value)
                close(schema)
                for path in sys.argv[2:]: jsonschema.Draft202012Validator(schema).validate(json.load(open(path)))
                """
            let records = try catalog(fixture).map { fixture.folder + "/catalog/" + $0 }
            #expect(records.count == 2)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: python)
            process.arguments = ["-c", program, documentation.path] + records
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
            #expect(try record(fixture).supersededBy == "2026-01-02T03:05:05")
        }
    }

    @Test("A failed table makes the set partial, with the failure in it")
    func partial() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            let yaml = fixture.yaml("{shop.product: {}, shop.sale: {query: 'select 1/0 as x'}}")
            #expect(try await backup(fixture, yaml).set == id)
            let record = try record(fixture)
            #expect(record.status == .partial && record.tables.map(\.name) == ["product"])
            #expect(record.failures.map(\.table) == ["shop.sale"])
            #expect(record.failures.first?.message.hasPrefix("division by zero") == true)
        }
    }

    @Test("What the role may not ask of the server stays without an answer, and the rest has one")
    func refusedQuestion() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(
                fixture.source,
                "revoke execute on function pg_control_system() from public; create table t (id int); grant select on t to \(role)"
            )
            _ = try await backup(fixture.connected(as: role), fixture.yaml("[t]"))
            let source = try #require(try record(fixture).source)
            #expect(source.systemIdentifier == nil)
            #expect(source.snapshot?.contains(":") == true && source.walPosition?.contains("/") == true)
            try await fixture.execute(fixture.source, "drop owned by \(role)")
        }
    }

    @Test("A run that is stopped by its first failure records what it has written as partial")
    func strict() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            let yaml = fixture.yaml(
                "{shop.product: {}, shop.sale: {query: 'select 1/0 as x', strict: true}}"
            )
            _ = try await backup(fixture, yaml)
            let record = try record(fixture)
            #expect(record.status == .partial && record.failures.map(\.table) == ["shop.sale"])
            #expect(try catalog(fixture) == ["\(id).json"])
        }
    }

    @Test("Nothing is recorded when nothing was written")
    func nothing() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            let yaml = fixture.yaml("{shop.product: {query: 'select 1/0 as x'}}")
            #expect(try await backup(fixture, yaml).set == nil)
            #expect(try catalog(fixture) == [])
            let report = try await fixture.backup(fixture.yaml("[shop.product]"), isDryRun: true)
            #expect(report.set == nil)
            #expect(try catalog(fixture) == [])
        }
    }

    @Test("A run that is interrupted records the tables that are complete, and gives its id up")
    func interrupted() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            let configuration = try fixture.configuration(
                fixture.yaml("{shop.product: {}, shop.sale: {query: 'select pg_sleep(600)::text as x'}}")
            )
            let environment = try await environment(.local)
            let (started, begun) = AsyncStream.makeStream(of: Void.self)
            let task = Task {
                try await BackupRun(configuration, environment: environment).run { event in
                    if case .started(let job) = event, job.name == "shop.sale" { begun.yield() }
                }
            }
            for await _ in started { break }
            #expect(try catalog(fixture) == ["\(id).running"])
            let mark = try JSONSerialization.jsonObject(with: Data(try fixture.text("catalog/\(id).running").utf8))
            #expect((mark as? [String: Any])?["pid"] as? Int == Int(ProcessInfo.processInfo.processIdentifier))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            let record = try record(fixture)
            #expect(record.status == .partial && record.tables.map(\.name) == ["product"])
            #expect(record.failures == [SetRecord.Failure(table: "shop.sale", message: "the run was interrupted")])
            #expect(try catalog(fixture) == ["\(id).json"])
        }
    }

    @Test("A set under the id of a running or a finished one gets the next second")
    func claims() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            try fixture.write("{}", to: "catalog/\(id).running")
            let yaml = fixture.yaml("[shop.product]")
            let log = EventLog()
            #expect(try await backup(fixture, yaml, events: log).set == "2026-01-02T03:04:06")
            #expect(log.notes.contains { $0.hasPrefix("another run writes the set \(id): this run writes") })
            #expect(try await backup(fixture, yaml).set == "2026-01-02T03:04:07")
            let left = ["\(id).running", "2026-01-02T03:04:06.json", "2026-01-02T03:04:07.json"]
            #expect(try catalog(fixture) == left)
            #expect(try record(fixture, "2026-01-02T03:04:07").tables[0].file?.path.contains("03:04:07.csv") == true)
        }
    }

    @Test("Ten runs at once are ten sets")
    func atOnce() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            let yaml = fixture.yaml("['shop.*']")
            let sets = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 1...10 { group.addTask { try await backup(fixture, yaml).set } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(sets.compactMap(\.self)).count == 10)
            #expect(try catalog(fixture) == sets.compactMap(\.self).sorted().map { "\($0).json" })
            for set in sets.compactMap(\.self) {
                #expect(try record(fixture, set).filePaths.allSatisfy { $0.contains(set) })
            }
        }
    }

    @Test("A newer set that replaces files says so in the older one")
    func superseded() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            let tables = "{shop.product: {filename: 'all.{ext}'}, shop.sale: {}}"
            _ = try await backup(fixture, fixture.yaml(tables))
            _ = try await backup(fixture, fixture.yaml("[shop.sale]"), later: 60)
            #expect(try record(fixture).supersededBy == nil)
            _ = try await backup(fixture, fixture.yaml(tables), later: 120)
            #expect(try record(fixture).supersededBy == "2026-01-02T03:06:05")
            #expect(try record(fixture, "2026-01-02T03:05:05").supersededBy == nil)
            #expect(try record(fixture, "2026-01-02T03:06:05").supersededBy == nil)
        }
    }

    @Test("Files of earlier runs are part of a set with what their own record says, or else with their size")
    func keptFiles() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            _ = try await backup(fixture, fixture.yaml("[shop.product]"))
            try fixture.write("product,day\n", to: "shop.sale/2025-01-01T00:00:00.csv")
            let yaml = fixture.yaml("{'shop.*': {skip_if_exists: true}, q: {location: q, query: 'select 1 as x'}}")
            _ = try await backup(fixture, yaml, later: 60)
            let (first, second) = (try record(fixture), try record(fixture, "2026-01-02T03:05:05"))
            #expect(second.consistency == .mixed && second.status == .complete)
            #expect(second.tables.first { $0.name == "product" } == first.tables[0])
            let sale = try #require(second.tables.first { $0.name == "sale" })
            #expect(sale.file == SetRecord.DataFile(path: "shop.sale/2025-01-01T00:00:00.csv", bytes: 12))
            #expect(sale.rows == nil && second.totals.rows == nil && second.totals.tables == 3)
        }
    }

    @Test("Locations without a folder in common are said once, and 'catalog' names one")
    func noFolderInCommon() async throws {
        try await RunFixture.with { fixture in
            try await withTemporaryFolder { other in
                try await fixture.execute(fixture.source, schema)
                try await StorageUnderTest.s3.withStorage { _, bucket in
                    let tables = "{shop.product: {location: \(fixture.folder)/a}, shop.sale: {location: '\(bucket)/b'}}"
                    let log = EventLog()
                    let report = try await BackupRun(
                        try fixture.configuration("{tables: \(tables)}"),
                        environment: try await environment(.s3)
                    ).run(onEvent: log.append)
                    #expect(report.failed.isEmpty && report.set == nil)
                    #expect(
                        log.warnings == [
                            "no set is recorded, because the locations have no folder in common; name the folder of the set "
                                + "records under 'catalog'"
                        ]
                    )
                }
                let yaml = "{catalog: \(other)/records, tables: {shop.product: {location: \(fixture.folder)/a}}}"
                let id = "2026-01-02T03:05:05"
                #expect(try await backup(fixture, yaml, later: 60).set == id)
                let path = "\(other)/records/\(id).json"
                let record = try SetRecord(json: Array(try Data(contentsOf: URL(fileURLWithPath: path))), at: path)
                #expect(record.tables[0].file?.path == "\(fixture.folder)/a/\(id).csv")
            }
        }
    }
}

/// The Python of the packages that read what we write, which `scripts/test` installs; nil where it could not.
enum Python {
    static let path = ProcessInfo.processInfo.environment["TEST_PYTHON"].flatMap { $0.isEmpty ? nil : $0 }
}
