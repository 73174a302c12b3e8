import Postgres
import Storage

/// Computes a ``BackupPlan`` from the entries of a configuration.
struct BackupPlanner {
    let catalog: DatabaseCatalog
    let timestamp: RunTimestamp
    /// Warnings about names that match nothing are errors.
    let isStrict: Bool
    /// Definitions of tables are part of the backup (`ddl`).
    var includesDefinitions = false

    private struct Selected {
        let entry: BackupEntry
        let relation: Relation?
        let sequences: [TableSequence]
        /// The table whose foreign keys led to this one.
        let referrer: QualifiedName?

        init(
            entry: BackupEntry,
            relation: Relation?,
            sequences: [TableSequence] = [],
            referrer: QualifiedName? = nil
        ) {
            self.entry = entry
            self.relation = relation
            self.sequences = sequences
            self.referrer = referrer
        }
    }

    /// - Throws: ``DatabudgieError`` with all problems found: nothing matches, two jobs would write the same file.
    func plan(_ entries: [BackupEntry]) throws -> BackupPlan {
        let included = try included(entries)
        let definitions =
            includesDefinitions
            ? DefinitionPlanner(catalog: catalog).groups((entries + included.map(\.entry)).map(\.options)) : []
        let (named, findings) = try select(entries, needsRows: definitions.isEmpty)
        let selected = named + included.filter { $0.entry.options.includesRows || !$0.sequences.isEmpty }
        let ordered = JobOrder(catalog: catalog).components(of: selected.map(\.relation?.oid)).flatMap { $0 }
            .map { selected[$0] }
        let exported = ordered.filter(\.entry.options.includesRows)
        let inheritance = InheritanceRule(catalog: catalog, jobs: Set(exported.compactMap(\.relation?.oid)))
        var jobs = try ordered.enumerated().map { number, item in try locatedJob(number: number, item, inheritance) }
        skipRepeatedSequences(&jobs)
        try (findings + pathCollisions(jobs) + equalExports(jobs)).throwProblems(.configuration)
        return BackupPlan(
            jobs: jobs,
            definitions: definitions,
            findings: findings
                + ordered.flatMap { inheritance.findings($0.relation, isWhole: !$0.entry.hasExplicitQuery) }
                + exported.flatMap { childrenTwice($0, inheritance) }
                + doubleExports(exported) + jobs.flatMap(Self.notes)
        )
    }

    /// The tables that are included by foreign keys, with entries as if they had been named.
    private func included(_ entries: [BackupEntry]) throws -> [Selected] {
        let selection = TableSelection(catalog: catalog)
        let owners = entries.flatMap { entry -> [Selected] in
            guard let name = entry.options.name else { return [] }
            return selection.match(name, excluding: entry.options.exclude).relations
                .map { Selected(entry: entry, relation: $0) }
        }
        let tables = owners.compactMap { owner in
            owner.relation.map { DependencyTables.Owner(options: owner.entry.options, relation: $0) }
        }
        return try DependencyTables(catalog: catalog).included(by: tables).map { table in
            var entry = owners[table.owner].entry
            entry.options = table.options
            // A query that names its table itself is for that one alone; the others are exported whole.
            if entry.hasExplicitQuery, !entry.query.variables.contains(.table) {
                entry.query = Defaults.query
                entry.hasExplicitQuery = false
            }
            return Selected(
                entry: entry,
                relation: table.relation,
                sequences: entry.options.includesSequences ? catalog.sequences(of: table.relation) : [],
                referrer: owners[table.owner].relation?.name
            )
        }
    }

    private func select(_ entries: [BackupEntry], needsRows: Bool) throws -> ([Selected], [Finding]) {
        let selection = TableSelection(catalog: catalog)
        var selected: [Selected] = []
        var findings: [Finding] = []
        for entry in entries
        where entry.options.includesRows || entry.options.includesSequences
            || includesDefinitions && entry.options.includesDefinition
        {
            guard let name = entry.options.name else {
                if entry.options.includesRows { selected.append(Selected(entry: entry, relation: nil)) }
                continue
            }
            let match = selection.match(name, excluding: entry.options.exclude)
            let covered = selection.withoutCoveredPartitions(match.relations)
            let (relations, notes) = withoutUnpopulated(covered, entry)
            findings += notes
            selected += relations.map { relation in
                let sequences = entry.options.includesSequences ? catalog.sequences(of: relation) : []
                return Selected(entry: entry, relation: relation, sequences: sequences)
            }.filter { entry.options.includesRows || !$0.sequences.isEmpty }
            if entry.options.includesRows { findings += excludedPartitions(of: relations, entry) }
            // Schemas are backed up beside tables only.
            let isDefined =
                definesRelations(entry)
                && (!selection.derived(name, excluding: []).isEmpty
                    || !needsRows && selection.coversSchema(name, excluding: entry.options.exclude))
            guard !match.isKnown, !isDefined else { continue }
            if entry.isFreeOfItsTable, entry.options.includesRows {
                selected.append(Selected(entry: entry, relation: nil))
            } else {
                let message = "\(entry.options.place): '\(name)' matches no table"
                findings.append(Finding(isStrict ? .problem : .warning, message))
            }
        }
        if selected.isEmpty, needsRows {
            throw findings.nothingMatches("there is nothing to back up", hint: "check the tables' names")
        }
        try findings.throwProblems(.nothingToDo)
        return (selected, findings + extensionTables(entries, selected))
    }

