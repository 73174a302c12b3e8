import Storage

/// Tells whether the files that a restore reads are of one moment, as far as their names say.
///
/// The newest file of each table is chosen separately. After a backup of fewer tables the files are of several backups,
/// and their rows may not fit one another.
struct BackupMoments {
    /// A table and the file that its rows come from.
    struct Load {
        let candidate: RestoreCandidate
        let file: StoragePath

        /// The time in the file's name; nil when there is none.
        fileprivate var moment: String? {
            if let part = candidate.source.part, part.data?.path == file, let moment = part.moment { return moment }
            let moments = candidate.patterns.lazy.compactMap { $0.time(of: file) }
            return moments.first.flatMap { $0.isEmpty ? nil : $0 }
        }
    }

    let catalog: DatabaseCatalog
    /// Files of several moments are a problem.
    let isStrict: Bool

    /// More moments than these are counted together.
    private static let limit = 10

    /// Compares the files of all tables.
    ///
    /// Whoever goes by the time of modification chooses the files by hand, so that is never a problem.
    /// - Parameter loads: What is loaded, and what the run that is resumed has loaded.
    /// - Returns: A finding with the moments, newest first; none when there is one moment or nothing to go by.
    func mixture(of loads: [Load]) -> [Finding] {
        var tables: [String: Set<ByteKey>] = [:]
        for load in loads {
            guard let moment = load.moment else { continue }
            tables[moment, default: []].insert(ByteKey(load.candidate.relation.name.label))
        }
        let moments = Self.joiningDates(tables).sorted { $0.key > $1.key }
        guard moments.count > 1 else { return [] }
        var parts = moments.prefix(Self.limit).map { "\($1.count) of \($0)" }
        parts[0] = "\(counted(moments[0].value.count, "table")) of \(moments[0].key)"
        let rest = moments.dropFirst(Self.limit)
        if !rest.isEmpty { parts.append("\(rest.reduce(0) { $0 + $1.value.count }) of \(rest.count) older backups") }
        let isByName = loads.contains { $0.candidate.entry.strategy != .useLatestMetadata }
        return [
            Finding(
                isStrict && isByName ? .problem : .warning,
                "the files are of different backups, and their rows might not match: \(parts.joined(separator: ", "))",
                hint: "back up all tables in one run, and those that you back up apart to a location of their own"
            )
        ]
    }

    /// A date may be the day of a timestamp: `{date}` and `{timestamp}` in the names of one backup.
    private static func joiningDates(_ tables: [String: Set<ByteKey>]) -> [String: Set<ByteKey>] {
        var joined = tables
        for (date, names) in tables {
            let sameDay = tables.keys.filter { $0.utf8.count > date.utf8.count && $0.utf8.starts(with: date.utf8) }
            guard let moment = sameDay.max() else { continue }
            joined[date] = nil
            joined[moment, default: []].formUnion(names)
        }
        return joined
    }

    /// Says which partitions have newer files than the partitioned table whose file is read for them.
    ///
    /// - Parameters:
    ///   - covered: Partitions with files that are not read.
    ///   - loads: What is read.
    /// - Returns: A warning for each partitioned table.
    func newerPartitions(_ covered: [Load], than loads: [Load]) -> [Finding] {
        let roots = Dictionary(loads.map { ($0.candidate.relation.oid, $0) }, uniquingKeysWith: { first, _ in first })
        var newer: [Relation.OID: [String]] = [:]
        for partition in covered {
            guard let moment = partition.moment else { continue }
            let ancestors = catalog.lineage(of: partition.candidate.relation.oid).dropFirst()
            guard let root = ancestors.first(where: { roots[$0] != nil }), let read = roots[root]?.moment, read < moment
            else { continue }
            newer[root, default: []].append(partition.candidate.relation.name.label)
        }
        return loads.compactMap { load in
            guard let names = newer.removeValue(forKey: load.candidate.relation.oid) else { return nil }
            let has = names.count == 1 ? "has a newer file" : "have newer files"
            return .warning(
                "it is loaded from \(load.file), though \(names.listed(atMost: 3)) \(has)",
                of: load.candidate.relation.name.label,
                hint: "back up the partitioned table again, or exclude it to load its partitions"
            )
        }
    }
}
