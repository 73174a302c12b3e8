import Foundation
import Storage

/// Tells the files that no set names from all others in the locations of a configuration.
///
/// What is in doubt is not an orphan: what databudgie cannot have written, what is younger than a day, what is older than the
/// oldest record and so may be a backup of databudgie 2.9.3, and what has the time of a set.
struct OrphanSearch: Sendable {
    let own: OwnPaths
    /// The folder of the records: nothing in it is an orphan.
    let catalog: StoragePath
    /// The ids of all sets.
    let sets: Set<ByteKey>
    /// When the oldest set was begun; nil when there is none.
    let oldest: Date?
    /// The files that records name.
    let named: NamedFiles
    /// The marks of runs, by their ids; a set may have one that was not removed.
    let marks: [ByteKey: FileInfo]
    /// Files of the catalog that are beside no record.
    var strays: [FileInfo] = []
    /// What was written before is old enough.
    let limit: Date

    struct Found: Sendable {
        var orphans: [Orphan] = []
        /// The runs that made progress lately, so are not broken off.
        var running: Set<ByteKey> = []
    }

    /// Looks through what is there.
    ///
    /// - Parameters:
    ///   - files: All files of all locations.
    ///   - writes: All temporary files and uploads there, of any age.
    /// - Returns: What nobody needs, sorted by place.
    func result(_ files: [FileInfo], _ writes: [UnfinishedWrite]) -> Found {
        let candidates = files.filter { !CatalogLocation.contains(catalog, $0.path) }
        let running = running(candidates, writes)
        let broken = Set(marks.filter { $0.value.modified < limit }.keys).subtracting(running)
        let oldWrites = writes.filter { $0.modified < limit }
        let orphans =
            candidates.filter { isOrphan($0, broken, isRunUnderWay: !running.isEmpty) }.map { Orphan($0, .file) }
            + strays.filter { $0.modified < limit }.map { Orphan($0, .file) }
            + marks.filter { broken.contains($0.key) }.map { Orphan($0.value, .brokenRun) }
            + Set(oldWrites).map { Orphan(Leftover(write: $0)) }
        return Found(orphans: orphans.sorted { ByteKey($0.place) < ByteKey($1.place) }, running: running)
    }

    /// Files that look like records of another catalog.
    ///
    /// - Returns: The newest id of each folder.
    func possibleRecords(_ files: [FileInfo]) -> [StoragePath: String] {
        var newest: [StoragePath: String] = [:]
        for file in files where !CatalogLocation.contains(catalog, file.path) {
            let name = file.path.lastComponent
            let id = String(decoding: name.utf8.prefix(RunTimestamp.length), as: UTF8.self)
            guard RunTimestamp.isTimestamp(id), name.hasBytes(of: "\(id).json"), let folder = file.path.parent,
                own.moment(of: file.path) == nil
            else { continue }
            newest[folder] = max(newest[folder] ?? id, id)
        }
        return newest
    }

    /// The runs whose mark, or any of whose files, is young: a large table may take longer than a day.
    private func running(_ files: [FileInfo], _ writes: [UnfinishedWrite]) -> Set<ByteKey> {
        let runs = marks.filter { !sets.contains($0.key) }
        let young = runs.filter { $0.value.modified >= limit }.keys
        guard young.count < runs.count else { return Set(young) }
        let written =
            files.lazy.filter { $0.modified >= limit }.map(\.path)
            + writes.lazy.filter { $0.modified >= limit }.map(\.path)
        let moments = written.compactMap { own.moment(of: $0) }.map { ByteKey($0) }
        return Set(young).union(moments.filter { runs[$0] != nil })
    }

    private func isOrphan(_ file: FileInfo, _ broken: Set<ByteKey>, isRunUnderWay: Bool) -> Bool {
        guard file.modified < limit, !named.contains(file.path), let moment = own.moment(of: file.path) else {
            return false
        }
        let id = ByteKey(moment)
        guard !sets.contains(id) else { return false }
        if broken.contains(id) { return true }
        guard let oldest, file.modified >= oldest, marks[id] == nil else { return false }
        let start = RunTimestamp(oldest)
        switch moment.utf8.count {
        case start.timestamp.utf8.count: return moment > start.timestamp
        // A run may replace what has no time of its own.
        case start.date.utf8.count: return moment > start.date && !isRunUnderWay
        default: return !isRunUnderWay
        }
    }
}

/// The files that records name, however their paths are written.
struct NamedFiles: Sendable {
    private var paths: Set<StoragePath> = []
    private var realPaths: Set<StoragePath> = []

    /// Gathers the files of sets.
    init(_ sets: [PrunableSet]) {
        for set in sets {
            for file in set.files {
                paths.insert(file.path)
                // A file that has the time of its set is never mistaken for an orphan.
                if !file.path.description.containsBytes(of: set.id) { realPaths.insert(Self.real(file.path)) }
            }
        }
    }

    func contains(_ path: StoragePath) -> Bool {
        paths.contains(path) || (!realPaths.isEmpty && realPaths.contains(Self.real(path)))
    }

    /// The path of the same file without links, from the root.
    private static func real(_ path: StoragePath) -> StoragePath {
        guard case .local(let text) = path else { return path }
        return .local(URL(filePath: text).resolvingSymlinksInPath().path(percentEncoded: false))
    }
}