    private func definesRelations(_ entry: BackupEntry) -> Bool {
        includesDefinitions && entry.options.includesDefinition
    }

    /// A materialized view without data cannot be read, and has no rows to lose when its definition is backed up.
    private func withoutUnpopulated(_ relations: [Relation], _ entry: BackupEntry) -> ([Relation], [Finding]) {
        guard definesRelations(entry), !entry.hasExplicitQuery, entry.options.includesRows else {
            return (relations, [])
        }
        let unpopulated = relations.filter { !$0.isPopulated }
        return (
            relations.filter(\.isPopulated),
            unpopulated.map {
                Finding(
                    .note,
                    "it has not been populated, so only its definition is backed up",
                    table: $0.name.label
                )
            }
        )
    }

    /// Tables that a glob would find if they were not members of an extension.
    private func extensionTables(_ entries: [BackupEntry], _ selected: [Selected]) -> [Finding] {
        let selection = TableSelection(catalog: catalog)
        let named = Set(selected.compactMap(\.relation?.oid))
        var seen: Set<Relation.OID> = []
        let tables = entries.filter(\.options.includesRows).flatMap { entry in
            entry.options.name.map { selection.extensionTables($0, excluding: entry.options.exclude) } ?? []
        }.filter { !named.contains($0.oid) && seen.insert($0.oid).inserted }
        guard !tables.isEmpty else { return [] }
        let names = tables.map(\.name.label).joined(separator: ", ")
        return [
            .warning(
                tables.count == 1
                    ? "\(names) belongs to an extension, which creates it, so no glob finds it"
                    : "\(names) belong to extensions, which create them, so no glob finds them",
                hint: tables.count == 1
                    ? "name it to back up its rows, or exclude it" : "name them to back up their rows, or exclude them"
            )
        ]
    }

    /// Rows of an excluded partition are still exported with its root: say so rather than export them silently.
    private func excludedPartitions(of relations: [Relation], _ entry: BackupEntry) -> [Finding] {
        guard !entry.options.exclude.isEmpty else { return [] }
        let isExcluded = TableSelection.exclusion(entry.options.exclude)
        return relations.filter { $0.kind == .partitionedTable }.flatMap { root in
            catalog.descendants(of: root.oid).compactMap { catalog[$0] }
                .filter { isExcluded($0.name) }
                .map {
                    .warning(
                        "it is excluded, but its rows are exported with the partitioned table \(root.name)",
                        of: $0.name
                    )
                }
        }
    }

    /// Two entries may name a partition and its root on purpose, with different queries, but the user should know.
    private func doubleExports(_ selected: [Selected]) -> [Finding] {
        let exported = Set(selected.compactMap(\.relation?.oid))
        return selected.compactMap(\.relation).filter(\.isPartition).flatMap { partition in
            catalog.lineage(of: partition.oid).dropFirst().filter(exported.contains).compactMap { catalog[$0] }.map {
                .warning("it is exported on its own, and its rows again with its root \($0.name)", of: partition.name)
            }
        }
    }

    /// A job, or an error that names the entry whose location is not a path.
    private func locatedJob(number: Int, _ item: Selected, _ inheritance: InheritanceRule) throws -> BackupJob {
        do {
            return try job(number: number, item, inheritance)
        } catch let error as StorageError {
            throw DatabudgieError(
                .configuration,
                "\(item.entry.options.place): \(error.message)",
                hint: error.hint,
                underlying: error
            )
        }
    }

    private func job(number: Int, _ item: Selected, _ inheritance: InheritanceRule) throws -> BackupJob {
        let entry = item.entry
        let name = item.relation?.name.label ?? entry.options.name
        let component =
            item.relation.map { catalog.component(of: $0.name) } ?? entry.options.name.map { PathComponent(label: $0) }
        let layout = FileLayout(entry.options)
        let format = DataFileFormat(compression: entry.compression)
        let subject: JobID.Subject = !entry.options.includesRows ? .sequences : item.relation == nil ? .query : .rows
        let (query, problem) = query(item, inheritance)
        return BackupJob(
            id: JobID(
                subject,
                of: try name ?? layout.folder(of: nil, as: format, at: timestamp).description,
                number: number
            ),
            relation: item.relation,
            tableName: name,
            includesRows: entry.options.includesRows,
            query: query,
            problem: problem,
            path: try layout.path(.data(format), of: component, at: timestamp),
            sequences: item.sequences,
            sequencesPath: try layout.path(.sequences, of: component, at: timestamp),
            pattern: try layout.pattern(.anyData, of: component),
            format: format,
            skipsIfExists: entry.skipsIfExists,
            appliesRowSecurity: entry.appliesRowSecurity,
            isStrict: entry.options.isStrict,
            isUniquePath: entry.options.location.variables.union(entry.options.filename.variables)
                .contains(.timestamp),
            estimatedRows: entry.hasExplicitQuery || !entry.options.includesRows ? nil : item.relation?.estimatedRows,
            reason: reason(item)
        )
    }

