import Postgres
import Storage

/// The definitions that a restore runs, as they were found in files.
struct StoredDefinitions: Sendable {
    /// The tables and views that are created, in the order of the backup's list.
    var listed: [QualifiedName]
    /// All definitions, each once, in the order in which they are run.
    var definitions: [StoredDefinition]
    /// Tables that are included by foreign keys, each with an entry of its own.
    var included: [(name: QualifiedName, entry: RestoreEntry)] = []
    /// Listed tables whose rows no entry wants (`data: false`).
    var rowless: Set<QualifiedName> = []
    /// What the user should know about the files.
    var findings: [Finding] = []
    /// Tables that are not restored, because a definition is missing or damaged.
    var failures: [DefinitionFailure] = []

    /// The findings, of which none is accepted in a strict run.
    func findings(isStrict: Bool) -> [Finding] {
        isStrict ? findings.map(\.asProblem) : findings
    }

    /// The partitions among them, whose rows are restored with their root.
    var partitions: Set<QualifiedName> {
        Set(definitions.filter { $0.definition.type == "TABLE ATTACH" }.compactMap(\.definition.relation))
    }

    /// The partitions of each partitioned table among them.
    var families: [QualifiedName: [QualifiedName]] {
        let roots = definitions.map(\.definition).filter { !$0.partitions.isEmpty }
        return Dictionary(
            roots.compactMap { root in
                root.relation.map { name in
                    (name, root.partitions.map { QualifiedName(schema: $0.schema, name: $0.table ?? "") })
                }
            },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The views and foreign tables among them, which have no rows of their own.
    var derived: Set<QualifiedName> { Set(kinds.keys) }

    /// What they are.
    var kinds: [QualifiedName: Relation.Kind] {
        let kinds = definitions.compactMap { item in
            Self.kinds[item.definition.type].flatMap { kind in item.definition.relation.map { ($0, kind) } }
        }
        return Dictionary(kinds, uniquingKeysWith: { first, _ in first })
    }

    /// By the names of pg_dump, and by the words of files without marks.
    private static let kinds: [String: Relation.Kind] = [
        "VIEW": .view, "MATERIALIZED VIEW": .materializedView, "MATERIALIZED": .materializedView,
        "FOREIGN TABLE": .foreignTable, "FOREIGN": .foreignTable,
    ]
}

extension StoredDefinitions {
    /// Where the definitions come from, for the user who should trust these places.
    func source(of role: DefinitionRole) -> DefinitionSource {
        let paths = Set(definitions.map(\.path))
        var folders: [StoragePath] = []
        for folder in Set(paths.compactMap(\.parent)) {
            let common = folders.indices.lazy.compactMap { index in
                Self.commonFolder(folders[index], folder).map { (index, $0) }
            }.first
            if let (index, shared) = common { folders[index] = shared } else { folders.append(folder) }
        }
        return DefinitionSource(
            locations: folders.sorted().map(\.description),
            fileCount: paths.count,
            role: role.name,
            isSuperuser: role.isSuperuser
        )
    }

    /// The deepest folder that has both, if any has.
    private static func commonFolder(_ first: StoragePath, _ second: StoragePath) -> StoragePath? {
        let others = Set(sequence(first: second, next: \.parent))
        return sequence(first: first, next: \.parent).first(where: others.contains)
    }
}

/// A definition and the file that it is in.
struct StoredDefinition: Sendable {
    var definition: Definition
    let path: StoragePath
}
