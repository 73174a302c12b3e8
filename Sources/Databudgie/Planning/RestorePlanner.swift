import Postgres
import Storage

/// Computes a ``RestorePlan`` from the entries of a configuration.
struct RestorePlanner {
    private let catalog: DatabaseCatalog
    private let isStrict: Bool
    private let needsRows: Bool
    private let created: Set<QualifiedName>
    private let replaced: Set<QualifiedName>

    /// - Parameters:
    ///   - catalog: The target's tables.
    ///   - isStrict: Warnings about names that match nothing, and about missing files, are problems.
    ///   - needsRows: A restore that loads nothing has nothing to do; not so when it creates tables.
    ///   - created: What this run creates from definitions; some of it only after the rows.
    ///   - replaced: Those of them that take the place of tables with rows.
    init(
        catalog: DatabaseCatalog,
        isStrict: Bool,
        needsRows: Bool = true,
        created: Set<QualifiedName> = [],
        replaced: Set<QualifiedName> = []
    ) {
        self.catalog = catalog
        self.isStrict = isStrict
        self.needsRows = needsRows
        self.created = created
        self.replaced = replaced
    }

    /// Expands the entries over the target's tables.
    ///
    /// - Parameter entries: In order of appearance.
    /// - Returns: The tables that the entries name, in the order of the entries, and a warning for each name that matches
    ///   nothing.
    /// - Throws: ``DatabudgieError`` when nothing at all matches, or in a strict run any name does not.
    func candidates(_ entries: [RestoreEntry]) throws -> (candidates: [RestoreCandidate], findings: [Finding]) {
        let selection = TableSelection(catalog: catalog)
        var candidates: [RestoreCandidate] = []
        var findings: [Finding] = []
        for (entryNumber, entry) in entries.enumerated()
        where entry.options.includesRows || entry.options.includesSequences {
            guard let name = entry.options.name else { continue }
            let match = selection.match(name, excluding: entry.options.exclude)
            if !match.isKnown, !isCreated(name) {
                let message = "\(entry.options.place): '\(name)' matches no table of the target database"
                // With definitions a name that is written out was looked for in the backups too.
                let isLost = !needsRows && !Glob(name).hasWildcards
                findings.append(Finding(isStrict || isLost ? .problem : .warning, message))
            }
            try refuseManifest(match.relations, entry)
            candidates += try match.relations.map { relation in
                RestoreCandidate(
                    entry: entry,
                    entryNumber: entryNumber,
                    relation: relation,
                    isExact: match.isExact,
                    pattern: try FileLayout(entry.options).pattern(.anyData, of: catalog.component(of: relation.name))
                )
            }
        }
        candidates += try included(entries)
        if candidates.isEmpty, needsRows {
            throw findings.nothingMatches(
                "there is nothing to restore",
                hint: "check the tables' names, and that the tables exist in the target database"
            )
        }
        try findings.throwProblems(.nothingToDo)
        return (candidates, findings)
    }

    /// Says which tables are emptied though they are not listed, or are listed to keep their rows.
    private func cascades(_ groups: [LoadGroup]) -> [Finding] {
        groups.filter { !$0.cascaded.isEmpty }.map { group in
            let origins = group.jobs.filter { $0.truncate == .cascade }.map(\.id.description)
            let loaded = Set(group.jobs.map(\.relation.oid))
            let names = group.cascaded.map { relation in
                relation.name.description + (loaded.contains(relation.oid) ? "" : " (which is not loaded)")
            }
            let verb = names.count == 1 ? "refers" : "refer"
            return .warning(
                "'truncate: cascade' on \(origins.joined(separator: ", ")) also empties \(names.joined(separator: ", ")), "
                    + "which \(verb) to it"
            )
        }
    }

