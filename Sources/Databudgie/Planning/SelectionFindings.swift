import Postgres

/// What the user should know about the tables that a backup exports.
struct SelectionFindings {
    let catalog: DatabaseCatalog

    /// Tables that a glob would find if they were not members of an extension.
    func extensionTables(_ entries: [BackupEntry], _ selected: [SelectedEntry]) -> [Finding] {
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
    func excludedPartitions(of relations: [Relation], _ entry: BackupEntry) -> [Finding] {
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
    func doubleExports(_ selected: [SelectedEntry]) -> [Finding] {
        let exported = Set(selected.compactMap(\.relation?.oid))
        return selected.compactMap(\.relation).filter(\.isPartition).flatMap { partition in
            catalog.lineage(of: partition.oid).dropFirst().filter(exported.contains).compactMap { catalog[$0] }.map {
                .warning("it is exported on its own, and its rows again with its root \($0.name)", of: partition.name)
            }
        }
    }
}
