import Compression
import Postgres
import Storage

/// Makes a ``BackupPlan`` from the entries of a configuration.
struct BackupPlanner {
    let catalog: DatabaseCatalog
    let moment: RunTimestamp
    /// Warnings about names that match nothing are errors.
    let isStrict: Bool
    /// Definitions of tables are a part of the backup (`ddl`).
    var hasDefinitions = false

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
        var warnings: [String] = []
        let followed = followed(entries)
        let definitions =
            hasDefinitions
            ? DefinitionPlanner(catalog: catalog).groups((entries + followed.map(\.entry)).map(\.options)) : []
        let selected =
            try select(entries, needsRows: definitions.isEmpty, warnings: &warnings)
            + followed.filter { $0.entry.options.data || !$0.sequences.isEmpty }
        let ordered = JobOrder(catalog: catalog).components(of: selected.map(\.relation?.oid)).flatMap { $0 }
            .map { selected[$0] }
        let exported = ordered.filter(\.entry.options.data)
        let inheritance = InheritanceRule(catalog: catalog, jobs: Set(exported.compactMap(\.relation?.oid)))
        var jobs = try ordered.enumerated().map { number, item in
            try job(number: number, item, inheritance: inheritance, warnings: &warnings)
        }
        leaveOutRepeatedSequences(&jobs)
        try refuseEqualPaths(jobs)
        warnings += doubleExports(exported)
        return BackupPlan(jobs: jobs, definitions: definitions, warnings: warnings)
    }

    /// The tables that come along, with entries as if they had been named.
    private func followed(_ entries: [BackupEntry]) -> [Selected] {
        let selection = TableSelection(catalog: catalog)
        let owners = entries.flatMap { entry -> [Selected] in
            guard let name = entry.options.name else { return [] }
            return selection.match(name, excluding: entry.options.exclude).relations
                .map { Selected(entry: entry, relation: $0) }
        }
        let tables = owners.compactMap { owner in
            owner.relation.map { DependencyTables.Owner(options: owner.entry.options, relation: $0) }
        }
        return DependencyTables(catalog: catalog).followed(by: tables).map { table in
            var entry = owners[table.owner].entry
            entry.options = table.options
            // A query that names its table is about that one alone; the others are exported whole.
            if entry.hasExplicitQuery, !entry.query.variables.contains(.table) {
                entry.query = Defaults.query
                entry.hasExplicitQuery = false
            }
            return Selected(
                entry: entry,
                relation: table.relation,
                sequences: entry.options.sequences ? catalog.sequences(of: table.relation) : [],
                referrer: owners[table.owner].relation?.name
            )
        }
    }

    private func select(
        _ entries: [BackupEntry],
        needsRows: Bool,
        warnings: inout [String]
    ) throws -> [Selected] {
        let selection = TableSelection(catalog: catalog)
        var selected: [Selected] = []
        var unmatched: [String] = []
        for entry in entries
        where entry.options.data || entry.options.sequences || hasDefinitions && entry.options.ddl {
            guard let name = entry.options.name else {
                if entry.options.data { selected.append(Selected(entry: entry, relation: nil)) }
                continue
            }
            let match = selection.match(name, excluding: entry.options.exclude)
            let relations = selection.withoutCoveredPartitions(match.relations)
            selected += relations.map { relation in
                let sequences = entry.options.sequences ? catalog.sequences(of: relation) : []
                return Selected(entry: entry, relation: relation, sequences: sequences)
            }.filter { entry.options.data || !$0.sequences.isEmpty }
            if entry.options.data { warnings += excludedPartitions(of: relations, entry) }
            if !match.isKnown {
                if entry.isFreeOfItsTable, entry.options.data {
                    selected.append(Selected(entry: entry, relation: nil))
                } else {
                    unmatched.append("\(entry.options.place): '\(name)' matches no table.")
                }
            }
        }
        if selected.isEmpty, needsRows {
            throw DatabudgieError(
                .nothingToDo,
                unmatched + [
                    "Nothing matches the configuration, so there is nothing to back up; check the tables' names."
                ]
            )
        }
        if isStrict, !unmatched.isEmpty { throw DatabudgieError(.nothingToDo, unmatched) }
        warnings += unmatched
        return selected
    }

    /// Rows of an excluded partition still come with its root: say so rather than export them silently.
    private func excludedPartitions(of relations: [Relation], _ entry: BackupEntry) -> [String] {
        guard !entry.options.exclude.isEmpty else { return [] }
        let isExcluded = TableSelection.exclusion(entry.options.exclude)
        return relations.filter { $0.kind == .partitionedTable }.flatMap { root in
            catalog.descendants(of: root.oid).compactMap { catalog[$0] }
                .filter { isExcluded($0.name) }
                .map { "\($0.name) is excluded, but its rows are exported with the partitioned table \(root.name)." }
        }
    }

    /// Two entries may ask for a partition and for its root on purpose, with different queries, but it has to be said.
    private func doubleExports(_ selected: [Selected]) -> [String] {
        let exported = Set(selected.compactMap(\.relation?.oid))
        return selected.compactMap(\.relation).filter(\.isPartition).flatMap { partition in
            catalog.lineage(of: partition.oid).dropFirst().filter(exported.contains).compactMap { catalog[$0] }.map {
                "\(partition.name) is exported on its own, and its rows again with its root \($0.name)."
            }
        }
    }

    private func job(
        number: Int,
        _ item: Selected,
        inheritance: InheritanceRule,
        warnings: inout [String]
    ) throws -> BackupJob {
        let entry = item.entry
        let name = item.relation?.name.description ?? entry.options.name
        let values = moment.pathValues(table: name, ext: "csv" + (entry.compression?.fileSuffix ?? ""))
        let folder = try path(entry.options.location.render(values), entry)
        var from = item.relation?.name.quoted
        if let relation = item.relation, !entry.hasExplicitQuery {
            from = inheritance.source(of: relation, warnings: &warnings)
        }
        let query = entry.query.render([.table: from ?? "", .timestamp: moment.timestamp, .date: moment.date])
        return BackupJob(
            label: TableLabel(number: number, description: name ?? folder.description),
            relation: item.relation,
            tableName: name,
            includesData: entry.options.data,
            query: QueryText.withoutTrailingSemicolon(query),
            path: folder.appending(entry.options.filename.render(values)),
            sequences: item.sequences,
            sequencesPath: folder.appending("sequences").appending(
                entry.options.filename.render(values.merging([.ext: "json"]) { _, json in json })
            ),
            pattern: try FilePattern(
                location: entry.options.location,
                filename: entry.options.filename,
                table: values[.table]
            ),
            compression: entry.compression,
            skipIfExists: entry.skipIfExists,
            isStrict: entry.options.strict,
            isUniquePath: entry.options.location.variables.union(entry.options.filename.variables)
                .contains(.timestamp),
            estimatedRows: entry.hasExplicitQuery ? nil : item.relation?.estimatedRows,
            reason: reason(item)
        )
    }

    private func reason(_ item: Selected) -> String {
        let place = item.entry.options.place
        if let referrer = item.referrer, let relation = item.relation {
            return "the \(relation.kind.noun) \(relation.name) is referred to by \(referrer) (\(place))"
        }
        guard let name = item.entry.options.name else { return "an unnamed query (\(place))" }
        guard let relation = item.relation else { return "the query of '\(name)', which is no table (\(place))" }
        return "the \(relation.kind.noun) \(relation.name) is matched by '\(name)' (\(place))"
    }

    private func path(_ text: String, _ entry: BackupEntry) throws -> StoragePath {
        do {
            return try StoragePath(text)
        } catch {
            throw DatabudgieError(.configuration, "\(entry.options.place): \(error)", underlying: error)
        }
    }

    /// Two entries for one table, with different compressions, have one file of sequences: the first entry writes it.
    private func leaveOutRepeatedSequences(_ jobs: inout [BackupJob]) {
        var owners: [StoragePath: Relation.OID] = [:]
        for index in jobs.indices where !jobs[index].sequences.isEmpty {
            guard let oid = jobs[index].relation?.oid else { continue }
            let path = jobs[index].sequencesPath
            if owners[path] == oid { jobs[index].sequences = [] } else { owners[path] = oid }
        }
    }

    private func refuseEqualPaths(_ jobs: [BackupJob]) throws {
        var owners: [StoragePath: BackupJob] = [:]
        var problems: [String] = []
        for (job, path) in jobs.flatMap({ job in job.paths.map { (job, $0) } }) {
            if let other = owners.updateValue(job, forKey: path) {
                problems.append(
                    "Two entries would write the same file \(path): \(other.reason), and \(job.reason); "
                        + "give one of them another location or filename."
                )
            }
        }
        if !problems.isEmpty { throw DatabudgieError(.configuration, problems) }
    }
}

extension BackupEntry {
    /// Names no table: its query and location are both explicit and do without `{table}`.
    var isFreeOfItsTable: Bool {
        hasExplicitQuery && options.hasExplicitLocation && !query.variables.contains(.table)
            && !options.location.variables.contains(.table)
    }
}
