import Postgres
import Storage

/// Finds what the entries of a backup stand for.
struct BackupSelection {
    let catalog: DatabaseCatalog
    /// Warnings about names that match nothing are errors.
    let isStrict: Bool
    /// Definitions of tables are part of the backup (`ddl`).
    let includesDefinitions: Bool

    private var reports: SelectionFindings { SelectionFindings(catalog: catalog) }

    /// What the names of entries stand for, and queries without a table.
    ///
    /// - Parameters:
    ///   - entries: In order of appearance.
    ///   - needsRows: Without rows, or values of sequences, there is nothing to back up.
    /// - Returns: What was found, in the order of the entries, and what the user should know.
    /// - Throws: ``DatabudgieError`` when nothing at all matches, or in a strict run any name does not.
    func named(_ entries: [BackupEntry], needsRows: Bool) throws -> ([SelectedEntry], [Finding]) {
        let selection = TableSelection(catalog: catalog)
        var selected: [SelectedEntry] = []
        var findings: [Finding] = []
        for entry in entries
        where entry.options.includesRows || entry.options.includesSequences
            || includesDefinitions && entry.options.includesDefinition
        {
            guard let name = entry.options.name else {
                if entry.options.includesRows {
                    selected.append(SelectedEntry(entry: entry, relation: nil, selection: .query))
                }
                continue
            }
            let match = selection.match(name, excluding: entry.options.exclude)
            let covered = selection.withoutCoveredPartitions(match.relations)
            let (relations, notes) = withoutUnpopulated(covered, entry)
            findings += notes
            selected += relations.map { relation in
                let sequences = entry.options.includesSequences ? catalog.sequences(of: relation) : []
                return SelectedEntry(
                    entry: entry,
                    relation: relation,
                    selection: SelectionReason(name, for: relation.name, defaultSchema: catalog.defaultSchema),
                    sequences: sequences
                )
            }.filter { entry.options.includesRows || !$0.sequences.isEmpty }
            if entry.options.includesRows { findings += reports.excludedPartitions(of: relations, entry) }
            // Schemas are backed up beside tables only.
            let isDefined =
                definesRelations(entry)
                && (!selection.derived(name, excluding: []).isEmpty
                    || !needsRows && selection.coversSchema(name, excluding: entry.options.exclude))
            guard !match.isKnown, !isDefined else { continue }
            if entry.isFreeOfItsTable, entry.options.includesRows {
                selected.append(SelectedEntry(entry: entry, relation: nil, selection: .namedQuery(name)))
            } else {
                let message = "\(entry.options.place): '\(name)' matches no table"
                findings.append(Finding(isStrict ? .problem : .warning, message))
            }
        }
        if selected.isEmpty, needsRows {
            throw findings.nothingMatches("there is nothing to back up", hint: "check the tables' names")
        }
        try findings.throwProblems(.nothingToDo)
        return (selected, findings + reports.extensionTables(entries, selected))
    }

    /// The tables that are included by foreign keys, with entries as if they had been named.
    /// - Throws: `StorageError` for a location that is not a path.
    func included(_ entries: [BackupEntry]) throws -> [SelectedEntry] {
        let selection = TableSelection(catalog: catalog)
        let owners = entries.flatMap { entry -> [(entry: BackupEntry, relation: Relation)] in
            guard let name = entry.options.name else { return [] }
            return selection.match(name, excluding: entry.options.exclude).relations.map { (entry, $0) }
        }
        let tables = owners.map { DependencyTables.Owner(options: $0.entry.options, relation: $0.relation) }
        return try DependencyTables(catalog: catalog).included(by: tables).map { table in
            var entry = owners[table.owner].entry
            entry.options = table.options
            // A query that names its table itself is for that one alone; the others are exported whole.
            if entry.hasExplicitQuery, !entry.query.variables.contains(.table) {
                entry.query = Defaults.query
                entry.hasExplicitQuery = false
            }
            return SelectedEntry(
                entry: entry,
                relation: table.relation,
                selection: KeyReference(table.key, in: catalog).map { .reference($0) } ?? .query,
                sequences: entry.options.includesSequences ? catalog.sequences(of: table.relation) : [],
                referrer: owners[table.owner].relation.name
            )
        }
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
}
