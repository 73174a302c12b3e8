import DatabudgieTestSupport
import Foundation
import Storage
import Testing

/// What every storage promises.
@Suite("Every storage")
struct StorageConformanceTests {
    @Test(
        "What was written is read back",
        arguments: StorageUnderTest.allCases,
        [0, 1, 100_000, 256 * 1024, 6 << 20, (6 << 20) + 1, 20 << 20]
    )
    func roundTrip(_ kind: StorageUnderTest, size: Int) async throws {
        try await kind.withStorage { storage, folder async throws in
            let (path, content) = (folder.appending("sub/file.csv"), pattern(size))
            let written = try await storage.write(path, content)
            #expect(written.path == path)
            #expect(written.size == Int64(size))
            let info = try #require(try await storage.info(path))
            #expect(info.size == Int64(size))
            #expect(info.version == written.version)
            let opened = try await storage.read(path)
            #expect(opened.info.size == Int64(size))
            #expect(try await opened.collect(upTo: size) == content)
            #expect(try await everything(in: folder).filter { !$0.hasSuffix("sub") }.count == 1)
        }
    }

    @Test("Chunks have a sensible size", arguments: StorageUnderTest.allCases)
    func chunks(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder async throws in
            let path = folder.appending("file")
            try await storage.write(path, pattern(3 << 20))
            var sizes: [Int] = []
            for try await chunk in try await storage.read(path) { sizes.append(chunk.count) }
            #expect(sizes.reduce(0, +) == 3 << 20)
            #expect(sizes.dropLast().allSatisfy { (256 * 1024...1024 * 1024).contains($0) })
        }
    }

    @Test(
        "Names can have anything in them",
        arguments: StorageUnderTest.allCases,
        [
            "2021-04-26T09:00:00.csv", "with space.csv", "a+b.csv", "100%.csv", "%41.csv", "a#b.csv", "what?x=1&y=2",
            "quote'\"quote", "<tag>&amp;", "ünïcödé 日本 🐦.csv", "back\\slash", " lead and trail ", "semi;colon=,$!*()@",
            "~tilde",
            "line\nbreak", "tab\there", "e\u{301} is not \u{e9}", ".hidden", "-dash", "\u{1}\u{7f}control",
            "carriage\rreturn", "a\u{a0}b", "{curly}[square]|^`", "\u{301}mark first", ".\u{301}mark", "%\u{301}41",
            "&\u{301}amp;", "<\u{338}>\u{338}", "]]>\u{301}", "mark at the end\u{301}", "\u{212a}elvin",
        ]
    )
    func names(_ kind: StorageUnderTest, name: String) async throws {
        try await kind.withStorage { storage, folder async throws in
            let path = folder.appending(name)
            try await storage.write(path, Array(name.utf8))
            try await storage.write(folder.appending("other"), [])
            #expect(try await storage.bytes(path) == Array(name.utf8))
            #expect(try await storage.info(path)?.size == Int64(name.utf8.count))
            #expect(
                try await storage.list(folder).map(\.path).contains { $0.lastComponent.utf8.elementsEqual(name.utf8) }
            )
            try await storage.delete([path, folder.appending("other")])
            #expect(try await storage.list(folder) == [])
        }
    }

    @Test(
        "Names that differ in normalisation only are two files",
        arguments: StorageUnderTest.allCases,
        [
            ("\u{e9}.csv", "e\u{301}.csv"), ("\u{e9}/file.csv", "e\u{301}/file.csv"), ("\u{212a}", "K"),
            ("\u{1100}\u{1161}", "\u{ac00}"), ("a\u{323}\u{307}", "a\u{307}\u{323}"),
        ]
    )
    func normalisation(_ kind: StorageUnderTest, names: (String, String)) async throws {
        try await kind.withStorage { storage, folder async throws in
            let (first, second) = (folder.appending(names.0), folder.appending(names.1))
            try await storage.write(first, [1], ifExists: .fail)
            #expect(try await storage.info(second) == nil)
            try await storage.write(second, [2, 2], ifExists: .fail)
            #expect(try await storage.bytes(first) == [1])
            #expect(try await storage.bytes(second) == [2, 2])
            #expect(try await storage.info(first)?.size == 1)
            #expect(try await storage.list(folder, recursive: true).map(\.path) == [first, second].sorted())
            #expect(try await storage.list(first.parent ?? folder).map(\.path).contains(first))
            if first.parent != folder { #expect(try await storage.list(first.parent ?? folder).map(\.path) == [first]) }
            try await storage.delete([first])
            #expect(try await storage.list(folder, recursive: true).map(\.path) == [second])
            try await storage.write(first, [1])
            try await storage.delete([second, first])
            #expect(try await storage.list(folder, recursive: true) == [])
        }
    }

    @Test("A combining mark after a slash belongs to the next name", arguments: StorageUnderTest.allCases)
    func markAfterSlash(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder async throws in
            let paths = ["a/\u{301}b", "a/\u{301}c/\u{200d}d", "a\u{301}/b"].map { folder.appending($0) }
            for path in paths { try await storage.write(path, [1]) }
            #expect(try await storage.list(folder.appending("a")).map(\.path) == [paths[0]])
            #expect(try await storage.list(folder.appending("a"), recursive: true).map(\.path) == [paths[0], paths[1]])
            #expect(try await storage.list(folder.appending("a/\u{301}c")).map(\.path) == [paths[1]])
            #expect(try await storage.list(folder.appending("a\u{301}")).map(\.path) == [paths[2]])
            try await storage.delete(paths)
            #expect(try await storage.list(folder, recursive: true) == [])
        }
    }

    @Test("A file is replaced on request", arguments: StorageUnderTest.allCases)
    func replace(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder async throws in
            let path = folder.appending("file")
            let first = try await storage.write(path, pattern(1000))
            let second = try await storage.write(path, pattern(999))
            #expect(first.version != second.version)
            #expect(try await storage.bytes(path) == pattern(999))
        }
    }

    @Test("A file that is not to be replaced stays as it is", arguments: StorageUnderTest.allCases, [10, 9 << 20])
    func fail(_ kind: StorageUnderTest, size: Int) async throws {
        try await kind.withStorage { storage, folder async throws in
            let path = folder.appending("file")
            try await storage.write(path, [1, 2, 3], ifExists: .fail)
            let error = await #expect(throws: StorageError.self) {
                try await storage.write(path, pattern(size), ifExists: .fail)
            }
            #expect(error?.code == .alreadyExists)
            #expect(error?.description.contains("\(path)") == true)
            #expect(try await storage.bytes(path) == [1, 2, 3])
            #expect(try await everything(in: folder).count == 1)
        }
    }

    @Test("Exactly one of several writers wins", arguments: StorageUnderTest.allCases)
    func race(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder async throws in
            let path = folder.appending("file")
            let winners = await withTaskGroup(of: UInt8?.self) { group in
                for writer in UInt8(0)..<8 {
                    group.addTask {
                        let wrote = try? await storage.write(path, [writer], ifExists: .fail)
                        return wrote == nil ? nil : writer
                    }
                }
                return await group.reduce(into: [UInt8]()) { if let writer = $1 { $0.append(writer) } }
            }
            #expect(winners.count == 1)
            #expect(try await storage.bytes(path) == winners)
            #expect(try await everything(in: folder).count == 1)
        }
    }

    @Test("Nothing is left when the source fails", arguments: StorageUnderTest.allCases, [0, 1000, 20 << 20])
    func sourceError(_ kind: StorageUnderTest, size: Int) async throws {
        try await kind.withStorage { storage, folder async throws in
            await #expect(throws: ByteSource.Broken()) {
                try await storage.write(
                    folder.appending("file"),
                    ifExists: .replace,
                    from: ByteSource(bytes: pattern(size), ending: .fail)
                )
            }
            #expect(try await everything(in: folder) == [])
        }
    }

    @Test(
        "The old file stays when the source of the new one fails",
        arguments: StorageUnderTest.allCases,
        [10, 20 << 20]
    )
    func sourceErrorKeepsOld(_ kind: StorageUnderTest, size: Int) async throws {
        try await kind.withStorage { storage, folder async throws in
            let path = folder.appending("file")
            try await storage.write(path, [7])
            await #expect(throws: ByteSource.Broken()) {
                try await storage.write(path, ifExists: .replace, from: ByteSource(bytes: pattern(size), ending: .fail))
            }
            #expect(try await storage.bytes(path) == [7])
            #expect(try await everything(in: folder).count == 1)
        }
    }

    @Test("Nothing is left when the write is cancelled", arguments: StorageUnderTest.allCases, [0, 1000, 20 << 20])
    func cancellation(_ kind: StorageUnderTest, size: Int) async throws {
        try await kind.withStorage { storage, folder async throws in
            let waiting = Signal()
            let source = ByteSource(bytes: pattern(size), ending: .wait(waiting))
            let writing = Task { try await storage.write(folder.appending("file"), ifExists: .replace, from: source) }
            await waiting.wait()
            writing.cancel()
            await #expect(throws: CancellationError.self) { try await writing.value }
            #expect(try await everything(in: folder) == [])
        }
    }

    @Test("Reading stops when the task is cancelled", arguments: StorageUnderTest.allCases)
    func cancelledRead(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder async throws in
            let path = folder.appending("file")
            try await storage.write(path, pattern(2 << 20))
            let opened = try await storage.read(path)
            let reading = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await opened.collect(upTo: .max)
            }
            await #expect(throws: CancellationError.self) { try await reading.value }
        }
    }

    @Test("Ranges are read", arguments: StorageUnderTest.allCases)
    func ranges(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder async throws in
            let (path, content) = (folder.appending("file"), pattern(9 << 20))
            try await storage.write(path, content)
            let size = Int64(content.count)
            let ranges: [Range<Int64>] = [
                0..<1, 0..<size, 5..<5, 100..<400_000, size - 1..<size, (6 << 20) - 3..<(6 << 20) + 3, size..<size,
            ]
            for range in ranges {
                let expected = Array(content[Int(range.lowerBound)..<Int(range.upperBound)])
                #expect(try await storage.bytes(path, range: range) == expected, "range \(range)")
            }
            #expect(try await storage.read(path, range: 3..<5).info.size == size)
        }
    }

    @Test("A file that is shorter than the range is an error", arguments: StorageUnderTest.allCases)
    func rangePastEnd(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder async throws in
            let path = folder.appending("file")
            try await storage.write(path, pattern(100))
            let ranges: [Range<Int64>] = [50..<101, 200..<300]
            for range in ranges {
                let error = await #expect(throws: StorageError.self) { try await storage.bytes(path, range: range) }
                #expect(error?.code == .truncated)
                #expect(error?.description.contains("\(path)") == true)
            }
        }
    }

    @Test("A missing file is reported", arguments: StorageUnderTest.allCases)
    func missing(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder async throws in
            let path = folder.appending("no such file")
            #expect(try await storage.info(path) == nil)
            #expect(try await storage.list(folder.appending("no such folder")) == [])
            let ranges: [Range<Int64>?] = [nil, 0..<1, 0..<0]
            for range in ranges {
                let error = await #expect(throws: StorageError.self) { try await storage.read(path, range: range) }
                #expect(error?.code == .notFound)
                #expect(error?.description.contains("\(path)") == true)
            }
        }
    }

    @Test("A folder is not a file", arguments: StorageUnderTest.allCases)
    func folderIsNoFile(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder async throws in
            try await storage.write(folder.appending("a/b"), [1])
            #expect(try await storage.info(folder.appending("a")) == nil)
            await #expect(throws: StorageError.self) { try await storage.read(folder.appending("a")) }
        }
    }

    @Test("A folder and what is below it are listed in order", arguments: StorageUnderTest.allCases)
    func list(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder async throws in
            for name in ["a/1", "a/2", "a/b/3", "a/b/c/4", "ab/5", "a.csv", "Z", "é", "a0"] {
                try await storage.write(folder.appending(name), Array(name.utf8))
            }
            func names(_ sub: String, recursive: Bool = false) async throws -> [String] {
                let base = folder.appending(sub)
                return try await storage.list(base, recursive: recursive).map { file in
                    #expect(file.size == Int64(file.path.description.utf8.count - "\(folder)/".utf8.count))
                    return String(Substring(file.path.description.utf8.dropFirst("\(base)/".utf8.count)))
                }
            }
            #expect(try await names("") == ["Z", "a.csv", "a0", "é"])
            #expect(try await names("a") == ["1", "2"])
            #expect(try await names("a", recursive: true) == ["1", "2", "b/3", "b/c/4"])
            #expect(try await names("ab", recursive: true) == ["5"])
            #expect(
                try await names("", recursive: true)
                    == ["Z", "a.csv", "a/1", "a/2", "a/b/3", "a/b/c/4", "a0", "ab/5", "é"]
            )
        }
    }

    @Test("A listing and a look-up give the same facts", arguments: StorageUnderTest.allCases)
    func listAgreesWithInfo(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder async throws in
            let path = folder.appending("file")
            try await storage.write(path, [1, 2, 3])
            let listed = try #require(try await storage.list(folder).first)
            let info = try #require(try await storage.info(path))
            #expect(listed.path == info.path)
            #expect(listed.size == info.size)
            #expect(listed.version == info.version)
            #expect(abs(listed.modified.timeIntervalSince(info.modified)) < 1)
            #expect(abs(listed.modified.timeIntervalSinceNow) < 60)
        }
    }

    @Test("Several files are deleted at once, and missing ones are no error", arguments: StorageUnderTest.allCases)
    func delete(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder async throws in
            let paths = ["1", "2", "b/3", "keep"].map { folder.appending($0) }
            for path in paths { try await storage.write(path, []) }
            try await storage.delete(Array(paths.dropLast()) + [folder.appending("missing"), folder.appending("x/y")])
            #expect(try await storage.list(folder, recursive: true).map(\.path) == [paths[3]])
            try await storage.delete([])
            try await storage.delete([folder.appending("missing")])
        }
    }

    @Test("A check whether a folder can be written to leaves no trace", arguments: StorageUnderTest.allCases)
    func checkWritable(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder async throws in
            try await storage.checkWritable(folder)
            try await storage.checkWritable(folder.appending("not/there/yet"))
            #expect(try await everything(in: folder) == [])
        }
    }

    @Test("Paths of the other kind are refused", arguments: StorageUnderTest.allCases)
    func otherKind(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, _ async throws in
            let path = kind == .local ? StoragePath.s3(bucket: "bucket", key: "key") : .local("/tmp/file")
            let error = await #expect(throws: StorageError.self) { try await storage.info(path) }
            #expect(error?.code == .invalidPath)
        }
    }
}
