import Foundation
import Storage

/// The folder of set records, and the files in it.
///
/// A set `<id>` has `<id>.json`, its record, which is written last: its presence is the commit. While its run is under way
/// it has `<id>.running` instead. `<id>.verified.json` says when the set was verified, and how.
struct SetCatalog: Sendable {
    /// The files that a catalog has under one id.
    struct Entry: Sendable, Hashable {
        /// The id of the set.
        let id: String
        /// Its record; nil while its run is under way, and after a crash.
        var record: FileInfo?
        /// The mark of a run that has not ended.
        var running: FileInfo?
        /// The result of the last verification.
        var verification: FileInfo?
    }

    /// The largest record that is read, in bytes: one of a million tables.
    private static let largestFile = 2_000_000_000

    let folder: StoragePath
    let storages: StorageRouter

    private var storage: any Storage { storages.storage(for: folder) }

    /// How the records of this catalog write paths.
    var paths: RecordedPaths { RecordedPaths(catalog: folder) }

    /// Where the record of a set is.
    func recordPath(of id: String) -> StoragePath { folder.appending("\(id).json") }
    /// Where the mark of a run is.
    func runningPath(of id: String) -> StoragePath { folder.appending("\(id).running") }
    /// Where the result of the last verification is.
    func verificationPath(of id: String) -> StoragePath { folder.appending("\(id).verified.json") }

    // MARK: - Reading

    /// Lists what is there; other files are ignored.
    ///
    /// - Returns: The sets and unfinished runs, newest first; none when the folder does not exist.
    /// - Throws: `StorageError`.
    func entries() async throws -> [Entry] {
        var entries: [String: Entry] = [:]
        for file in try await storage.list(folder) {
            guard let (id, part) = Self.parse(file.path.lastComponent) else { continue }
            entries[id, default: Entry(id: id)][keyPath: part] = file
        }
        return entries.values.sorted { $0.id > $1.id }
    }

    /// Reads a record.
    ///
    /// - Parameter id: The id of the set.
    /// - Returns: The record.
    /// - Throws: ``DatabudgieError`` when it is damaged or of a later format; `StorageError`, with the code `notFound` when
    ///   there is none.
    func record(_ id: String) async throws -> SetRecord {
        let path = recordPath(of: id)
        return try SetRecord(json: try await bytes(of: path), at: path.description)
    }

    /// Reads the mark of a run that has not ended.
    ///
    /// - Returns: The mark; nil when it is gone, or was cut off by a crash.
    /// - Throws: `StorageError`.
    func runningMark(_ id: String) async throws -> RunningMark? {
        do {
            let bytes = try await bytes(of: runningPath(of: id))
            return try? CatalogJSON.value(RunningMark.self, bytes)
        } catch let error as StorageError where error.code == .notFound {
            return nil
        }
    }

    /// Reads a small file of the catalog.
    func bytes(of path: StoragePath) async throws -> [UInt8] {
        var result: [UInt8] = []
        for try await chunk in try await storage.read(path) {
            result += chunk
            guard result.count <= Self.largestFile else {
                throw DatabudgieError(.dataFile, "\(path) is larger than a set record can be")
            }
        }
        return result
    }

    private static func parse(_ name: String) -> (id: String, part: WritableKeyPath<Entry, FileInfo?>)? {
        let id = String(decoding: name.utf8.prefix(RunTimestamp.length), as: UTF8.self)
        guard RunTimestamp.isTimestamp(id) else { return nil }
        return switch String(decoding: name.utf8.dropFirst(RunTimestamp.length), as: UTF8.self) {
        case ".json": (id, \.record)
        case ".running": (id, \.running)
        case ".verified.json": (id, \.verification)
        default: nil
        }
    }

    // MARK: - Writing

    /// Claims an id for a run.
    ///
    /// - Parameter mark: Says which run it is.
    /// - Returns: False when the id belongs to another run or set.
    /// - Throws: `StorageError`.
    func claim(_ mark: RunningMark) async throws -> Bool {
        do {
            try await write(mark, ifExists: .fail)
        } catch let error as StorageError where error.code == .alreadyExists {
            return false
        }
        // A run that has ended a moment ago has a record, and no mark any more.
        guard try await exists(recordPath(of: mark.id)) else { return true }
        await release(mark.id)
        return false
    }

    /// Marks a set whose files are about to be removed, as a run is marked that has not ended.
    ///
    /// If the removal is broken off, what is left of the set is found by its mark.
    /// - Parameter mark: Says who removes it.
    /// - Throws: `StorageError`.
    func markRemoval(_ mark: RunningMark) async throws {
        try await write(mark, ifExists: .replace)
    }

    private func write(_ mark: RunningMark, ifExists: ExistingFile) async throws {
        try await write(try CatalogJSON.bytes(mark, isOneLine: true), to: runningPath(of: mark.id), ifExists: ifExists)
    }

    /// A role that may only write sees nothing; the commit finds out.
    private func exists(_ path: StoragePath) async throws -> Bool {
        do {
            return try await storage.info(path) != nil
        } catch let error as StorageError where error.code == .accessDenied {
            return false
        }
    }

    /// Makes the files of a run a set, and ends its claim.
    ///
    /// - Parameter record: Describes them.
    /// - Returns: The record's path.
    /// - Throws: `StorageError`, with the code `alreadyExists` when there is a record under its id.
    @discardableResult
    func commit(_ record: SetRecord) async throws -> StoragePath {
        let path = recordPath(of: record.id)
        await FailPoint.reached(.recordUnwritten)
        try await write(try record.json(), to: path, ifExists: .fail)
        await FailPoint.reached(.recordWritten)
        await release(record.id)
        await FailPoint.reached(.markRemoved)
        return path
    }

    /// Ends the claim of a run, if possible, even when the run was cancelled.
    func release(_ id: String) async {
        let (storage, path) = (storage, runningPath(of: id))
        await Task { try? await storage.delete([path]) }.value
    }

    /// Says in a record that its set is not whole any more, or that it is after all.
    ///
    /// - Parameters:
    ///   - set: The id of the set.
    ///   - id: The set whose files replace files of it; nil when they have not.
    /// - Throws: ``DatabudgieError`` or `StorageError` when the record cannot be read or written; not when it is gone.
    func supersede(_ set: String, by id: String?) async throws {
        let path = recordPath(of: set)
        do {
            try await write(try SetRecord.superseding(try await bytes(of: path), by: id), to: path, ifExists: .replace)
        } catch let error as StorageError where error.code == .notFound {
            return
        }
    }

    private func write(_ bytes: [UInt8], to path: StoragePath, ifExists: ExistingFile) async throws {
        _ = try await storage.write(path, ifExists: ifExists, from: SingleChunk(bytes))
    }
}

extension SetRecord {
    /// The paths of all files of the set, as the record writes them.
    var filePaths: [String] {
        tables.flatMap { [$0.file?.path, $0.sequencesFile?.path].compactMap(\.self) } + definitions.map(\.path)
    }
}
