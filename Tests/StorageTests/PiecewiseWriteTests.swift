import DatabudgieTestSupport
import Foundation
import SystemPackage
import Testing

@testable import Storage

/// What every storage promises of files in pieces.
@Suite("Files in pieces")
struct PiecewiseWriteTests {
    private static let sizes = [3, (6 << 20) + 1, 0, 100_000, 5 << 20, (13 << 20) + 7, 10, 0, (11 << 20), 2 << 20]

    private func pieces(_ sizes: [Int]) -> [[UInt8]] {
        sizes.enumerated().map { pattern($0.element, seed: UInt64($0.offset + 1)) }
    }

    @Test(
        "The file is the pieces in their order, whichever is finished first, and nothing else is left",
        arguments: StorageUnderTest.allCases,
        [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], [4, 0, 8, 2, 6, 1, 9, 3, 7, 5]]
    )
    func order(_ kind: StorageUnderTest, order: [Int]) async throws {
        try await kind.withStorage { storage, folder async throws in
            let (path, pieces) = (folder.appending("sub/file"), pieces(Self.sizes))
            let file = try await storage.writePieces(path, ifExists: .fail, count: pieces.count)
            for piece in order { try await file.write(piece, from: ByteSource(bytes: pieces[piece])) }
            #expect(try await storage.info(path) == nil)
            let info = try await file.publish([1, 2, 3])
            await file.discard()
            let content = pieces.flatMap(\.self) + [1, 2, 3]
            #expect(info.path == path && info.size == Int64(content.count))
            #expect(try await storage.read(path).collect(upTo: content.count) == content)
            #expect(try await everything(in: folder).filter { !$0.hasSuffix("sub") }.count == 1)
        }
    }

    @Test("Pieces are written at the same time", arguments: StorageUnderTest.allCases)
    func together(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder async throws in
            let (path, pieces) = (folder.appending("file"), pieces(Self.sizes))
            try await storage.write(path, [7])
            let file = try await storage.writePieces(path, ifExists: .replace, count: pieces.count)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, piece) in pieces.enumerated() {
                    group.addTask { try await file.write(number, from: ByteSource(bytes: piece)) }
                }
                try await group.waitForAll()
            }
            #expect(try await storage.bytes(path) == [7])
            _ = try await file.publish([])
            let content = pieces.flatMap(\.self)
            #expect(try await storage.read(path).collect(upTo: content.count) == content)
            #expect(try await everything(in: folder).count == 1)
        }
    }

    @Test("A file of few bytes in pieces is written", arguments: StorageUnderTest.allCases, [[1], [0, 0, 3], [2, 0]])
    func small(_ kind: StorageUnderTest, sizes: [Int]) async throws {
        try await kind.withStorage { storage, folder async throws in
            let (path, pieces) = (folder.appending("file"), pieces(sizes))
            let file = try await storage.writePieces(path, ifExists: .fail, count: pieces.count)
            for (number, piece) in pieces.enumerated().reversed() {
                try await file.write(number, from: ByteSource(bytes: piece))
            }
            _ = try await file.publish([])
            #expect(try await storage.bytes(path) == pieces.flatMap(\.self))
        }
    }

    @Test(
        "A piece whose source has failed is written again",
        arguments: StorageUnderTest.allCases,
        [0, 1_000, 5 << 20, 14 << 20]
    )
    func again(_ kind: StorageUnderTest, size: Int) async throws {
        try await kind.withStorage { storage, folder async throws in
            let (path, pieces) = (folder.appending("file"), pieces([6 << 20, size, 6 << 20]))
            let file = try await storage.writePieces(path, ifExists: .fail, count: 3)
            try await file.write(0, from: ByteSource(bytes: pieces[0]))
            await #expect(throws: ByteSource.Broken()) {
                try await file.write(1, from: ByteSource(bytes: pieces[1], ending: .fail))
            }
            try await file.write(2, from: ByteSource(bytes: pieces[2]))
            try await file.write(1, from: ByteSource(bytes: pieces[1]))
            _ = try await file.publish([])
            let content = pieces.flatMap(\.self)
            #expect(try await storage.read(path).collect(upTo: content.count) == content)
            #expect(try await everything(in: folder).count == 1)
        }
    }

    @Test("Nothing is left of a file that is discarded, and an older one stays", arguments: StorageUnderTest.allCases)
    func discarded(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder async throws in
            let path = folder.appending("file")
            try await storage.write(path, [7])
            let file = try await storage.writePieces(path, ifExists: .replace, count: 4)
            try await file.write(0, from: ByteSource(bytes: pattern(7 << 20)))
            try await file.write(2, from: ByteSource(bytes: pattern(7 << 20)))
            let waiting = Signal()
            let source = ByteSource(bytes: pattern(7 << 20), ending: .wait(waiting))
            let writing = Task {
                do {
                    try await file.write(1, from: source)
                } catch {
                    await file.discard()
                    throw error
                }
            }
            await waiting.wait()
            let writes = try await storage.unfinishedWrites(folder, before: .distantFuture)
            #expect(!writes.isEmpty && writes.allSatisfy { $0.path == path })
            writing.cancel()
            await #expect(throws: CancellationError.self) { try await writing.value }
            #expect(try await storage.bytes(path) == [7])
            #expect(try await everything(in: folder).count == 1)
        }
    }

    @Test("A file in pieces that is not to replace one does not", arguments: StorageUnderTest.allCases, [false, true])
    func taken(_ kind: StorageUnderTest, late: Bool) async throws {
        try await kind.withStorage { storage, folder async throws in
            let path = folder.appending("file")
            if !late { try await storage.write(path, [7]) }
            let error = await #expect(throws: StorageError.self) {
                let file = try await storage.writePieces(path, ifExists: .fail, count: 2)
                do {
                    try await file.write(1, from: ByteSource(bytes: [2]))
                    try await file.write(0, from: ByteSource(bytes: [1]))
                    if late { try await storage.write(path, [7]) }
                    _ = try await file.publish([])
                } catch {
                    await file.discard()
                    throw error
                }
            }
            #expect(error?.code == .alreadyExists)
            #expect(try await storage.bytes(path) == [7])
            #expect(try await everything(in: folder).count == 1)
        }
    }

    @Test("A file is not published without one of its pieces", arguments: StorageUnderTest.allCases)
    func missing(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder async throws in
            let file = try await storage.writePieces(folder.appending("file"), ifExists: .fail, count: 2)
            try await file.write(1, from: ByteSource(bytes: [2]))
            await #expect(throws: StorageError.self) { _ = try await file.publish([]) }
            await file.discard()
            #expect(try await everything(in: folder) == [])
        }
    }

    @Test(
        "Where the kernel cannot copy from file to file, pieces are copied all the same",
        arguments: [Errno.improperLink, .noFunction, .notSupported, .invalidArgument, nil]
    )
    func withoutKernel(failure: Errno?) async throws {
        var calls = LocalCalls()
        calls.copyRange = { (_, _, _) throws(Errno) in
            guard let failure else { return 0 }
            throw failure
        }
        try await withTemporaryFolder { folder async throws in
            let (path, pieces) = (StoragePath.local("\(folder)/file"), pieces([100, (3 << 20) + 5, 1 << 20]))
            let file = try await LocalStorage(calls: calls).writePieces(path, ifExists: .fail, count: 3)
            for piece in [2, 1, 0] { try await file.write(piece, from: ByteSource(bytes: pieces[piece])) }
            _ = try await file.publish([9])
            #expect(try await LocalStorage().bytes(path) == pieces.flatMap(\.self) + [9])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
        }
    }

    @Test("A disk that is full while pieces are laid together is reported, and nothing is left")
    func full() async throws {
        var calls = LocalCalls()
        calls.copyRange = { (_, _, _) throws(Errno) in throw .noSpace }
        try await withTemporaryFolder { folder async throws in
            let storage = LocalStorage(calls: calls)
            let file = try await storage.writePieces(.local("\(folder)/file"), ifExists: .fail, count: 2)
            try await file.write(1, from: ByteSource(bytes: [2]))
            let error = await #expect(throws: StorageError.self) {
                try await file.write(0, from: ByteSource(bytes: [1]))
            }
            #expect(error?.code == .outOfSpace)
            #expect(error?.message.hasPrefix("\(folder)/file cannot be written: ") == true)
            await file.discard()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        }
    }
}
