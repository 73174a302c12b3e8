import DatabudgieTestSupport
import Foundation
import Storage
import Testing

@testable import Databudgie

@Suite("The storage of a dry run")
struct DryRunStorageTests {
    private let names = ["a/1", "a/b/3", "a.csv", "e\u{301}", "\u{E9}", "with space"]

    /// A storage with files in it, and the same as a dry run sees it.
    private func withFiles(
        _ kind: StorageUnderTest,
        _ body: (_ base: any Storage, _ dryRun: DryRunStorage, StoragePath) async throws -> Void
    ) async throws {
        try await kind.withStorage { base, folder in
            for name in names {
                _ = try await base.write(folder.appending(name), ifExists: .fail, from: SingleChunk(Array(name.utf8)))
            }
            try await body(base, DryRunStorage(base: base), folder)
        }
    }

    @Test("Files are read, looked up and listed as they are", arguments: StorageUnderTest.allCases)
    func reading(_ kind: StorageUnderTest) async throws {
        try await withFiles(kind) { base, storage, folder in
            for recursive in [false, true] {
                let expected = try await base.list(folder, recursive: recursive)
                #expect(try await storage.list(folder, recursive: recursive) == expected)
                #expect(expected.count == (recursive ? 6 : 4))
            }
            #expect(try await storage.list(folder.appending("none")) == [])
            for name in names {
                let path = folder.appending(name)
                let expected = try await base.info(path)
                #expect(try await storage.info(path) == expected)
                let opened = try await storage.read(path)
                #expect(opened.info == expected)
                #expect(try await opened.collect(upTo: 100) == Array(name.utf8))
                let last = Int64(name.utf8.count)
                let end = try await storage.read(path, range: last - 1..<last).collect(upTo: 1)
                #expect(end == Array(name.utf8.suffix(1)))
            }
        }
    }

    @Test(
        "Missing files, ranges past the end and folders are the errors that they are",
        arguments: StorageUnderTest.allCases
    )
    func failures(_ kind: StorageUnderTest) async throws {
        try await withFiles(kind) { _, storage, folder async throws in
            #expect(try await storage.info(folder.appending("none")) == nil)
            #expect(try await storage.info(folder.appending("a")) == nil)
            let missing = await #expect(throws: StorageError.self) { try await storage.read(folder.appending("none")) }
            #expect(missing?.code == .notFound)
            let short = await #expect(throws: StorageError.self) {
                try await storage.read(folder.appending("a/1"), range: 0..<4).collect(upTo: 10)
            }
            #expect(short?.code == .truncated)
            let other = kind == .local ? StoragePath.s3(bucket: "bucket", key: "key") : .local("/tmp/file")
            let error = await #expect(throws: StorageError.self) { try await storage.info(other) }
            #expect(error?.code == .invalidPath)
        }
    }

    @Test("Nothing is written, replaced or deleted, and no folder is created", arguments: StorageUnderTest.allCases)
    func writing(_ kind: StorageUnderTest) async throws {
        try await withFiles(kind) { base, storage, folder in
            let before = try await base.list(folder, recursive: true)
            let written = try await storage.write(
                folder.appending("new/file"),
                ifExists: .fail,
                from: SingleChunk([1, 2, 3])
            )
            #expect(written.path == folder.appending("new/file"))
            #expect(written.size == 3)
            _ = try await storage.write(folder.appending("a.csv"), ifExists: .replace, from: SingleChunk([1]))
            let existing = await #expect(throws: StorageError.self) {
                try await storage.write(folder.appending("a.csv"), ifExists: .fail, from: SingleChunk([1]))
            }
            #expect(existing?.code == .alreadyExists)
            #expect(existing?.message == "\(folder.appending("a.csv")) already exists, and would not be replaced")
            try await storage.delete(names.map { folder.appending($0) })
            try await storage.checkWritable(folder.appending("not/there"))
            #expect(try await base.list(folder, recursive: true) == before)
            if kind == .local {
                let contents = try FileManager.default.contentsOfDirectory(atPath: folder.description)
                #expect(!contents.contains("new") && !contents.contains("not"))
            }
        }
    }

    @Test("What would be written is pulled to its end, and its failure is thrown")
    func sources() async throws {
        struct Broken: Error {}
        try await withFiles(.local) { base, storage, folder async throws in
            let (stream, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self)
            continuation.yield([1])
            continuation.finish(throwing: Broken())
            await #expect(throws: Broken.self) {
                try await storage.write(folder.appending("new"), ifExists: .fail, from: stream)
            }
            #expect(try await base.info(folder.appending("new")) == nil)
        }
    }
}
