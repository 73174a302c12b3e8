import Storage

/// Finds out whether files are there and have their sizes, with as few requests as possible.
///
/// A few folders are listed one by one, many by the folder that holds them; what is outside of the catalog's folder is
/// looked up file by file. Listings are kept for the next set.
actor FilesInPlace {
    private struct Folder: Hashable {
        let path: StoragePath
        let isRecursive: Bool
    }

    /// As many folders are listed one by one.
    private static let fewFolders = 8

    private let paths: RecordedPaths
    private let storages: StorageRouter
    private var listings: [Folder: Task<[StoragePath: Int64], any Error>] = [:]

    init(paths: RecordedPaths, storages: StorageRouter) {
        self.paths = paths
        self.storages = storages
    }

    /// Compares files with their recorded sizes.
    ///
    /// - Parameters:
    ///   - files: The files of a set.
    ///   - collector: Gets what is found.
    ///   - jobs: How many requests are made at once.
    /// - Throws: What would fail for every file; `CancellationError`.
    func check(_ files: [SetFile], _ collector: DamageCollector, jobs: Int) async throws {
        var sizes: [StoragePath: Int64] = [:]
        for folder in folders(of: files) {
            sizes.merge(try await listing(of: folder)) { first, _ in first }
        }
        var others: [SetFile] = []
        for file in files {
            guard let path = try? paths.path(of: file.path), sizes[path.withoutWorkingDirectory] == file.bytes else {
                others.append(file)
                continue
            }
            collector.noteRead()
        }
        // A listing may be older than the file, or not allowed to the role: the last word has the file itself.
        let storages = storages
        _ = try await others.concurrentMap(limit: jobs) { file in
            try await collector.examining(file) { path in
                guard let info = try await storages.storage(for: path).info(path) else {
                    collector.noteRead()
                    return collector.add("the file is missing", of: file)
                }
                collector.checkSize(info.size, of: file)
            }
        }
    }

    /// The folders to list for files below the catalog's folder.
    private func folders(of files: [SetFile]) -> Set<Folder> {
        let parents = Set(files.map(\.path).filter(paths.isBelowBase).map { ByteKey($0.parentFolder) })
        guard parents.count > Self.fewFolders else {
            return Set(parents.map { Folder(path: paths.base.appending($0.string), isRecursive: false) })
        }
        let split = parents.map { $0.string.split(atByte: "/") }
        let common = split.dropFirst().reduce(split.first ?? []) { common, parts in
            zip(common, parts).prefix { $0.0.hasBytes(of: $0.1) }.map(\.0)
        }
        return [Folder(path: paths.base.appending(common.joined(separator: "/")), isRecursive: true)]
    }

    /// The files of a folder with their sizes; none when it cannot be listed.
    private func listing(of folder: Folder) async throws -> [StoragePath: Int64] {
        let storage = storages.storage(for: folder.path)
        let task =
            listings[folder]
            ?? Task {
                let files = try await FileFailure.result {
                    try await storage.list(folder.path, recursive: folder.isRecursive)
                }
                var sizes: [StoragePath: Int64] = [:]
                for file in (try? files.get()) ?? [] { sizes[file.path.withoutWorkingDirectory] = file.size }
                return sizes
            }
        listings[folder] = task
        // A verification is cancelled as a whole, so no other set waits for the listing then.
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}

extension DamageCollector {
    /// Compares a file's size with the recorded one.
    func checkSize(_ size: Int64, of file: SetFile) {
        noteRead()
        if size < file.bytes {
            add("the file is cut off: it has \(size) of its \(file.bytes) bytes", of: file)
        } else if size > file.bytes {
            let surplus = size - file.bytes
            let text = surplus == 1 ? "1 byte follows" : "\(surplus) bytes follow"
            add("\(text) the \(file.bytes) bytes that were written", of: file, at: file.bytes)
        }
    }
}

extension RecordedPaths {
    /// Whether a recorded path is below the folder that holds the catalog.
    func isBelowBase(_ text: String) -> Bool {
        text.utf8.first != UInt8(ascii: "/") && !text.startsWithBytes(of: "s3://")
    }
}

extension String {
    /// The folder of a file, empty when there is none.
    fileprivate var parentFolder: String {
        guard let slash = utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
        return String(decoding: utf8[..<slash], as: UTF8.self)
    }
}

extension StoragePath {
    /// A local path without `./` in front of it.
    fileprivate var withoutWorkingDirectory: StoragePath {
        guard case .local(let text) = self, text.startsWithBytes(of: "./") else { return self }
        return .local(String(decoding: text.utf8.dropFirst(2), as: UTF8.self))
    }
}
