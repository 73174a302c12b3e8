import Postgres
import Storage

/// All loads of a restore with their order, computed before anything is touched.
struct RestorePlan: Sendable {
    /// Referenced tables first; what is in one group lands together or not at all.
    var groups: [RestoreGroup]
    /// What the user should know about the selection, as sentences.
    var warnings: [String]
    /// Tables left out because no data file was found for them.
    var skipped: [(label: TableLabel, reason: String)]

    var jobs: [RestoreJob] { groups.flatMap(\.jobs) }
}

/// Jobs that share one transaction.
struct RestoreGroup: Sendable {
    /// Referenced tables first.
    var jobs: [RestoreJob]
    /// Constraints between tables that refer to one another in a cycle: their check waits until all rows are there.
    var deferredKeys: [ForeignKey]
}

/// One data file to load into one table.
struct RestoreJob: Sendable {
    let label: TableLabel
    let relation: Relation
    let file: FileInfo
    let truncate: TruncateMode
    let isStrict: Bool
    /// Why the job is there, for `--verbose`.
    let reason: String
}

/// A table that an entry asks for, before its file is looked up.
struct RestoreCandidate: Sendable {
    let entry: RestoreEntry
    let relation: Relation
    /// The entry named this very table: a missing file is an error then.
    let isExact: Bool
    let pattern: DataFilePattern
}

/// Makes a ``RestorePlan`` from the entries of a configuration.
struct RestorePlanner {
    let catalog: Catalog
    /// Warnings about names that match nothing, and about missing files, are errors.
    let isStrict: Bool

    /// Expands the entries over the target's tables.
    ///
    /// - Parameters:
    ///   - entries: In order of appearance.
    ///   - warnings: Receives a sentence for each name that matches nothing.
    /// - Returns: The tables that were asked for, in the order of the entries.
    /// - Throws: ``DatabudgieError`` when nothing at all matches, or in a strict run any name does not.
    func candidates(_ entries: [RestoreEntry], warnings: inout [String]) throws -> [RestoreCandidate] {
        let selection = TableSelection(catalog: catalog)
        var candidates: [RestoreCandidate] = []
        var unmatched: [String] = []
        for entry in entries where entry.options.data {
            guard let name = entry.options.name else { continue }
            let match = selection.match(name, excluding: entry.options.exclude)
            if match.relations.isEmpty {
                unmatched.append("\(entry.options.place): '\(name)' matches no table of the target database.")
            }
            candidates += try match.relations.map { relation in
                RestoreCandidate(
                    entry: entry,
                    relation: relation,
                    isExact: match.isExact,
                    pattern: try DataFilePattern(
                        location: entry.options.location,
                        filename: entry.options.filename,
                        table: PathComponent.encode(relation.name.description)
                    )
                )
            }
        }
        if candidates.isEmpty {
            throw DatabudgieError(
                .nothingToDo,
                unmatched + [
                    "Nothing matches the configuration, so there is nothing to restore; check the tables' names, and "
                        + "that the tables exist in the target database."
                ]
            )
        }
        if isStrict, !unmatched.isEmpty { throw DatabudgieError(.nothingToDo, unmatched) }
        warnings += unmatched
        return candidates
    }

    /// Orders and groups the candidates for which files were found.
    ///
    /// - Parameters:
    ///   - candidates: All candidates, in order of appearance.
    ///   - files: The file of each, nil where there is none.
    ///   - warnings: What was collected before.
    /// - Returns: The loads in their order.
    /// - Throws: ``DatabudgieError`` for tables that were asked for by name and have no file.
    func plan(_ candidates: [RestoreCandidate], files: [FileInfo?], warnings: [String]) throws -> RestorePlan {
        let found = zip(candidates, files).compactMap { candidate, file in file.map { (candidate, $0) } }
        let missing = zip(candidates, files).filter { $1 == nil }.map(\.0)
        try refuseMissing(missing, found: found.map(\.0))
        let chosen = withoutCoveredPartitions(found)
        let jobs = chosen.enumerated().map { number, item in
            let (candidate, file) = item
            return RestoreJob(
                label: TableLabel(number: number, description: candidate.relation.name.description),
                relation: candidate.relation,
                file: file,
                truncate: candidate.entry.truncate,
                isStrict: candidate.entry.options.strict,
                reason: "\(candidate.relation.name) is loaded from \(file.path) (\(candidate.entry.options.place))"
            )
        }
        let skipped = missing.filter { !isCovered($0, by: chosen.map(\.0)) }.enumerated().map { offset, candidate in
            (
                label: TableLabel(number: jobs.count + offset, description: candidate.relation.name.description),
                reason: "there is no data file for it in \(candidate.pattern.folder)"
            )
        }
        return RestorePlan(
            groups: RestoreGroups(catalog: catalog).groups(of: jobs),
            warnings: warnings,
            skipped: skipped
        )
    }

    private func refuseMissing(_ missing: [RestoreCandidate], found: [RestoreCandidate]) throws {
        let refused = missing.filter { candidate in
            (candidate.isExact || isStrict || candidate.entry.options.strict)
                && !isCovered(candidate, by: found) && !hasPartition(of: candidate, in: found)
        }
        if !refused.isEmpty {
            throw DatabudgieError(
                .preflight,
                refused.map {
                    "\($0.relation.name): there is no data file in \($0.pattern.folder) whose name matches "
                        + "'\($0.entry.options.filename)'; nothing was touched. Check location and filename "
                        + "(\($0.entry.options.place))."
                }
            )
        }
        if found.isEmpty {
            throw DatabudgieError(
                .preflight,
                "No data file was found for any of the \(missing.count) tables, the first of them "
                    + "\(missing.first.map { "\($0.relation.name) in \($0.pattern.folder)" } ?? ""); "
                    + "nothing was touched. Check location and filename."
            )
        }
    }

    /// A root's file has the rows of all its partitions; files of leaves count only where there is none of the root.
    private func withoutCoveredPartitions(
        _ found: [(RestoreCandidate, FileInfo)]
    ) -> [(RestoreCandidate, FileInfo)] {
        let candidates = found.map(\.0)
        return found.filter { !isCovered($0.0, by: candidates) }
    }

    private func isCovered(_ candidate: RestoreCandidate, by others: [RestoreCandidate]) -> Bool {
        guard candidate.relation.isPartition, !candidate.isExact else { return false }
        let ancestors = Set(catalog.lineage(of: candidate.relation.oid).dropFirst())
        return others.contains { other in
            ancestors.contains(other.relation.oid) && other.entry.options.place == candidate.entry.options.place
        }
    }

    private func hasPartition(of candidate: RestoreCandidate, in others: [RestoreCandidate]) -> Bool {
        guard candidate.relation.kind == .partitionedTable else { return false }
        let descendants = Set(catalog.descendants(of: candidate.relation.oid))
        return others.contains { descendants.contains($0.relation.oid) }
    }
}
