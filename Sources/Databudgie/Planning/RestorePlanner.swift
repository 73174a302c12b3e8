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
        let tables = RestoreSelection(catalog: catalog)
        var candidates: [RestoreCandidate] = []
        var findings: [Finding] = []
        for (entryNumber, entry) in entries.enumerated()
        where entry.options.includesRows || entry.options.includesSequences {
            guard let name = entry.options.name else { continue }
            let match = tables.match(entry)
            let isDefined =
                !needsRows && entry.options.includesDefinition
                && selection.coversSchema(name, excluding: entry.options.exclude)
            if !match.isKnown, !isDefined, !isCreated(name) {
                let newName = Glob(name).hasWildcards ? nil : entry.newName(of: name, in: catalog.defaultSchema)
                let message =
                    newName.map {
                        "\(entry.options.place): '\(name)' is to be restored as '\($0)', which is no table of the "
                            + "target database"
                    }
                    ?? "\(entry.options.place): '\(name)' matches no table of the target database"
                // With definitions a name that is written out was looked for in the backups too.
                let isLost = !needsRows && !Glob(name).hasWildcards
                findings.append(Finding(isStrict || isLost ? .problem : .warning, message))
            }
            try refuseManifest(match.tables.map(\.relation), entry)
            candidates += try match.tables.map { relation, storedName in
                RestoreCandidate(
                    entry: entry,
                    entryNumber: entryNumber,
                    relation: relation,
                    storedName: storedName,
                    isExact: match.isExact,
                    selection: SelectionReason(name, for: storedName, defaultSchema: catalog.defaultSchema),
                    pattern: try FileLayout(entry.options).pattern(.anyData, of: catalog.component(of: storedName))
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

    /// The tables that are included by foreign keys, with entries as if they had been named.
    private func included(_ entries: [RestoreEntry]) throws -> [RestoreCandidate] {
        let selection = RestoreSelection(catalog: catalog)
        let owners = entries.enumerated().flatMap { number, entry -> [(number: Int, table: DependencyTables.Owner)] in
            let renaming =
                entry.renaming.isEmpty ? nil : TableRenaming(entry.renaming, defaultSchema: catalog.defaultSchema)
            return selection.match(entry).tables.map { relation, storedName in
                let owner = DependencyTables.Owner(
                    options: entry.options,
                    relation: relation,
                    storedName: storedName,
                    renaming: renaming
                )
                return (number, owner)
            }
        }
        return try DependencyTables(catalog: catalog).included(by: owners.map(\.table)).compactMap { table in
            guard table.options.includesRows || table.options.includesSequences else { return nil }
            let number = owners[table.owner].number
            var entry = entries[number]
            entry.options = table.options
            // These are columns of the table that was named.
            entry.conflictColumns = []
            let places = try ([table.options] + table.otherOptions).map { options in
                let pattern = try FileLayout(options).pattern(.anyData, of: catalog.component(of: table.storedName))
                return (location: options.location, pattern: pattern)
            }
            return RestoreCandidate(
                entry: entry,
                entryNumber: number,
                relation: table.relation,
                storedName: table.storedName,
                isExact: false,
                selection: KeyReference(table.key, in: catalog).map { .reference($0) } ?? .query,
                pattern: places[0].pattern,
                referrer: owners[table.owner].table.relation.name,
                otherPlaces: Array(places.dropFirst())
            )
        }
    }

    private func isCreated(_ name: String) -> Bool {
        let pattern = TableSelection(catalog: catalog).pattern(for: name)
        return created.contains { pattern.hasBytes(of: $0.description) || Glob(pattern).matches($0.description) }
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
    ///   - files: The file of each, nil when there is none, or why it is not known.
    ///   - recorded: What the manifest says was restored before; it is neither truncated nor loaded again.
    ///   - findings: What was found before.
    /// - Returns: The loads in their order; problems, such as a missing file of a table that was named exactly, are among
    ///   its findings.
    func plan(
        _ candidates: [RestoreCandidate],
        files: [Result<FileInfo?, DatabudgieError>],
        recorded: RecordedTables? = nil,
        findings: [Finding]
    ) -> RestorePlan {
        // Nothing but sequences or definitions is asked for.
        guard !candidates.isEmpty else { return RestorePlan(groups: [], findings: findings) }
        let resumption = RestoreResumption(catalog: catalog, recorded: recorded)
        let done = candidates.filter(resumption.isDone)
        var known = CandidateFiles(candidates, files)
        let all = known.found
        let coverage = PartitionCoverage(catalog: catalog, candidates: all.map(\.0) + done)
        known.remove { resumption.isDone($0) }
        known.removeOtherNames()
        let hasFound = !all.isEmpty || !done.isEmpty || !known.unlisted.isEmpty
        let (required, problems) = missingFiles(known.missing, hasFound: hasFound, coverage)
        known.remove { coverage.covers($0) }
        let chosen = known.found
        var plan = RestorePlan(groups: [], findings: findings + problems + known.problems)
        plan.findings += DoubleLoads(catalog: catalog).findings(chosen) + resumption.doubleLoads(chosen.map(\.0))
        let jobs = chosen.map { candidate, file in
            RestoreJob(
                plan.newID(.rows, of: candidate.relation.name.label),
                candidate,
                file: file,
                isNew: created.contains(candidate.relation.name)
            )
        }
        done.forEach { plan.skip($0.relation, reason: resumption.reason) }
        let failed = required + known.unlisted.map(\.candidate)
        let names = Set(failed.map(\.relation.name))
        for candidate in known.missing where !names.contains(candidate.relation.name) {
            let subject = candidate.isRenamed ? candidate.storedName.label : "it"
            let reason = candidate.source.set.map { "the set \($0) has no data file of \(subject)" }
            plan.skip(
                candidate.relation,
                reason: reason ?? "there is no data file for \(subject) in \(candidate.pattern.folder)"
            )
        }
        plan.groups = LoadGrouping(catalog: catalog).groups(
            of: jobs,
            missing: failed.map { MissingLoad(plan.newID(.rows, of: $0.relation.name.label), $0) }
        )
        plan.findings +=
            resumption.truncations(plan.groups.flatMap(\.cascaded)) + plan.jobs.map(Self.reason)
            + plan.jobs.compactMap(Self.uselessMode)
        plan.done = done.map { ($0, recorded?.paths(of: $0.relation.name.label).last ?? "") }
        plan.findings += moments(of: chosen, plan.done, covered: all.filter { coverage.covers($0.0) })
        return plan
    }

    private func moments(
        of chosen: [(RestoreCandidate, FileInfo)],
        _ done: [(candidate: RestoreCandidate, file: String)],
        covered: [(RestoreCandidate, FileInfo)]
    ) -> [Finding] {
        let moments = BackupMoments(catalog: catalog, isStrict: isStrict)
        let loads = chosen.map { BackupMoments.Load(candidate: $0, file: $1.path) }
        let before = done.compactMap { candidate, file in
            (try? StoragePath(file)).map { BackupMoments.Load(candidate: candidate, file: $0) }
        }
        let partitions = covered.map { BackupMoments.Load(candidate: $0, file: $1.path) }
        return moments.mixture(of: before + loads) + moments.newerPartitions(partitions, than: loads)
    }

    private static func reason(_ job: RestoreJob) -> Finding {
        let place = job.candidate.map { " (\($0.entry.options.place))" } ?? ""
        let referrer = job.candidate?.referrer.map { ", because \($0) refers to it" } ?? ""
        let name = job.storedName.map { ", where it is \($0)" } ?? ""
        return .note("it is loaded from \(job.file.path)\(place)\(name)\(referrer)", of: job.id)
    }

    /// A table that the run creates has no rows that could be updated or kept.
    private static func uselessMode(_ job: RestoreJob) -> Finding? {
        guard job.isNew, let mode = job.candidate?.entry.mode, mode.merges else { return nil }
        return .note("'mode: \(mode.rawValue)' has no effect, because the restore creates the table", of: job.id)
    }

    /// Tables that need a file and have none: those that were named, and all of them when there is no file at all.
    private func missingFiles(
        _ missing: [RestoreCandidate],
        hasFound: Bool,
        _ coverage: PartitionCoverage
    ) -> (required: [RestoreCandidate], problems: [Finding]) {
        let required = missing.filter { candidate in
            // A table that is re-created without its rows would have lost them.
            (candidate.isExact || isStrict || candidate.entry.options.isStrict
                || replaced.contains(candidate.relation.name))
                && !coverage.covers(candidate) && !coverage.hasPartition(of: candidate)
        }
        let problems = required.map { candidate in
            candidate.source.set.map { set in
                Finding.problem(
                    "the set \(set) has no data file of \(candidate.isRenamed ? candidate.storedName.label : "it")",
                    of: candidate.relation.name.label,
                    hint: "choose another set by --set, or exclude the table (\(candidate.entry.options.place))"
                )
            }
                ?? Finding.problem(
                    "there is no data file in \(candidate.pattern.folder) whose name matches "
                        + "'\(candidate.entry.options.filename)'",
                    of: candidate.relation.name.label,
                    hint: "check location and filename (\(candidate.entry.options.place))"
                )
        }
        guard problems.isEmpty, !hasFound, needsRows || !missing.isEmpty else { return (required, problems) }
        guard let first = missing.first else {
            return ([], [.problem("everything that the configuration names is excluded: there is nothing to restore")])
        }
        let tables = missing.count == 1 ? "" : "any of the \(missing.count) tables, such as "
        let problem =
            first.source.set.map { set in
                Finding.problem(
                    "the set \(set) has no data file of \(tables)\(first.relation.name)",
                    hint: "choose another set by --set"
                )
            }
            ?? Finding.problem(
                "no data file was found for \(tables)\(first.relation.name) in \(first.pattern.folder)",
                hint: "check location and filename"
            )
        return ([], [problem])
    }
}
