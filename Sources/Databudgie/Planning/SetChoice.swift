import Postgres

/// Whether a set has everything that a restore asks for.
///
/// A backup of fewer tables (`-t`) must not hide what others have. A table that a backup would have exported, if it had
/// been there, is not missing: it did not exist then.
struct SetChoice: Sendable {
    /// A glob that tables are asked for by.
    private struct Request: Sendable {
        let glob: String
        let exclude: [String]
    }

    /// Names of which the set must have one: a table, or else its partitions.
    private let tables: [[QualifiedName]]
    private let globs: [Request]
    private let needsDefinitions: Bool
    private let defaultSchema: String

    /// - Parameters:
    ///   - entries: The restore's entries.
    ///   - catalog: The target's tables; nil when definitions create what is not there.
    ///   - defaultSchema: The schema of names without one.
    ///   - needsDefinitions: Definitions are restored from the set as well.
    init(
        _ entries: [RestoreEntry],
        catalog: DatabaseCatalog?,
        defaultSchema: String,
        needsDefinitions: Bool
    ) {
        self.defaultSchema = defaultSchema
        self.needsDefinitions = needsDefinitions
        var tables: [[QualifiedName]] = []
        var globs: [Request] = []
        for entry in entries where entry.takesSet && entry.options.includesRows {
            guard let name = entry.options.name else { continue }
            let pattern = TableSelection.pattern(for: name, in: defaultSchema)
            guard !Glob(pattern).hasWildcards || catalog?.named(pattern).isEmpty == false else {
                globs.append(Request(glob: pattern, exclude: entry.options.exclude))
                continue
            }
            guard let catalog else {
                let isExcluded = TableSelection.exclusion(entry.options.exclude)
                if let name = PathComponent.name(pattern), !isExcluded(name) { tables.append([name]) }
                continue
            }
            // Nothing can be loaded into a table that is not there, which is reported with the plan.
            let renaming = TableRenaming(entry.renaming, defaultSchema: defaultSchema)
            tables += RestoreSelection(catalog: catalog).match(entry).tables.map { relation, storedName in
                let partitions = catalog.descendants(of: relation.oid).compactMap { catalog[$0]?.name }
                return [storedName] + partitions.flatMap(renaming.sources)
            }
        }
        (self.tables, self.globs) = (tables, globs)
    }

    /// The tables and the like that a set has rows of.
    func names(in record: SetRecord) -> Set<QualifiedName> {
        Set(record.tables.filter { $0.file != nil }.compactMap { $0.tableName(defaultSchema: defaultSchema) })
    }

    /// What is asked for by name and missing in a set.
    ///
    /// With definitions a name that the backup was asked for is not missing: a materialized view without data has none.
    func missing(in record: SetRecord) -> [String] {
        let names = names(in: record)
        let asked = Set(needsDefinitions ? (record.entries ?? []).map { ByteKey(pattern($0.name)) } : [])
        let missing = tables.filter { names.isDisjoint(with: $0) }.compactMap(\.first)
            .filter { !asked.contains(ByteKey($0.description)) }.map(\.label)
        return needsDefinitions && record.definitions.isEmpty ? missing + ["definitions"] : missing
    }

    /// Why a set is not restored unless it is asked for; nil when it is whole.
    static func flaw(of record: SetRecord) -> String? {
        if let newer = record.supersededBy { return "has files that the set \(newer) has replaced" }
        guard record.status == .partial else { return nil }
        let failed = record.failures.map(\.table)
        return failed.isEmpty ? "is partial" : "is partial: \(failed.listed()) failed"
    }

    /// Whether the globs can only be compared with what other sets have.
    func needsOthers(for record: SetRecord) -> Bool {
        globs.contains { glob in !(record.entries ?? []).contains { covers($0, glob) } }
    }

    /// What globs ask for, and others have and a set does not.
    ///
    /// - Parameters:
    ///   - record: The set.
    ///   - others: What all complete sets of the catalog have.
    /// - Returns: The names of tables that existed when the set was made, as far as it is known.
    func missing(in record: SetRecord, of others: Set<QualifiedName>) -> [String] {
        let names = names(in: record)
        let entries = record.entries ?? []
        let open = globs.filter { glob in !entries.contains { covers($0, glob) } }
            .map { (glob: Glob($0.glob), isExcluded: TableSelection.exclusion($0.exclude)) }
        let asked = entries.map { entry in
            let pattern = pattern(entry.name)
            return (
                text: pattern, glob: Glob(pattern), isExcluded: TableSelection.exclusion(entry.exclude ?? [])
            )
        }
        return others.filter { name in
            let text = name.description
            return !names.contains(name)
                && open.contains { $0.glob.matches(text) && !$0.isExcluded(name) }
                && !asked.contains { ($0.text.hasBytes(of: text) || $0.glob.matches(text)) && !$0.isExcluded(name) }
        }.sorted().map(\.label)
    }

    /// Whether a backup that was asked for an entry was asked for all that a glob finds.
    private func covers(_ entry: SetRecord.Entry, _ request: Request) -> Bool {
        let pattern = pattern(entry.name)
        let excluded = Set(request.exclude.map { ByteKey($0) })
        guard (entry.exclude ?? []).allSatisfy({ excluded.contains(ByteKey($0)) }) else { return false }
        // What a glob with nothing but stars says of the text of another one, it says of all that this one finds.
        let hasOnlyStars = !pattern.utf8.contains { [UInt8(ascii: "?"), UInt8(ascii: "[")].contains($0) }
        return pattern.hasBytes(of: request.glob) || hasOnlyStars && Glob(pattern).matches(request.glob)
    }

    private func pattern(_ name: String) -> String {
        TableSelection.pattern(for: name, in: defaultSchema)
    }
}
