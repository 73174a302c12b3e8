import Postgres

/// Which entries of a restore the lists read so far have answered.
///
/// A backup of fewer tables (`-t`) must not hide what an older one has. A table that a glob of a newer backup would have found
/// is not such a table: it was dropped, or excluded.
struct ListSearch {
    /// The entries that ask for definitions, each with its name in full.
    private let entries: [(number: Int, pattern: String)]
    /// What newer lists have.
    private var known: Set<PathComponent> = []
    /// The names and globs of the backups that were looked at.
    private var selection: Set<ByteKey> = []
    /// Entries that nothing older is looked for.
    private var settled: Set<Int> = []

    /// - Parameters:
    ///   - entries: All entries of the restore.
    ///   - defaultSchema: The schema of names without a dot.
    init(_ entries: [RestoreEntry], defaultSchema: String) {
        let selection = TableSelection(catalog: DatabaseCatalog(listed: [], defaultSchema: defaultSchema))
        self.entries = entries.enumerated().compactMap { number, entry in
            guard entry.options.includesDefinition, let name = entry.options.name else { return nil }
            return (number, selection.pattern(for: name))
        }
    }

    /// Nothing can come from an older list.
    var isComplete: Bool { entries.allSatisfy { settled.contains($0.number) } }

    /// Whether a table of a list, found for an entry, is taken from it.
    func isWanted(_ unit: DefinitionScript.Unit, for entry: Int) -> Bool {
        guard !settled.contains(entry), !known.contains(unit.component) else { return false }
        guard entries.contains(where: { $0.number == entry && Glob($0.pattern).hasWildcards }) else { return true }
        let name = QualifiedName(schema: unit.schema, name: unit.table ?? "").description
        return !selection.contains { $0 == ByteKey(name) || Glob($0.string).matches(name) }
    }

    /// Takes note of a list.
    ///
    /// - Parameters:
    ///   - names: Its tables.
    ///   - found: The entries that matched some of them.
    ///   - scripts: The files that were read for these.
    ///   - isIncomplete: Others could not be read.
    mutating func add(
        _ names: [QualifiedName],
        found: Set<Int>,
        _ scripts: [DefinitionScript],
        isIncomplete: Bool = false
    ) {
        known.formUnion(names.map { PathComponent($0) })
        selection.formUnion(scripts.flatMap(\.selection).map { ByteKey($0) })
        // Files that do not say what their backup was asked for are taken for everything that a glob finds, and so are those
        // that cannot be read.
        let isUnmarked = (isIncomplete || !scripts.isEmpty) && scripts.allSatisfy(\.selection.isEmpty)
        for entry in entries {
            let isGlob = Glob(entry.pattern).hasWildcards
            let isAnswered =
                isGlob
                ? isCovered(entry.pattern) || isUnmarked && found.contains(entry.number) : found.contains(entry.number)
            if isAnswered { settled.insert(entry.number) }
        }
    }

    /// Whether the backups that were looked at were asked for all that a glob finds.
    private func isCovered(_ glob: String) -> Bool {
        selection.contains { other in
            // What a glob with nothing but stars says of the text of another one, it says of all that this one finds.
            let hasOnlyStars = !other.string.utf8.contains { [UInt8(ascii: "?"), UInt8(ascii: "[")].contains($0) }
            return other == ByteKey(glob) || hasOnlyStars && Glob(other.string).matches(glob)
        }
    }
}