    /// The tables that are included by foreign keys, with entries as if they had been named.
    private func included(_ entries: [RestoreEntry]) throws -> [RestoreCandidate] {
        let selection = TableSelection(catalog: catalog)
        let owners = entries.enumerated().flatMap { number, entry -> [(number: Int, table: DependencyTables.Owner)] in
            guard let name = entry.options.name else { return [] }
            return selection.match(name, excluding: entry.options.exclude).relations
                .map { (number, DependencyTables.Owner(options: entry.options, relation: $0)) }
        }
        return try DependencyTables(catalog: catalog).included(by: owners.map(\.table)).compactMap { table in
            guard table.options.includesRows || table.options.includesSequences else { return nil }
            let number = owners[table.owner].number
            var entry = entries[number]
            entry.options = table.options
            let places = try ([table.options] + table.otherOptions).map { options in
                let pattern = try FileLayout(options).pattern(.anyData, of: catalog.component(of: table.relation.name))
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

    private func isCreated(_ name: String) -> Bool {
        let hasSchema = name.utf8.contains(UInt8(ascii: "."))
        let fullName = ByteKey(hasSchema ? name : "\(catalog.defaultSchema).\(name)")
        return created.contains { ByteKey($0.description) == fullName }
    }

    /// A run cannot replace the rows that say what it has done.
    private func refuseManifest(_ relations: [Relation], _ entry: RestoreEntry) throws {
        guard let manifest = relations.map(\.name).first(where: { $0 == catalog.manifest }) else { return }
        throw DatabudgieError(
            .preflight,
            "\(manifest) is the manifest of this restore and cannot be restored by it (\(entry.options.place))",
            hint: "remove it from 'tables', or restore it in a run with 'manifest: null'"
        )
    }

    /// Orders and groups the candidates for which files were found.
    ///
    /// - Parameters:
    ///   - candidates: All candidates, in order of appearance.
    ///   - files: The file of each, nil when there is none.
    ///   - recorded: What the manifest says was restored before; it is neither truncated nor loaded again.
    ///   - findings: What was found before.
    /// - Returns: The loads in their order.
    /// - Throws: ``DatabudgieError`` for tables that were named exactly and have no file.
    func plan(
        _ candidates: [RestoreCandidate],
        files: [FileInfo?],
        recorded: RecordedTables? = nil,
        findings: [Finding]
    ) throws -> RestorePlan {
        // Nothing but sequences or definitions is asked for.
        guard !candidates.isEmpty else { return RestorePlan(groups: [], findings: findings) }
        let found = zip(candidates, files).compactMap { candidate, file in file.map { (candidate.placed(at: $0), $0) } }
        let resumption = RestoreResumption(catalog: catalog, recorded: recorded)
        let done = candidates.filter(resumption.isDone)
        let missing = zip(candidates, files).filter { $1 == nil && !resumption.isDone($0) }.map(\.0)
        let coverage = PartitionCoverage(catalog: catalog, candidates: found.map(\.0) + done)
        try (findings + missingFiles(missing, hasFound: !found.isEmpty || !done.isEmpty, coverage)).throwProblems(
            .preflight
        )
        let chosen = found.filter { !coverage.covers($0.0) && !resumption.isDone($0.0) }
        try (findings + DoubleLoads(catalog: catalog).findings(chosen) + resumption.doubleLoads(chosen.map(\.0)))
            .throwProblems(.preflight)
        var plan = RestorePlan(groups: [], findings: findings)
        let jobs = chosen.map { candidate, file in
            RestoreJob(plan.newID(.rows, of: candidate.relation.name.label), candidate, file: file)
        }
        done.forEach { plan.skip($0.relation, reason: resumption.reason) }
        for candidate in missing where !coverage.covers(candidate) {
            plan.skip(candidate.relation, reason: "there is no data file for it in \(candidate.pattern.folder)")
        }
        plan.groups = LoadGrouping(catalog: catalog).groups(of: jobs)
        try (findings + resumption.truncations(plan.groups.flatMap(\.cascaded))).throwProblems(.preflight)
        plan.findings += cascades(plan.groups) + plan.jobs.map(Self.reason)
        plan.done = done.map { ($0, recorded?.paths(of: $0.relation.name.label).last ?? "") }
        return plan
    }

    private static func reason(_ job: RestoreJob) -> Finding {
        let place = job.candidate.map { " (\($0.entry.options.place))" } ?? ""
        let referrer = job.candidate?.referrer.map { ", because \($0) refers to it" } ?? ""
        return .note("it is loaded from \(job.file.path)\(place)\(referrer)", of: job.id)
    }

    /// Tables whose missing file stops the restore: those that were named, and all of them when there is no file at all.
    private func missingFiles(
        _ missing: [RestoreCandidate],
        hasFound: Bool,
        _ coverage: PartitionCoverage
    ) -> [Finding] {
        let problems: [Finding] = missing.filter { candidate in
            // A table that is re-created without its rows would have lost them.
            (candidate.isExact || isStrict || candidate.entry.options.isStrict
                || replaced.contains(candidate.relation.name))
                && !coverage.covers(candidate) && !coverage.hasPartition(of: candidate)
        }.map { candidate in
            .problem(
                "there is no data file in \(candidate.pattern.folder) whose name matches "
                    + "'\(candidate.entry.options.filename)'",
                of: candidate.relation.name,
                hint: "check location and filename (\(candidate.entry.options.place))"
            )
        }
        guard problems.isEmpty, !hasFound, needsRows || !missing.isEmpty else { return problems }
        guard let first = missing.first else {
            return [.problem("everything that the configuration names is excluded: there is nothing to restore")]
        }
        return [
            .problem(
                "no data file was found for any of the \(missing.count) tables, such as \(first.relation.name) in "
                    + "\(first.pattern.folder)",
                hint: "check location and filename"
            )
        ]
    }
}