    private func query(_ item: Selected, _ inheritance: InheritanceRule) -> (ExportQuery, problem: Finding?) {
        if let relation = item.relation, !item.entry.hasExplicitQuery {
            return (.table(relation.name, isOnly: inheritance.isOnly(relation)), nil)
        }
        let query = TableQuery(item.entry.query, table: item.relation?.name, at: timestamp)
        let problem = Finding.problem(
            "the query has {table} between quotes or in a comment, where the table's name would end them "
                + "(\(item.entry.options.place))",
            hint: "use {table} as a table only, or give the table a query of its own"
        )
        return (.custom(query.sql), query.isChangedByName ? problem : nil)
    }

    /// A query of the user's reads children as well, which the server does unless it says ONLY.
    private func childrenTwice(_ item: Selected, _ inheritance: InheritanceRule) -> [Finding] {
        guard let relation = item.relation, item.entry.hasExplicitQuery,
            TableQuery(item.entry.query, table: relation.name, at: timestamp).readsChildren
        else { return [] }
        return inheritance.childrenTwice(relation, item.entry.options.place)
    }

    private func reason(_ item: Selected) -> String {
        let place = item.entry.options.place
        if let referrer = item.referrer, let relation = item.relation {
            return "the \(relation.kind.noun) \(relation.name) is referred to by \(referrer) (\(place))"
        }
        guard let name = item.entry.options.name else { return "an unnamed query (\(place))" }
        guard let relation = item.relation else { return "the query of '\(name)', which is not a table (\(place))" }
        return "the \(relation.kind.noun) \(relation.name) is matched by '\(name)' (\(place))"
    }

    private static func notes(_ job: BackupJob) -> [Finding] {
        let reason = Finding.note(job.reason)
        guard !job.sequences.isEmpty else { return [reason] }
        let names = job.sequences.map(\.name.description).joined(separator: ", ")
        return [
            reason, .note("the values of its sequences (\(names)) are written to \(job.sequencesPath)", of: job.id),
        ]
    }

    /// Two entries for one table, with different compressions, have one file of sequences: the first entry writes it.
    private func skipRepeatedSequences(_ jobs: inout [BackupJob]) {
        var owners: [StoragePath: Relation.OID] = [:]
        for index in jobs.indices where !jobs[index].sequences.isEmpty {
            guard let oid = jobs[index].relation?.oid else { continue }
            let path = jobs[index].sequencesPath
            if owners[path] == oid { jobs[index].sequences = [] } else { owners[path] = oid }
        }
    }

    /// The same rows of a table would be in two files, and twice in the table when both are restored.
    private func equalExports(_ jobs: [BackupJob]) -> [Finding] {
        var first: [Relation.OID: [BackupJob]] = [:]
        return jobs.filter(\.includesRows).compactMap { job in
            guard let oid = job.relation?.oid else { return nil }
            guard let other = first[oid]?.first(where: { $0.query == job.query }) else {
                first[oid, default: []].append(job)
                return nil
            }
            return .problem(
                "its rows would be exported twice by the same query: \(other.reason), and \(job.reason)",
                of: job.id,
                hint: "remove one of them, or exclude the table from it; different queries can select different rows"
            )
        }
    }

    private func pathCollisions(_ jobs: [BackupJob]) -> [Finding] {
        var owners: [StoragePath: BackupJob] = [:]
        return jobs.flatMap { job in job.paths.map { (job, $0) } }.compactMap { job, path in
            owners.updateValue(job, forKey: path).map { other in
                .problem(
                    "two entries would write the same file \(path): \(other.reason), and \(job.reason)",
                    hint: Self.hint(other, job)
                )
            }
        }
    }

    /// Two tables have one path only where it does not name the table, as after `--location DIR` with a glob.
    private static func hint(_ first: BackupJob, _ second: BackupJob) -> String {
        guard let tables = first.relation.flatMap({ one in second.relation.map { (one.oid, $0.oid) } }),
            tables.0 != tables.1, let folder = first.path.parent
        else { return "give one of them another location or filename" }
        return "give each table a folder of its own: write the location as '\(folder.appending("{table}"))'"
    }
}

extension BackupEntry {
    /// Names no table: its query and location are both explicit and have no `{table}`.
    var isFreeOfItsTable: Bool {
        hasExplicitQuery && options.hasExplicitLocation && !query.variables.contains(.table)
            && !options.location.variables.contains(.table)
    }
}
