import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Synchronization
import Testing

@testable import Databudgie

@Suite("Prune")
struct PruneTests {
    private static let schema = """
        create table a (id int primary key);
        create table b (id bigint generated always as identity primary key);
        insert into a select generate_series(1, 10);
        insert into b select from generate_series(1, 10);
        """

    private func id(_ day: Int) -> String { "2026-01-0\(day)T03:00:00" }

    private func date(_ day: Int) throws -> Date { try Date(id(day) + "Z", strategy: .iso8601) }

    private func environment(_ kind: StorageUnderTest, _ now: Date) async throws -> RunEnvironment {
        RunEnvironment(variables: kind == .s3 ? try await S3Server.shared.environment : [:], now: now)
    }

    private func yaml(_ folder: StoragePath, _ tables: String, retention: String = "{keep_last: 1}") -> String {
        "{root_location: '\(folder)', location: '{table}', retention: \(retention), ddl: {enabled: true, location: ddl}, "
            + "tables: \(tables)}"
    }

    /// Sets of several days, of all tables.
    private func withSets(
        _ kind: StorageUnderTest,
        days: ClosedRange<Int>,
        retention: String = "{keep_last: 1}",
        _ body: (any Storage, StoragePath, Configuration) async throws -> Void
    ) async throws {
        try await kind.withStorage { storage, folder in
            try await RunFixture.with { fixture in
                try await fixture.execute(fixture.source, Self.schema)
                let configuration = try fixture.configuration(yaml(folder, "['public.*']", retention: retention))
                for day in days {
                    let run = BackupRun(configuration, environment: try await environment(kind, try date(day)))
                    #expect(try await run.run().set == id(day))
                }
                try await body(storage, folder, configuration)
            }
        }
    }

    private func names(_ storage: any Storage, _ folder: StoragePath) async throws -> [String] {
        let prefix = folder.description.utf8.count + 1
        return try await storage.list(folder, recursive: true).map {
            String($0.path.description.utf8.dropFirst(prefix)) ?? ""
        }
    }

    private func write(_ text: String, _ name: String, _ storage: any Storage, _ folder: StoragePath) async throws {
        _ = try await storage.write(
            folder.appending(name),
            ifExists: .replace,
            from: SingleChunk(Array(text.utf8))
        )
    }

