import DatabudgieTestSupport
import Foundation
import SystemPackage
import Testing

@testable import Storage

@Suite("Local storage")
struct LocalStorageTests {
    let storage = LocalStorage()

    @Test("Files and folders can be read only by their owner")
    func modes() async throws {
        try await withTemporaryFolder { folder async throws in
            try await storage.write(.local("\(folder)/a/b/file"), [1])
            #expect(try FilePath("\(folder)/a/b/file").stat().permissions.rawValue == 0o600)
            #expect(try FilePath("\(folder)/a/b").stat().permissions.rawValue == 0o700)
            #expect(try FilePath("\(folder)/a").stat().permissions.rawValue == 0o700)
        }
    }

    @Test("A file gets its name only when it is complete, and is hidden until then")
    func temporaryNames() async throws {
        try await withTemporaryFolder { folder async throws in
            let waiting = Signal()
            let source = ByteSource(bytes: pattern(1 << 20), ending: .wait(waiting))
            let writing = Task { try await storage.write(.local("\(folder)/file.csv"), ifExists: .fail, from: source) }
            await waiting.wait()
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(names.count == 1)
            #expect(names.allSatisfy { $0.hasPrefix(".file.csv.") && $0.hasSuffix(".partial") })
            #expect(try await storage.list(.local(folder)) == [])
            #expect(try await storage.info(.local("\(folder)/file.csv")) == nil)
            writing.cancel()
            _ = await writing.result
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        }
    }

