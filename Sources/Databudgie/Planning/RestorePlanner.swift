import Postgres
import Storage

/// Makes a ``RestorePlan`` from the entries of a configuration.
struct RestorePlanner {
    let catalog: Catalog
    /// Warnings about names that match nothing, and about missing files, are errors.
    let isStrict: Bool
    /// A restore that loads nothing has nothing to do; not so where it makes tables.
    var needsRows = true
    /// What this run makes from definitions; some of it only after the rows.
    var made: Set<QualifiedName> = []
    /// Those of them that take the place of tables with rows.
    var replaced: Set<QualifiedName> = []

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
        for (entryNumber, entry) in entries.enumerated()
        where entry.options.data || entry.options.sequences {
            guard let name = entry.options.name else { continue }
            let match = selection.match(name, excluding: entry.options.exclude)
            if !match.isKnown, !isMade(name) {
                unmatched.append("\(entry.options.place): '\(name)' matches no table of the target database.")
            }
            try refuseManifest(match.relations, entry)
            candidates += try match.relations.map { relation in
                RestoreCandidate(
                    entry: entry,
                    entryNumber: entryNumber,
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
        candidates += try followed(entries)
        if candidates.isEmpty, needsRows {
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

    /// Says which tables are emptied though they are not listed, or are listed to keep their rows.
    private func cascades(_ groups: [RestoreGroup]) -> [String] {
        groups.filter { !$0.cascaded.isEmpty }.map { group in
            let origins = group.jobs.filter { $0.truncate == .cascade }.map(\.label.description)
            let loaded = Set(group.jobs.map(\.relation.oid))
            let names = group.cascaded.map { relation in
                relation.name.description + (loaded.contains(relation.oid) ? "" : " (which is not loaded)")
            }
            return
                "'truncate: cascade' of \(origins.joined(separator: ", ")) empties also \(names.joined(separator: ", ")), by "
                + "way of foreign keys."
        }
    }

    /// The tables that come along, with entries as if they had been named.
    private func followed(_ entries: [RestoreEntry]) throws -> [RestoreCandidate] {
        let selection = TableSelection(catalog: catalog)
        let owners = entries.enumerated().flatMap { number, entry -> [(number: Int, table: ReferencedTables.Owner)] in
            guard let name = entry.options.name else { return [] }
            return selection.match(name, excluding: entry.options.exclude).relations
                .map { (number, ReferencedTables.Owner(options: entry.options, relation: $0)) }
        }
        return try ReferencedTables(catalog: catalog).followed(by: owners.map(\.table)).compactMap { table in
            guard table.options.data || table.options.sequences else { return nil }
            let number = owners[table.owner].number
            var entry = entries[number]
            entry.options = table.options
            let places = try ([table.options] + table.otherOptions).map { options in
                let pattern = try DataFilePattern(
                    location: options.location,
                    filename: options.filename,
                    table: PathComponent.encode(table.relation.name.description)
                )
                return (location: options.location, pattern: pattern)
            }
            return RestoreCandidate(
                entry: entry,
                entryNumber: number,
                relation: table.relation,
                isExact: false,
                pattern: places[0].pattern,
                referrer: owners[table.owner].table.relation.name,
                otherPlaces: Array(places.dropFirst())
            )
        }
    }

    private func isMade(_ name: String) -> Bool {
        let fullName = name.utf8.contains(UInt8(ascii: ".")) ? name : "\(catalog.defaultSchema).\(name)"
        return made.contains { $0.description == fullName }
    }

    /// A run cannot replace the rows that say what it has done.
    private func refuseManifest(_ relations: [Relation], _ entry: RestoreEntry) throws {
        guard let manifest = relations.map(\.name).first(where: { $0 == catalog.manifest }) else { return }
        throw DatabudgieError(
            .preflight,
            "\(manifest) is the manifest of this restore and cannot be restored by it (\(entry.options.place)); nothing "
                + "was touched. Take it out of 'tables', or restore it in a run with 'manifest: null'."
        )
    }

    /// Orders and groups the candidates for which files were found.
    ///
    /// - Parameters:
    ///   - candidates: All candidates, in order of appearance.
    ///   - files: The file of each, nil where there is none.
    ///   - recorded: What the manifest says was restored before; it is neither truncated nor loaded again.
    ///   - warnings: What was collected before.
    /// - Returns: The loads in their order.
    /// - Throws: ``DatabudgieError`` for tables that were asked for by name and have no file.
    func plan(
        _ candidates: [RestoreCandidate],
        files: [FileInfo?],
        recorded: RecordedTables? = nil,
        warnings: [String]
    ) throws -> RestorePlan {
        // Nothing but sequences or definitions is asked for.
        guard !candidates.isEmpty else { return RestorePlan(groups: [], warnings: warnings, skipped: []) }
        let found = zip(candidates, files).compactMap { candidate, file in file.map { (candidate.placed(at: $0), $0) } }
        let resumption = RestoreResumption(catalog: catalog, recorded: recorded)
        let done = candidates.filter(resumption.isDone)
        let missing = zip(candidates, files).filter { $1 == nil && !resumption.isDone($0) }.map(\.0)
        let coverage = PartitionCoverage(catalog: catalog, candidates: found.map(\.0) + done)
        try refuseMissing(missing, hasFound: !found.isEmpty || !done.isEmpty, coverage)
        let chosen = found.filter { !coverage.covers($0.0) && !resumption.isDone($0.0) }
        try refuseDoubleLoads(chosen)
        try resumption.refuseDoubleLoads(chosen.map(\.0))
        let jobs = chosen.enumerated().map { number, item in
            let (candidate, file) = item
            return RestoreJob(
                label: TableLabel(number: number, description: candidate.relation.name.description),
                relation: candidate.relation,
                file: file,
                truncate: candidate.entry.truncate,
                isStrict: candidate.entry.options.strict,
                reason: "\(candidate.relation.name) is loaded from \(file.path) (\(candidate.entry.options.place))"
                    + (candidate.referrer.map { ", as \($0) refers to it" } ?? ""),
                candidate: candidate
            )
        }
        let leftOut =
            done.map { ($0, resumption.reason) }
            + missing.filter { !coverage.covers($0) }
            .map { ($0, "there is no data file for it in \($0.pattern.folder)") }
        let skipped = leftOut.enumerated().map { offset, item in
            (
                label: TableLabel(number: jobs.count + offset, description: item.0.relation.name.description),
                reason: item.1
            )
        }
        let groups = RestoreGroups(catalog: catalog).groups(of: jobs)
        try resumption.refuseTruncation(of: groups.flatMap(\.cascaded))
        return RestorePlan(
            groups: groups,
            warnings: warnings + cascades(groups),
            skipped: skipped,
            done: done.map { ($0, recorded?.paths(of: $0.relation.name.description).last ?? "") }
        )
    }

    private func refuseMissing(
        _ missing: [RestoreCandidate],
        hasFound: Bool,
        _ coverage: PartitionCoverage
    ) throws {
        let refused = missing.filter { candidate in
            // A table that is made anew without its rows would have lost them.
            (candidate.isExact || isStrict || candidate.entry.options.strict
                || replaced.contains(candidate.relation.name))
                && !coverage.covers(candidate) && !coverage.hasPartition(of: candidate)
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
        if !hasFound, needsRows || !missing.isEmpty {
            let first = missing.first.map { ", such as \($0.relation.name) in \($0.pattern.folder)" } ?? ""
            throw DatabudgieError(
                .preflight,
                missing.isEmpty
                    ? "Everything that the configuration names is excluded, so there is nothing to restore."
                    : "No data file was found for any of the \(missing.count) tables\(first); nothing was touched. "
                        + "Check location and filename."
            )
        }
    }

    /// The same rows must not be loaded twice, which nothing but a unique constraint would notice.
    private func refuseDoubleLoads(_ chosen: [(RestoreCandidate, FileInfo)]) throws {
        var problems: [String] = []
        var loads: [StoragePath: [Relation.OID: RestoreCandidate]] = [:]
        for (candidate, file) in chosen {
            if let other = loads[file.path, default: [:]].updateValue(candidate, forKey: candidate.relation.oid) {
                problems.append(
                    "\(file.path) would be loaded into \(candidate.relation.name) twice, by \(other.description) and by "
                        + "\(candidate.description); nothing was touched. Take one of them out."
                )
            }
        }
        let owners = Dictionary(chosen.map { ($0.0.relation.oid, $0.0) }, uniquingKeysWith: { first, _ in first })
        for (candidate, _) in chosen where candidate.relation.isPartition {
            for root in catalog.lineage(of: candidate.relation.oid).dropFirst().compactMap({ owners[$0] }) {
                problems.append(
                    "\(candidate.relation.name) would be loaded by \(candidate.description), and its rows again with "
                        + "\(root.relation.name) by \(root.description); nothing was touched. Take one of them out."
                )
            }
        }
        if !problems.isEmpty { throw DatabudgieError(.preflight, problems) }
    }
}

/// Which partitions come with the file of their root.
///
/// A root's file has the rows of all its partitions; files of leaves count only where there is none of the root.
private struct PartitionCoverage {
    let catalog: Catalog
    /// For each table with a file the entries that ask for it.
    private let entries: [Relation.OID: Set<Int>]

    init(catalog: Catalog, candidates: [RestoreCandidate]) {
        self.catalog = catalog
        entries = Dictionary(candidates.map { ($0.relation.oid, [$0.entryNumber]) }) { $0.union($1) }
    }

    /// A glob found the partition, and with it a root that has a file.
    func covers(_ candidate: RestoreCandidate) -> Bool {
        guard candidate.relation.isPartition, !candidate.isExact else { return false }
        return catalog.lineage(of: candidate.relation.oid).dropFirst().contains { ancestor in
            entries[ancestor]?.contains(candidate.entryNumber) == true
        }
    }

    /// The table is partitioned, and at least one of its partitions has a file.
    func hasPartition(of candidate: RestoreCandidate) -> Bool {
        candidate.relation.kind == .partitionedTable
            && catalog.descendants(of: candidate.relation.oid).contains { entries[$0] != nil }
    }
}