    @Test(
        "What the rules keep stays with all of its files, and all other sets are gone",
        arguments: StorageUnderTest.allCases
    )
    func sets(_ kind: StorageUnderTest) async throws {
        try await withSets(kind, days: 1...5, retention: "{keep_daily: 2, keep_within: 1h}") {
            storage,
            folder,
            configuration in
            let before = try await names(storage, folder)
            let environment = try await environment(kind, try date(6))
            let plan = try await Prune(configuration, environment: environment).plan()
            #expect(plan.sets.map(\.id) == [5, 4, 3, 2, 1].map(id))
            #expect(
                plan.sets.map { $0.reasons.map(\.description) } == [["within 1h", "daily"], ["daily"], [], [], []]
            )
            #expect(plan.warnings.isEmpty && plan.orphans.isEmpty)
            #expect(plan.removedFiles == plan.removedSets.reduce(0) { $0 + $1.files } && plan.removedSize > 0)

            var dry = configuration
            dry.backup.run.isDryRun = true
            let dryPlan = try await Prune(dry, environment: environment).plan()
            try await Prune(dry, environment: environment).remove(dryPlan)
            #expect(try await names(storage, folder) == before)

            try await Prune(configuration, environment: environment).remove(plan)
            let left = before.filter { $0.contains(id(4)) || $0.contains(id(5)) }
            #expect(try await names(storage, folder) == left)
            #expect(before.count - left.count == plan.removedFiles + 3)
            let again = try await Prune(configuration, environment: environment).plan(includingOrphans: true)
            #expect(again.isEmpty && again.sets.allSatisfy(\.isKept))
        }
    }

    @Test("A record that cannot be read stops everything, with its name")
    func unreadableRecords() async throws {
        try await withSets(.local, days: 1...3) { storage, folder, configuration in
            let environment = try await environment(.local, try date(4))
            let path = folder.appending("catalog/\(id(1)).json")
            let record = try await storage.read(path).collect(upTo: 1 << 20)
            let texts = [
                (String(decoding: record.dropLast(record.count / 2), as: UTF8.self), "is damaged: it is not JSON"),
                ("{\"format\": 99, \"tool\": \"databudgie 9.0\"}", "has the format 99 of databudgie 9.0"),
                (
                    String(decoding: record, as: UTF8.self).replacing(
                        "\"id\" : \"\(id(1))\"",
                        with: "\"id\" : \"\(id(2))\""
                    ),
                    "is damaged: it has the id '\(id(2))'"
                ),
                (
                    String(decoding: record, as: UTF8.self).replacing("\"public.a/", with: "\"public.a/../"),
                    "is damaged: it names the path 'public.a/../"
                ),
            ]
            for (text, message) in texts {
                try await write(text, "catalog/\(id(1)).json", storage, folder)
                let before = try await names(storage, folder)
                for includingOrphans in [false, true] {
                    let error = await #expect(throws: DatabudgieError.self) {
                        try await Prune(configuration, environment: environment).plan(
                            includingOrphans: includingOrphans
                        )
                    }
                    #expect(
                        error?.message.contains("the set record \(path) \(message)") == true,
                        "\(error?.message ?? "")"
                    )
                    #expect(error?.effect == .nothingChanged)
                }
                #expect(try await names(storage, folder) == before)
            }
        }
    }

    @Test("A catalog that has changed since the plan is left alone")
    func changedCatalog() async throws {
        try await withSets(.local, days: 1...2) { storage, folder, configuration in
            let prune = Prune(configuration, environment: try await environment(.local, try date(4)))
            let plan = try await prune.plan()
            try await write("{}", "catalog/\(id(3)).running", storage, folder)
            let before = try await names(storage, folder)
            let error = await #expect(throws: DatabudgieError.self) { try await prune.remove(plan) }
            #expect(error?.message == "the sets in \(folder)/catalog have changed since they were listed")
            #expect(error?.effect == .nothingChanged)
            #expect(try await names(storage, folder) == before)
            let next = try await prune.plan()
            #expect(next.sets.map(\.status) == ["running", "complete", "complete"])
            #expect(next.sets.map { $0.reasons.map(\.description) } == [["under way"], ["last"], []])
            try await prune.remove(next)
            #expect(try await names(storage, folder).contains("catalog/\(id(3)).running"))
            // The process is gone.
            let mark = RunningMark(
                id: id(3),
                tool: "x",
                host: ProcessInfo.processInfo.hostName,
                pid: Int(Int32.max),
                startedAt: try date(3)
            )
            try await write(
                String(decoding: try CatalogJSON.bytes(mark), as: UTF8.self),
                "catalog/\(id(3)).running",
                storage,
                folder
            )
            let killed = try await prune.plan()
            #expect(killed.sets.first?.status == "crashed" && killed.sets.first?.reasons == [.killed])
        }
    }

    @Test("Files that a record names outside of all locations, and other records, are never removed")
    func hostileRecords() async throws {
        try await withSets(.local, days: 1...2) { storage, folder, configuration in
            try await withTemporaryFolder { outside in
                try Data("mine".utf8).write(to: URL(filePath: "\(outside)/mine.csv"))
                let name = "catalog/\(id(1)).json"
                let text = String(
                    decoding: try await storage.read(folder.appending(name)).collect(upTo: 1 << 20),
                    as: UTF8.self
                )
                let hostile = text.replacing("\"public.a/\(id(1)).csv\"", with: "\"\(outside)/mine.csv\"")
                    .replacing("\"public.b/\(id(1)).csv\"", with: "\"catalog/\(id(2)).json\"")
                #expect(hostile != text)
                try await write(hostile, name, storage, folder)
                let prune = Prune(configuration, environment: try await environment(.local, try date(4)))
                let plan = try await prune.plan()
                let warning = plan.warnings.map(\.message).joined()
                #expect(plan.warnings.count == 1)
                #expect(
                    warning.hasSuffix(
                        " and 1 more, of the set \(id(1)), is not in a location of the configuration and stays"
                    ),
                    "\(warning)"
                )
                try await prune.remove(plan)
                #expect(FileManager.default.fileExists(atPath: "\(outside)/mine.csv"))
                let left = try await names(storage, folder)
                #expect(left.contains("catalog/\(id(2)).json") && !left.contains(name))
            }
        }
    }

    @Test("Without a retention, or with one that keeps nothing, no set is removed; orphans need none")
    func noRetention() async throws {
        try await withSets(.local, days: 1...2) { _, _, configuration in
            var other = configuration
            let environment = try await environment(.local, try date(4))
            other.backup.retention = RetentionPolicy([.daily: .atMost(0)])
            let empty = await #expect(throws: DatabudgieError.self) {
                try await Prune(other, environment: environment).plan()
            }
            #expect(empty?.message == "'retention' keeps no set" && empty?.code == .configuration)
            other.backup.retention = nil
            let none = await #expect(throws: DatabudgieError.self) {
                try await Prune(other, environment: environment).plan()
            }
            #expect(
                none?.message == "there is no 'retention' that says which sets are kept" && none?.code == .configuration
            )
            let plan = try await Prune(other, environment: environment).plan(includingOrphans: true)
            #expect(plan.isEmpty && plan.sets.map(\.isKept) == [true, true])
        }
    }

    @Test(
        "Orphans are what no set names, what broken runs left and what was broken off, and nothing else",
        arguments: StorageUnderTest.allCases
    )
    func orphans(_ kind: StorageUnderTest) async throws {
        try await withSets(kind, days: 2...3, retention: "{keep_last: unlimited}") { storage, folder, configuration in
            let kept = try await names(storage, folder)
            let ours = [
                "catalog/2026-01-02T12:00:00.running", "public.a/2026-01-02T12:00:00.csv",
                "public.b/sequences/2026-01-02T12:00:00.json", "public.b/2026-01-02T13:00:00.csv.gz",
                "public/ddl/2026-01-02T13:00:00.sql", "ddl/2026-01-02T13:00:00.json",
                "catalog/2026-01-01T12:00:00.running", "public.b/2026-01-01T12:00:00.csv",
                "catalog/2026-01-01T13:00:00.verified.json",
            ]
            // Only a disk has temporary files, and no write gives such a name to a file that is complete.
            let temporary = kind == .local ? ["public.a/.2026-01-02T13:00:00.csv.1a2b.partial"] : []
            for name in temporary { try Data("rows".utf8).write(to: URL(filePath: "\(folder)/\(name)")) }
            let others = [
                "public.a/2026-01-01T03:00:00.csv", "public.a/notes.csv", "other.a/2026-01-02T13:00:00.csv",
                "public.a/2026-01-02T13:00:00.csv.bak", "catalog/readme.txt",
            ]
            for name in ours + others { try await write("{}", name, storage, folder) }
            let now = try await environment(kind, Date())
            #expect(try await Prune(configuration, environment: now).plan(includingOrphans: true).orphans.isEmpty)
            let later = try await environment(kind, Date(timeIntervalSinceNow: Prune.age + 3600))
            let prune = Prune(configuration, environment: later)
            #expect(try await prune.plan().isEmpty)
            let plan = try await prune.plan(includingOrphans: true)
            #expect(plan.orphans.map(\.place) == (ours + temporary).map { folder.appending($0).description }.sorted())
            #expect(plan.sets.map(\.id) == [3, 2].map(id))
            try await prune.remove(plan)
            #expect(Set(try await names(storage, folder)) == Set(kept + others))
            #expect(try await prune.plan(includingOrphans: true).isEmpty)
        }
    }

    @Test("Orphans are not looked for with locations in which no set has files")
    func otherLocations() async throws {
        try await withSets(.local, days: 1...2) { _, folder, configuration in
            var other = configuration
            other.backup.run.catalog = folder.appending("catalog")
            other.backup.tables[0].options.location = try Template("\(folder)/elsewhere/{table}")
            other.backup.run.definitions.location = try Template("\(folder)/elsewhere")
            let error = await #expect(throws: DatabudgieError.self) {
                try await Prune(other, environment: try await environment(.local, try date(4))).plan(
                    includingOrphans: true
                )
            }
            #expect(error?.message == "none of the files of the set \(id(2)) is in a location of the configuration")
        }
    }
    @Test("Orphans are not looked for where another catalog has sets")
    func otherCatalog() async throws {
        try await withSets(.local, days: 1...2) { storage, folder, configuration in
            let record = try await storage.read(folder.appending("catalog/\(id(1)).json")).collect(upTo: 1 << 20)
            let text = String(decoding: record, as: UTF8.self)
            try await write(text, "older/catalog/\(id(1)).json", storage, folder)
            try await write("[]", "lists/\(id(1)).json", storage, folder)
            let prune = Prune(configuration, environment: try await environment(.local, try date(4)))
            let error = await #expect(throws: DatabudgieError.self) { try await prune.plan(includingOrphans: true) }
            #expect(
                error?.message
                    == "\(folder)/older/catalog is another set catalog in the locations of the configuration, "
                    + "whose sets would be orphans"
            )
            #expect(error?.effect == .nothingChanged)
            #expect(try await prune.plan().removedSets.map(\.id) == [id(1)])
        }
    }
}
