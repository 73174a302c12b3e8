import DatabudgieTestSupport
import Foundation
import Storage
import Synchronization
import Testing

@testable import Databudgie

/// A disk that asks before each deletion, of one file at a time.
private struct GuardedStorage: Storage {
    let base = LocalStorage()
    /// Throws when the file must stay.
    let beforeDeletion: @Sendable (StoragePath) throws -> Void

    func write<Bytes: AsyncSequence & Sendable>(
        _ path: StoragePath,
        ifExists: ExistingFile,
        from bytes: Bytes
    ) async throws -> FileInfo where Bytes.Element == [UInt8] {
        try await base.write(path, ifExists: ifExists, from: bytes)
    }

    func writePieces(
        _ path: StoragePath,
        ifExists: ExistingFile,
        count: Int
    ) async throws -> any PiecewiseWrite {
        try await base.writePieces(path, ifExists: ifExists, count: count)
    }

    func read(_ path: StoragePath, range: Range<Int64>?) async throws -> StorageBytes {
        try await base.read(path, range: range)
    }

    func info(_ path: StoragePath) async throws -> FileInfo? { try await base.info(path) }

    func list(_ folder: StoragePath, recursive: Bool) async throws -> [FileInfo] {
        try await base.list(folder, recursive: recursive)
    }

    func delete(_ paths: [StoragePath]) async throws {
        for path in paths {
            try beforeDeletion(path)
            try await base.delete([path])
        }
    }

    func unfinishedWrites(_ folder: StoragePath, before limit: Date) async throws -> [UnfinishedWrite] {
        try await base.unfinishedWrites(folder, before: limit)
    }

    func discard(_ write: UnfinishedWrite) async throws { try await base.discard(write) }

    func checkWritable(_ folders: [StoragePath]) async throws { try await base.checkWritable(folders) }
}

@Suite("A prune that breaks off")
struct BrokenPruneTests {
    /// The process is killed.
    private struct Killed: Error {}

    /// Counts the deletions that are still allowed.
    private final class Deletions: Sendable {
        private let left: Mutex<Int>

        init(_ count: Int) { left = Mutex(count) }

        func take() throws {
            let isAllowed = left.withLock { left in
                left -= 1
                return left >= 0
            }
            guard isAllowed else { throw Killed() }
        }
    }

    private func id(_ day: Int) -> String { "2026-01-0\(day)T03:00:00" }

    /// Three sets that share a file, and a newest one that does not have it.
    private func writeSets(_ fixture: RunFixture) async throws -> Configuration {
        try await fixture.execute(fixture.source, "create table a (id int); create table once (id int)")
        func configuration(_ tables: String) throws -> Configuration {
            try fixture.configuration(
                "{root_location: \(fixture.folder), location: '{table}', retention: {keep_last: 1}, catalog: catalog, "
                    + "tables: \(tables)}"
            )
        }
        let both = "[a, {name: once, filename: 'now.{ext}', skip_if_exists: true}]"
        for (day, tables) in [(1, both), (2, both), (3, both), (4, "[a]")] {
            let now = try Date(id(day) + "Z", strategy: .iso8601)
            let run = BackupRun(try configuration(tables), environment: RunEnvironment(variables: [:], now: now))
            #expect(try await run.run().set == id(day))
        }
        return try configuration("[a]")
    }

    /// Each set that is listed has all of its files.
    private func expectWholeSets(_ catalog: SetCatalog) async throws {
        for entry in try await catalog.entries() where entry.record != nil {
            for text in try await catalog.record(entry.id).filePaths {
                let path = try catalog.paths.path(of: text)
                #expect(try await LocalStorage().info(path) != nil, "\(path) of \(entry.id)")
            }
        }
    }

    @Test("After each deletion a set is whole or not listed, and what is left of it is found a day later")
    func everyDeletion() async throws {
        try await RunFixture.with { fixture in
            let configuration = try await writeSets(fixture)
            let folder = try #require(configuration.catalog(for: .backup))
            let later = RunEnvironment(variables: [:], now: Date(timeIntervalSinceNow: Prune.age + 3600))
            var deletions = 0
            while true {
                let copy = fixture.folder + "-\(deletions)"
                try FileManager.default.copyItem(atPath: fixture.folder, toPath: copy)
                defer { try? FileManager.default.removeItem(atPath: copy) }
                var copied = configuration
                copied.backup.run.catalog = try StoragePath(folder.description.replacing(fixture.folder, with: copy))
                copied.backup.tables[0].options.location = try Template("\(copy)/{table}")
                let prune = Prune(copied, environment: RunEnvironment(variables: [:]))
                let plan = try await prune.plan()
                #expect(plan.deletions.map(\.id) == [1, 2, 3].map(id))
                let allowed = Deletions(deletions)
                let failing = GuardedStorage { _ in try allowed.take() }
                let catalog = SetCatalog(
                    folder: try #require(copied.catalog(for: .backup)),
                    storages: StorageRouter(local: failing, s3: failing)
                )
                var isBroken = false
                do {
                    try await prune.remove(plan, from: catalog)
                } catch is Killed {
                    isBroken = true
                }
                try await expectWholeSets(catalog)
                let next = Prune(copied, environment: later)
                try await next.remove(try await next.plan(includingOrphans: true))
                try await expectWholeSets(catalog)
                let left = try await LocalStorage().list(.local(copy), recursive: true).map(\.path.lastComponent)
                #expect(left.contains("\(id(4)).json") && left.contains("\(id(4)).csv"))
                let old = left.filter { name in [1, 2, 3].contains { name.contains(id($0)) } }
                #expect(old.isEmpty, "after \(deletions) deletions: \(old)")
                guard isBroken else { break }
                deletions += 1
            }
            // Each of three sets has a record, a file of its own and a mark, and all of them have one in common.
            #expect(deletions == 10)
        }
    }

    @Test("A record that cannot be removed keeps its files, and says so")
    func undeletableRecord() async throws {
        try await RunFixture.with { fixture in
            let configuration = try await writeSets(fixture)
            let folder = try #require(configuration.catalog(for: .backup)).description
            let prune = Prune(configuration, environment: RunEnvironment(variables: [:]))
            let plan = try await prune.plan()
            let record = "\(folder)/\(id(1)).json"
            let kept = try StoragePath(record)
            let refusing = GuardedStorage { path in
                guard path != kept else { throw StorageError(.accessDenied, "\(path) is refused", path: path) }
            }
            let catalog = SetCatalog(
                folder: try StoragePath(folder),
                storages: StorageRouter(local: refusing, s3: refusing)
            )
            let error = await #expect(throws: DatabudgieError.self) { try await prune.remove(plan, from: catalog) }
            #expect(error?.message == "the set \(id(1)) cannot be removed: \(record) is refused")
            try await expectWholeSets(catalog)
            #expect(try await catalog.entries().map(\.id) == [4, 3, 2, 1].map(id))
            #expect(try await catalog.entries().allSatisfy { $0.running == nil })
        }
    }
}
