import Storage

/// Finds the files that earlier backups left for a job.
///
/// A folder is listed once, and each of its files is matched once, however many jobs share the folder.
struct FileListing: Sendable {
    private struct Folder: Hashable {
        let path: StoragePath
        let isRecursive: Bool
    }

    /// What the patterns of many tables have in common.
    private struct Shape: Hashable {
        let folder: Folder
        let remainder: ByteKey
        let ext: String?

        init(_ pattern: FilePattern) {
            folder = Folder(path: pattern.folder, isRecursive: pattern.isNested)
            remainder = ByteKey(pattern.remainder.description)
            ext = pattern.known[.ext]
        }
    }

    private struct Match {
        let time: String
        let ext: String?
        let file: FileInfo
    }

    /// The files of each shape, by what stands for `{table}` in their names; nil for names without the variable.
    private var matches: [Shape: [ByteKey?: [Match]]] = [:]
    /// The files of each folder that was listed.
    private var lists: [Folder: [FileInfo]] = [:]
    /// Why some of the folders could not be listed.
    private var failures: [Folder: DatabudgieError] = [:]
    /// The files of folders in which single files were looked for, by their names.
    private var names: [Folder: [ByteKey: FileInfo]] = [:]
    /// What counts instead of what the storages have, by all folders above each file.
    private var known: [StoragePath: [FileInfo]]?

    /// A listing of nothing, to add to.
    init() {}

    /// A listing in which nothing counts but some files, whether they are there or not.
    ///
    /// - Parameter files: The files.
    init(of files: [FileInfo]) {
        var known: [StoragePath: [FileInfo]] = [:]
        for file in files {
            for folder in sequence(first: file.path, next: \.parent).dropFirst() {
                known[folder, default: []].append(file)
            }
        }
        self.known = known
    }

    /// Lists the folders of all patterns.
    ///
    /// - Parameters:
    ///   - patterns: The files that are looked for.
    ///   - storages: Where they are.
    ///   - files: What counts instead of what the storages have.
    /// - Throws: `StorageError`.
    init(_ patterns: [FilePattern], in storages: StorageRouter, of files: FileListing? = nil) async throws {
        if let files { self = files }
        try await add(patterns, in: storages)
        if let failure = failures.values.first { throw failure.underlying ?? failure }
    }

    /// Lists the folders of more patterns, except those that were listed before.
    ///
    /// - Parameters:
    ///   - patterns: The files that are looked for.
    ///   - storages: Where they are.
    /// - Throws: `StorageError` when no folder at all can be listed; one of several that cannot is left for
    ///   ``failure(of:)``.
    mutating func add(_ patterns: [FilePattern], in storages: StorageRouter) async throws {
        let all = patterns.flatMap { [$0] + $0.alternatives }
        let shapes = Dictionary(all.map { (Shape($0), $0) }, uniquingKeysWith: { first, _ in first })
            .filter { matches[$0.key] == nil }
        try await list(Set(shapes.keys.map(\.folder)), in: storages)
        for (shape, pattern) in shapes { matches[shape] = Self.matches(pattern, lists[shape.folder, default: []]) }
    }

    /// Lists the folders of single files, except those that were listed before.
    ///
    /// - Parameters:
    ///   - files: The files that are looked for.
    ///   - storages: Where they are.
    /// - Throws: As for patterns.
    mutating func add(files: [StoragePath], in storages: StorageRouter) async throws {
        let folders = Set(files.compactMap(Self.folder))
        try await list(folders, in: storages)
        for folder in folders where names[folder] == nil {
            names[folder] = Dictionary(
                lists[folder, default: []].map { (ByteKey($0.path.lastComponent), $0) },
                uniquingKeysWith: { first, _ in first }
            )
        }
    }

    /// A single file, whose folder was listed.
    ///
    /// - Parameter path: The file.
    /// - Returns: nil when it is not there.
    /// - Throws: ``DatabudgieError`` when its folder could not be listed.
    func file(at path: StoragePath) throws(DatabudgieError) -> FileInfo? {
        guard let folder = Self.folder(of: path) else { return nil }
        if let failure = failures[folder] { throw failure }
        return names[folder]?[ByteKey(path.lastComponent)]
    }

    private static func folder(of file: StoragePath) -> Folder? {
        file.parent.map { Folder(path: $0, isRecursive: false) }
    }

    private mutating func list(_ wanted: Set<Folder>, in storages: StorageRouter) async throws {
        let folders = wanted.filter { lists[$0] == nil && failures[$0] == nil }
        if let known {
            for folder in folders {
                let files = known[folder.path, default: []]
                lists[folder] = folder.isRecursive ? files : files.filter { $0.path.parent == folder.path }
            }
            return
        }
        let results = try await Array(folders).concurrentMap(limit: 32) { folder in
            let list = try await FileFailure.result {
                try await storages.storage(for: folder.path).list(folder.path, recursive: folder.isRecursive)
            }
            return (folder, list)
        }
        for (folder, result) in results {
            switch result {
            case .success(let list): lists[folder] = list
            case .failure(let error): failures[folder] = error
            }
        }
        if let failure = failures.values.first, lists.isEmpty { throw failure.underlying ?? failure }
    }

