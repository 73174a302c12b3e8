import Storage

/// Says in the records of older sets that files of theirs are replaced, before they are.
///
/// Whenever the run ends, and however, a set that is listed as complete has its files. Sets whose files have names that no
/// other run writes are not concerned.
actor Superseding {
    private let catalog: SetCatalog
    /// The set that replaces others.
    private let id: String
    /// The older sets that name a file, by its path as records write it.
    private var sets: [ByteKey: [String]] = [:]
    /// The sets whose records were read.
    private var read: Set<String> = []
    /// The sets that are marked, each with the files on whose account.
    private var marked: [String: Set<ByteKey>] = [:]
    /// What was begun last: one record is written at a time.
    private var last: Task<Void, Never>?

    init(_ catalog: SetCatalog, by id: String) {
        (self.catalog, self.id) = (catalog, id)
    }

    /// Reads the records of older sets.
    ///
    /// - Throws: ``DatabudgieError`` or `StorageError` when they cannot be read: nothing must be replaced then.
    func prepare() async throws {
        do {
            try await inTurn { try await $0.readRecords(again: false) }
        } catch let error as StorageError where error.code == .accessDenied {
            throw DatabudgieError(
                .storage,
                "older sets may lose files to this backup, and their records cannot be read: \(error.message)",
                hint: "allow listing and reading \(catalog.folder), or put {timestamp} into 'filename'",
                underlying: error
            )
        }
    }

    /// Whether an older set would be damaged if a file were replaced.
    ///
    /// - Parameter path: The file.
    /// - Returns: False when no older set names it.
    /// - Throws: As ``prepare()`` does.
    func concerns(_ path: StoragePath) async throws -> Bool {
        try await prepare()
        return sets[key(path)] != nil
    }

    /// Marks the sets that name a file, which is replaced next.
    ///
    /// - Throws: `StorageError`.
    func supersede(setsWith path: StoragePath) async throws {
        let key = key(path)
        try await inTurn { try await $0.supersede(setsWith: key) }
    }

    /// Takes the marks back that were made for a file, because it was not replaced after all.
    ///
    /// - Throws: `StorageError`.
    func takeBack(setsWith path: StoragePath) async throws {
        let key = key(path)
        try await inTurn { try await $0.takeBack(setsWith: key) }
    }

    /// Marks the sets that were recorded while this run wrote its files.
    ///
    /// - Parameter paths: What it has replaced, or may have.
    /// - Throws: ``DatabudgieError`` or `StorageError` for the first record that could not be read or written.
    func finish(_ paths: [StoragePath]) async throws {
        guard !paths.isEmpty else { return }
        let keys = paths.map(key)
        try await inTurn { superseding in
            try await superseding.readRecords(again: true)
            for key in keys { try await superseding.supersede(setsWith: key) }
        }
    }

    private func key(_ path: StoragePath) -> ByteKey { ByteKey(catalog.paths.text(of: path)) }

    /// One after the other, and whatever becomes of the caller's task.
    private func inTurn(_ work: @escaping @Sendable (isolated Superseding) async throws -> Void) async throws {
        let previous = last
        let task = Task {
            await previous?.value
            try await work(self)
        }
        last = Task { _ = await task.result }
        try await task.value
    }

    private func readRecords(again: Bool) async throws {
        guard again || read.isEmpty else { return }
        let catalog = catalog
        let known = read
        let unread = try await catalog.entries().filter { $0.record != nil && $0.id < id && !known.contains($0.id) }
        let found = try await unread.concurrentMap(limit: 4) { try await Self.lastingPaths(of: $0.id, in: catalog) }
        for (entry, paths) in zip(unread, found) {
            read.insert(entry.id)
            for path in paths { sets[path, default: []].append(entry.id) }
        }
        // Nothing is older: that is known now, too.
        read.insert(id)
    }

    /// The files of a set that other runs may replace.
    private static func lastingPaths(of id: String, in catalog: SetCatalog) async throws -> [ByteKey] {
        do {
            let record = try await catalog.record(id)
            guard record.supersededBy == nil else { return [] }
            return record.filePaths.filter { !$0.containsBytes(of: id) }.map { ByteKey($0) }
        } catch let error as StorageError where error.code == .notFound {
            return []
        } catch let error as DatabudgieError {
            // A damaged record makes no set.
            guard error.code == .dataFile, !(error.underlying is SetRecord.LaterFormat) else { throw error }
            return []
        }
    }

    private func supersede(setsWith path: ByteKey) async throws {
        for set in sets[path] ?? [] {
            if marked[set] == nil {
                await FailPoint.reached(.olderSetUnmarked)
                try await catalog.supersede(set, by: id)
                await FailPoint.reached(.olderSetMarked)
            }
            marked[set, default: []].insert(path)
        }
    }

    private func takeBack(setsWith path: ByteKey) async throws {
        for set in sets[path] ?? [] where marked[set]?.remove(path) != nil && marked[set]?.isEmpty == true {
            try await catalog.supersede(set, by: nil)
            marked[set] = nil
        }
    }
}