    @Test("Names of 255 bytes are accepted, and no longer ones", arguments: [("a", 255), ("日", 85)])
    func longNames(character: String, count: Int) async throws {
        try await withTemporaryFolder { folder async throws in
            let path = StoragePath.local(folder).appending(String(repeating: character, count: count))
            try await storage.write(path, [1])
            #expect(try await storage.bytes(path) == [1])
            let tooLong = path.appending("").lastComponent + "x"
            let error = await #expect(throws: StorageError.self) {
                try await storage.write(.local("\(folder)/\(tooLong)"), [1])
            }
            #expect(error?.code == .invalidPath)
            #expect(
                error?.description
                    == "\(folder)/\(tooLong) cannot be written: its name is too long for this file system; choose a shorter name"
            )
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
        }
    }

    @Test("A symbolic link is replaced instead of followed", arguments: [ExistingFile.replace, .fail])
    func linkAsTarget(ifExists: ExistingFile) async throws {
        try await withTemporaryFolder { folder async throws in
            try await storage.write(.local("\(folder)/victim"), [1])
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/link",
                withDestinationPath: "\(folder)/victim"
            )
            if ifExists == .replace {
                try await storage.write(.local("\(folder)/link"), [2])
                #expect(try await storage.bytes(.local("\(folder)/link")) == [2])
                #expect(try FilePath("\(folder)/link").stat(followTargetSymlink: false).type == .regular)
            } else {
                let error = await #expect(throws: StorageError.self) {
                    try await storage.write(.local("\(folder)/link"), [2], ifExists: .fail)
                }
                #expect(error?.code == .alreadyExists)
            }
            #expect(try await storage.bytes(.local("\(folder)/victim")) == [1])
        }
    }

    @Test("A link of one's own to a folder is followed, but not when listing")
    func ownLink() async throws {
        try await withTemporaryFolder { folder async throws in
            try FileManager.default.createDirectory(atPath: "\(folder)/real", withIntermediateDirectories: false)
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: "real")
            try await storage.write(.local("\(folder)/link/file"), [1])
            #expect(try await storage.bytes(.local("\(folder)/real/file")) == [1])
            #expect(
                try await storage.list(.local(folder), recursive: true).map(\.path) == [.local("\(folder)/real/file")]
            )
        }
    }

    @Test(
        "Another user's link to a folder is not followed",
        .enabled(if: geteuid() == 0, "only root can give a link away")
    )
    func foreignLink() async throws {
        try await withTemporaryFolder { folder async throws in
            try await withTemporaryFolder { outside async throws in
                try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: outside)
                #expect(lchown("\(folder)/link", 12345, 12345) == 0)
                let error = await #expect(throws: StorageError.self) {
                    try await storage.write(.local("\(folder)/link/file"), [1])
                }
                #expect(error?.code == .unsafeLink)
                #expect(
                    error?.description
                        == "\(folder)/link is reached through the symbolic link \(folder)/link, which belongs to "
                        + "another user and is not followed; remove the link or give the path that it leads to"
                )
                await #expect(throws: StorageError.self) { try await storage.checkWritable(.local("\(folder)/link")) }
                #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == [])
            }
        }
    }

    @Test("A link to a file is listed and read as the file; what it leads to may be in another folder")
    func linkToFile() async throws {
        try await withTemporaryFolder { folder async throws in
            try await storage.write(.local("\(folder)/real/file"), [1, 2, 3])
            let path = StoragePath.local("\(folder)/link")
            try FileManager.default.createSymbolicLink(atPath: path.text, withDestinationPath: "real/./../real/file")
            let listed = try await storage.list(.local(folder))
            #expect(listed.map(\.path) == [path])
            #expect(listed.map(\.size) == [3])
            #expect(try await storage.info(path)?.size == 3)
            #expect(try await storage.bytes(path) == [1, 2, 3])
            try await storage.delete([path])
            #expect(try await storage.bytes(.local("\(folder)/real/file")) == [1, 2, 3])
        }
    }

    @Test("A link that leads nowhere is listed, and reading it fails", arguments: ["missing", "loop"])
    func brokenLink(kind: String) async throws {
        try await withTemporaryFolder { folder async throws in
            let path = StoragePath.local("\(folder)/link")
            try FileManager.default.createSymbolicLink(
                atPath: path.text,
                withDestinationPath: kind == "loop" ? "link" : "none"
            )
            #expect(try await storage.list(.local(folder)).map(\.path) == [path])
            let error = await #expect(throws: StorageError.self) { try await storage.read(path) }
            #expect(error?.code == (kind == "loop" ? .unsafeLink : .notFound))
        }
    }

    @Test(
        "Another user's link to a file is listed, and neither read nor looked up",
        .enabled(if: geteuid() == 0, "only root can give a link away")
    )
    func foreignLinkToFile() async throws {
        try await withTemporaryFolder { folder async throws in
            try await storage.write(.local("\(folder)/secret/file"), [1])
            let path = StoragePath.local("\(folder)/link")
            try FileManager.default.createSymbolicLink(atPath: path.text, withDestinationPath: "secret/file")
            #expect(lchown(path.text, 12345, 12345) == 0)
            #expect(try await storage.list(.local(folder)).map(\.path) == [path])
            for attempt in [
                { _ = try await storage.read(path) }, { _ = try await storage.info(path) },
            ] {
                let error = await #expect(throws: StorageError.self) { try await attempt() }
                #expect(error?.code == .unsafeLink)
                #expect(error?.description.contains("the symbolic link \(path), which belongs to another user") == true)
            }
            // Through a link of another user nothing is deleted or listed either.
            let outside = "\(folder)/outside"
            try FileManager.default.createSymbolicLink(atPath: outside, withDestinationPath: "secret")
            #expect(lchown(outside, 12345, 12345) == 0)
            await #expect(throws: StorageError.self) { try await storage.delete([.local("\(outside)/file")]) }
            await #expect(throws: StorageError.self) { try await storage.list(.local(outside)) }
            #expect(try await storage.bytes(.local("\(folder)/secret/file")) == [1])
        }
    }

    @Test(
        "A link that is put in a folder's place just before it is used is not followed",
        .enabled(if: geteuid() == 0, "only root can give a link away")
    )
    func raceForFolder() async throws {
        try await withTemporaryFolder { folder async throws in
            let (inside, outside) = ("\(folder)/a", "\(folder)/outside")
            for path in [inside, outside] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            }
            let waiting = Signal()
            let resumed = Signal()
            // All is checked and open; then the folder is moved away, and a link to another one takes its place.
            let source = GatedBytes(bytes: [1, 2, 3], reached: waiting, resume: resumed)
            let writing = Task { try await storage.write(.local("\(inside)/file"), ifExists: .fail, from: source) }
            await waiting.wait()
            try FileManager.default.moveItem(atPath: inside, toPath: "\(folder)/moved")
            try FileManager.default.createSymbolicLink(atPath: inside, withDestinationPath: "outside")
            #expect(lchown(inside, 12345, 12345) == 0)
            resumed.raise()
            _ = await writing.result
            #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == [])
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/moved") == ["file"])
        }
    }

    @Test(
        "A file system without hard links is enough",
        arguments: [EPERM, ENOSYS, EOPNOTSUPP, EMLINK, EXDEV, EINVAL, EACCES]
    )
    func noHardLinks(code: Int32) async throws {
        var calls = LocalCalls()
        calls.link = { (_, _, _) throws(Errno) in throw Errno(rawValue: code) }
        let storage = LocalStorage(calls: calls)
        try await withTemporaryFolder { folder async throws in
            let path = StoragePath.local("\(folder)/file")
            try await storage.write(path, [1, 2], ifExists: .fail)
            #expect(try await storage.bytes(path) == [1, 2])
            let error = await #expect(throws: StorageError.self) {
                try await storage.write(path, [3], ifExists: .fail)
            }
            #expect(error?.code == .alreadyExists)
            #expect(try await storage.bytes(path) == [1, 2])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
        }
    }

    @Test("Another failure of link() fails the write, and nothing is left")
    func linkFails() async throws {
        var calls = LocalCalls()
        calls.link = { (_, _, _) throws(Errno) in throw .noSpace }
        let storage = LocalStorage(calls: calls)
        try await withTemporaryFolder { folder async throws in
            let error = await #expect(throws: StorageError.self) {
                try await storage.write(.local("\(folder)/file"), [1], ifExists: .fail)
            }
            #expect(error?.code == .outOfSpace)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        }
    }

    @Test("Nothing is left when the folder cannot be flushed", arguments: [ExistingFile.replace, .fail])
    func folderFlushFails(ifExists: ExistingFile) async throws {
        var calls = LocalCalls()
        calls.flush = { (_) throws(Errno) in throw .ioError }
        let storage = LocalStorage(calls: calls)
        try await withTemporaryFolder { folder async throws in
            let error = await #expect(throws: StorageError.self) {
                try await storage.write(.local("\(folder)/file"), [1], ifExists: ifExists)
            }
            #expect(error?.code == .inputOutput)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        }
    }

    @Test("The temporary files that broken writes have left are found by their form and age, and removed")
    func leftFiles() async throws {
        try await withTemporaryFolder { folder async throws in
            let names = [".a.csv.0123456789abcdef.partial", ".b.csv.7.partial"]
            let others = [".a.partial", ".a.csv.xyz.partial", "a.csv.7.partial", ".a.csv.7.part", "a.csv"]
            for name in names + others { try await storage.write(.local("\(folder)/sub/\(name)"), [1, 2]) }
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/.c.csv.8.partial",
                withDestinationPath: "sub/a.csv"
            )
            let found = try await storage.unfinishedWrites(.local(folder), before: .distantFuture)
            #expect(found.map(\.path) == ["a.csv", "b.csv"].map { .local("\(folder)/sub/\($0)") })
            #expect(found.map(\.id) == names)
            #expect(found.map(\.size) == [2, 2])
            #expect(try await storage.unfinishedWrites(.local(folder), before: Date(timeIntervalSinceNow: -60)) == [])
            for write in found { try await storage.discard(write) }
            for write in found { try await storage.discard(write) }
            let left = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/sub").sorted()
            #expect(left == others.sorted())
            #expect(try await storage.unfinishedWrites(.local("\(folder)/none"), before: .distantFuture) == [])
            await #expect(throws: StorageError.self) {
                try await storage.discard(
                    UnfinishedWrite(path: .local("\(folder)/sub/x"), modified: .now, size: 0, id: "a.csv")
                )
            }
        }
    }

    @Test("A file that is changed while it is being read is detected", arguments: ["shorter", "longer", "same length"])
    func changedWhileReading(kind: String) async throws {
        try await withTemporaryFolder { folder async throws in
            let path = "\(folder)/file"
            try await storage.write(.local(path), pattern(1 << 20))
            let opened = try await storage.read(.local(path))
            let file = try FileDescriptor.open(FilePath(path), .readWrite)
            switch kind {
            case "shorter": try file.resize(to: 600_000)
            case "longer": try file.resize(to: 2 << 20)
            default: _ = try file.writeAll(toAbsoluteOffset: 1000, [1, 2, 3])
            }
            try file.close()
            let error = await #expect(throws: StorageError.self) { try await opened.collect(upTo: .max) }
            #expect(error?.code == .changedWhileReading)
            #expect(
                error?.description == "\(path) was changed while it was being read; try again when nothing writes to it"
            )
        }
    }

    @Test("Reading continues with the old version when a file is replaced")
    func replacedWhileReading() async throws {
        try await withTemporaryFolder { folder async throws in
            let path = StoragePath.local("\(folder)/file")
            try await storage.write(path, pattern(1 << 20))
            let opened = try await storage.read(path)
            try await storage.write(path, [1])
            #expect(try await opened.collect(upTo: .max) == pattern(1 << 20))
        }
    }

    @Test(
        "A full disk is reported, and nothing is left",
        .enabled(if: geteuid() == 0, "only root can mount a small disk")
    )
    func diskFull() async throws {
        try await withTemporaryFolder { folder async throws in
            let mounted = mount("tmpfs", folder, "tmpfs", 0, "size=1m")
            try #require(mounted == 0, "errno \(errno)")
            defer { umount2(folder, 2) }
            let error = await #expect(throws: StorageError.self) {
                try await storage.write(.local("\(folder)/file"), pattern(4 << 20))
            }
            #expect(error?.code == .outOfSpace)
            #expect(
                error?.description
                    == "\(folder)/file cannot be written: the disk is full; free some space or choose another disk"
            )
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        }
    }

    @Test("A file in the place of a folder is reported")
    func unwritable() async throws {
        try await withTemporaryFolder { folder async throws in
            try await storage.write(.local("\(folder)/file"), [1])
            for attempt in [
                { try await storage.write(.local("\(folder)/file/below/x"), [1]) as FileInfo? },
                {
                    try await storage.checkWritable(.local("\(folder)/file/below")); return nil
                },
            ] {
                let error = await #expect(throws: StorageError.self) { _ = try await attempt() }
                #expect(error?.code == .invalidPath)
                #expect(error?.description.contains("\(folder)/file") == true)
                #expect(
                    error?.description.contains("a part of the path is a file, not a folder; correct the path") == true
                )
            }
            let error = await #expect(throws: StorageError.self) {
                try await storage.checkWritable(.local("/proc/none"))
            }
            #expect(error?.description.hasPrefix("the folder /proc/none cannot be written to: ") == true)
            await #expect(throws: StorageError.self) { try await storage.write(.local(folder), [1]) }
        }
    }

    @Test("Devices and pipes are not opened", .timeLimit(.minutes(5)))
    func noDevices() async throws {
        try await withTemporaryFolder { folder async throws in
            #expect(mkfifo("\(folder)/pipe", 0o600) == 0)
            let error = await #expect(throws: StorageError.self) { try await storage.read(.local("\(folder)/pipe")) }
            #expect(error?.code == .invalidPath)
            #expect(try await storage.list(.local(folder)) == [])
            #expect(try await storage.info(.local("\(folder)/pipe")) == nil)
        }
    }

    @Test("What is read into memory is limited")
    func collectLimit() async throws {
        try await withTemporaryFolder { folder async throws in
            try await storage.write(.local("\(folder)/file"), pattern(100))
            let error = await #expect(throws: StorageError.self) {
                try await storage.read(.local("\(folder)/file")).collect(upTo: 99)
            }
            #expect(
                error?.description == "\(folder)/file is larger than the limit of 99 bytes; check what the file is"
            )
        }
    }
}
