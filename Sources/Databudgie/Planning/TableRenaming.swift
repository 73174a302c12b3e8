import Postgres

/// Which table of the target a table of the backup is restored into, and the other way around.
struct TableRenaming: Sendable {
    private struct Rule {
        let glob: Glob
        /// Matches what the rule makes of names.
        let inverse: Glob
        let pieces: [String]

        /// - Parameters:
        ///   - rule: As configured.
        ///   - complete: Completes a name.
        init(_ rule: Renaming.Rule, _ complete: (String) -> String = { $0 }) {
            glob = Glob(complete(rule.pattern))
            pieces = complete(rule.replacement).split(atByte: "*")
            inverse = Glob(literals: pieces)
        }

        func isExact(_ name: String) -> Bool { glob.description.hasBytes(of: name) }

        func replacement(for name: String) -> String? {
            guard let captures = glob.captures(in: name) else { return nil }
            return zip(pieces, captures + [""]).map { $0 + $1 }.joined()
        }

        func original(of name: String) -> String? {
            inverse.captures(in: name).flatMap { glob.filled(with: $0) }
        }
    }

    private let tables: [Rule]
    private let schemas: [Rule]

    /// - Parameters:
    ///   - renaming: As configured; each of its rules can be used.
    ///   - defaultSchema: The schema of names without one.
    init(_ renaming: Renaming, defaultSchema: String) {
        tables = renaming.tables.map { Rule($0) { TableSelection.pattern(for: $0, in: defaultSchema) } }
        schemas = renaming.schemas.map { Rule($0) }
    }

    /// The full name, `schema.table`, that a table of the backup has in the target.
    ///
    /// - Returns: The name as text, and its parts if it has not been replaced as a whole.
    func target(of source: QualifiedName) -> (text: String, name: QualifiedName?) {
        if let text = Self.replacement(for: source.description, tables) { return (text, nil) }
        let schema = Self.replacement(for: source.schema, schemas) ?? source.schema
        let name = QualifiedName(schema: schema, name: source.name)
        return (name.description, name)
    }

    /// The relations of the target that a table of the backup is restored into: several only if dots in names make them
    /// look the same.
    func relations(of source: QualifiedName, in catalog: DatabaseCatalog) -> [Relation] {
        let (text, name) = target(of: source)
        return catalog.named(text).filter { name == nil || $0.name == name }
    }

    /// The names that a table of the target can have in the backup.
    func sources(of target: QualifiedName) -> [QualifiedName] {
        var found = tables.compactMap { $0.original(of: target.description) }.flatMap(Self.names)
        found += schemas.compactMap { $0.original(of: target.schema) }.map {
            QualifiedName(schema: $0, name: target.name)
        }
        found.append(target)
        var seen: Set<QualifiedName> = []
        return found.filter { source in
            let (text, name) = self.target(of: source)
            return (name.map { $0 == target } ?? text.hasBytes(of: target.description)) && seen.insert(source).inserted
        }
    }

    /// What a text `schema.table` can be the name of: more than one if a part has a dot.
    static func names(_ text: String) -> [QualifiedName] {
        let bytes = Array(text.utf8)
        return bytes.indices.filter { bytes[$0] == UInt8(ascii: ".") }.map { dot in
            QualifiedName(
                schema: String(decoding: bytes[..<dot], as: UTF8.self),
                name: String(decoding: bytes[(dot + 1)...], as: UTF8.self)
            )
        }
    }

    private static func replacement(for name: String, _ rules: [Rule]) -> String? {
        let rule = rules.first { $0.isExact(name) }
        return rule?.replacement(for: name) ?? rules.lazy.compactMap { $0.replacement(for: name) }.first
    }
}