    /// Why it is not known which files match some patterns.
    ///
    /// - Parameter patterns: Some of those that were listed.
    /// - Returns: nil when all of their folders were listed.
    func failure(of patterns: [FilePattern]) -> DatabudgieError? {
        guard !failures.isEmpty else { return nil }
        return patterns.lazy.flatMap { [$0] + $0.alternatives }.compactMap { failures[Shape($0).folder] }.first
    }

    private static func matches(_ pattern: FilePattern, _ files: [FileInfo]) -> [ByteKey?: [Match]] {
        var known = pattern.known
        if pattern.remainder.variables.contains(.table) { known[.table] = nil }
        var matches: [ByteKey?: [Match]] = [:]
        for file in files {
            guard let name = pattern.name(of: file.path) else { continue }
            for match in pattern.remainder.matches(name, known) {
                let table = match.values[.table].map { ByteKey($0) }
                matches[table, default: []].append(
                    Match(time: match.moment, ext: match.values[.ext], file: file)
                )
            }
        }
        return matches
    }

    /// What matches a pattern or its alternatives: names with encoded capitals are exact, others may be a twin's.
    private func matches(_ pattern: FilePattern) -> [Match] {
        let own = exactMatches(pattern)
        guard !pattern.alternatives.isEmpty, !pattern.hidesAlternatives || own.isEmpty else { return own }
        let others = pattern.alternatives.flatMap(exactMatches)
        let times = Set(others.map(\.time).filter { !$0.isEmpty })
        return own.filter { !times.contains($0.time) } + others
    }

    private func exactMatches(_ pattern: FilePattern) -> [Match] {
        let byTable = matches[Shape(pattern), default: [:]]
        guard pattern.remainder.variables.contains(.table) else { return byTable[nil, default: []] }
        guard let table = pattern.known[.table] else { return byTable.values.flatMap(\.self) }
        return byTable[ByteKey(table), default: []]
    }

    /// The file that matches a pattern and is of a certain time; of several the one written last.
    ///
    /// - Parameters:
    ///   - pattern: One of those that were listed.
    ///   - time: As in the file's name.
    /// - Returns: nil when there is none.
    func file(_ pattern: FilePattern, of time: String) -> FileInfo? {
        matches(pattern).filter { $0.time == time }.map(\.file).max { $0.modified < $1.modified }
    }

    /// The newest file that matches a pattern.
    ///
    /// - Parameters:
    ///   - pattern: One of those that were listed.
    ///   - strategy: What newest means; without one, the time in the name.
    /// - Returns: nil when no file matches.
    func newest(_ pattern: FilePattern, by strategy: RestoreStrategy? = nil) -> FileInfo? {
        newest([pattern], by: strategy)
    }

    /// The newest file that matches one of several patterns.
    ///
    /// - Parameters:
    ///   - patterns: Some of those that were listed.
    ///   - strategy: What newest means; without one, the time in the name.
    ///   - format: Which of several files of one moment is read; without one, the file that was written last.
    /// - Returns: nil when no file matches.
    func newest(
        _ patterns: [FilePattern],
        by strategy: RestoreStrategy? = nil,
        preferring format: DataFileFormat? = nil
    ) -> FileInfo? {
        let candidates = patterns.flatMap(matches)
        return candidates.max { Self.isOlder($0, $1, strategy, format) }?.file
    }

    /// All files that match a pattern, the newest first.
    ///
    /// - Parameters:
    ///   - pattern: One of those that were listed.
    ///   - strategy: What newest means; without one, the time in the name.
    /// - Returns: None when no file matches.
    func all(_ pattern: FilePattern, by strategy: RestoreStrategy? = nil) -> [FileInfo] {
        matches(pattern).sorted { Self.isOlder($1, $0, strategy, nil) }.map(\.file)
    }

    private static func isOlder(
        _ first: Match,
        _ second: Match,
        _ strategy: RestoreStrategy?,
        _ format: DataFileFormat?
    ) -> Bool {
        func rank(_ match: Match) -> Int { match.ext.map { format?.ext == $0 } == true ? 1 : 0 }
        switch strategy {
        case .useLatestMetadata:
            return (first.file.modified, rank(first), ByteKey(first.file.path.description))
                < (second.file.modified, rank(second), ByteKey(second.file.path.description))
        case .useLatestFilename, .useLatestSet, nil:
            // Two files of one moment, say .csv and .csv.gz: the one that is configured, else the one written last.
            return (first.time, rank(first), first.file.modified) < (second.time, rank(second), second.file.modified)
        }
    }
}
