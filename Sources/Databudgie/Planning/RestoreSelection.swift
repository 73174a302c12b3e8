import Postgres

/// Finds the tables of the target that an entry of a restore stands for: it names them as the backup does.
struct RestoreSelection {
    let catalog: DatabaseCatalog

    /// The tables of one entry.
    struct Match {
        /// Each with its name in the backup, in order of schema and name in the target.
        var tables: [(relation: Relation, storedName: QualifiedName)]
        /// Something is there, though the exclusions may have left nothing of it.
        var isKnown: Bool
        /// The name is exactly that of a table: no wildcard was used.
        var isExact: Bool
    }

    /// Expands the name or glob of an entry, less its exclusions.
    ///
    /// - Returns: What was found, which may be nothing; nothing for an entry without a name.
    func match(_ entry: RestoreEntry) -> Match {
        guard let name = entry.options.name else { return Match(tables: [], isKnown: false, isExact: false) }
        guard !entry.renaming.isEmpty else {
            let match = TableSelection(catalog: catalog).match(name, excluding: entry.options.exclude)
            return Match(
                tables: match.relations.map { ($0, $0.name) },
                isKnown: match.isKnown,
                isExact: match.isExact
            )
        }
        return renamed(entry, TableSelection(catalog: catalog).pattern(for: name))
    }

    private func renamed(_ entry: RestoreEntry, _ pattern: String) -> Match {
        let renaming = TableRenaming(entry.renaming, defaultSchema: catalog.defaultSchema)
        let isExcluded = TableSelection.exclusion(entry.options.exclude)
        let exact = TableRenaming.names(pattern).flatMap { source in
            renaming.relations(of: source, in: catalog).map { (relation: $0, storedName: source) }
        }
        let glob = Glob(pattern)
        let isGlob = glob.wildcards > 0
        var found = exact
        if isGlob {
            let known = Set(exact.map(\.storedName))
            for relation in catalog.relations
            where relation.kind.isFoundByGlobs && !relation.isExtensionMember && relation.name != catalog.manifest {
                for source in renaming.sources(of: relation.name)
                where !known.contains(source) && glob.matches(source.description) {
                    found.append((relation, source))
                }
            }
        }
        return Match(
            tables: found.filter { !isExcluded($0.storedName) },
            isKnown: !found.isEmpty,
            isExact: !isGlob || !exact.isEmpty && found.count == exact.count
        )
    }
}

extension RestoreEntry {
    /// What a table of the backup is called in the target, if that is another name; for messages.
    ///
    /// - Parameters:
    ///   - name: The name of an entry, exact.
    ///   - defaultSchema: The schema of names without one.
    /// - Returns: Nil if it keeps its name.
    func newName(of name: String, in defaultSchema: String) -> String? {
        guard !renaming.isEmpty else { return nil }
        let pattern = TableSelection.pattern(for: name, in: defaultSchema)
        let renaming = TableRenaming(renaming, defaultSchema: defaultSchema)
        return TableRenaming.names(pattern).map { renaming.target(of: $0).text }.first { !$0.hasBytes(of: pattern) }
    }
}
