import Postgres

/// Finds the relations that an entry's name stands for.
struct TableSelection {
    let catalog: DatabaseCatalog

    /// The relations of one entry.
    struct Match {
        /// In order of schema and name.
        var relations: [Relation]
        /// Something is there, though the exclusions may have left nothing of it.
        var isKnown: Bool
        /// The name is exactly the relation's own: no wildcard was used.
        var isExact: Bool
    }

    /// Expands a name or glob, less the entry's exclusions.
    ///
    /// Globs find tables and partitioned tables only, and neither the manifest nor members of extensions. A name that is exactly a
    /// relation's own finds it whatever its kind, even when the name looks like a glob.
    /// - Parameters:
    ///   - name: A name or glob over `schema.table`; without a dot it is in the default schema.
    ///   - exclusions: Names or globs; without a dot they match the bare table name in any schema.
    /// - Returns: What was found, which may be nothing.
    func match(_ name: String, excluding exclusions: [String]) -> Match {
        let pattern = pattern(for: name)
        let isExcluded = Self.exclusion(exclusions)
        let exact = Set(catalog.named(pattern).map(\.oid))
        let glob = Glob(pattern)
        guard glob.hasWildcards else {
            return Match(
                relations: catalog.named(pattern).filter { !isExcluded($0.name) },
                isKnown: !exact.isEmpty,
                isExact: true
            )
        }
        let found = catalog.relations.filter { relation in
            exact.contains(relation.oid)
                || relation.kind.isFoundByGlobs && !relation.isExtensionMember && relation.name != catalog.manifest
                    && glob.matches(relation.name.description)
        }
        return Match(
            relations: found.filter { !isExcluded($0.name) },
            isKnown: !found.isEmpty,
            isExact: !exact.isEmpty && found.allSatisfy { exact.contains($0.oid) }
        )
    }

    /// A name or glob in full.
    func pattern(for name: String) -> String {
        Self.pattern(for: name, in: catalog.defaultSchema)
    }

    /// A name or glob in full.
    ///
    /// - Parameters:
    ///   - name: A name or glob over `schema.table`.
    ///   - schema: The schema of names without a dot.
    /// - Returns: The name with a schema.
    static func pattern(for name: String, in schema: String) -> String {
        name.utf8.contains(UInt8(ascii: ".")) ? name : "\(schema).\(name)"
    }

    /// What a glob finds beside tables: views, materialized views and foreign tables, of which only definitions are moved.
    ///
    /// - Parameters:
    ///   - name: A name or glob over `schema.table`.
    ///   - exclusions: As for ``match(_:excluding:)``.
    /// - Returns: In order of schema and name; nothing for a name without wildcards.
    func derived(_ name: String, excluding exclusions: [String]) -> [Relation] {
        found(name, excluding: exclusions) { !$0.kind.isFoundByGlobs && !$0.isExtensionMember }
    }

    /// Tables that a glob would find if they were not members of an extension.
    ///
    /// - Parameters:
    ///   - name: A name or glob over `schema.table`.
    ///   - exclusions: As for ``match(_:excluding:)``.
    /// - Returns: In order of schema and name; nothing for a name without wildcards.
    func extensionTables(_ name: String, excluding exclusions: [String]) -> [Relation] {
        found(name, excluding: exclusions) { $0.kind.isFoundByGlobs && $0.isExtensionMember }
    }

    /// Whether a glob names a schema as a whole that has something in it, if only functions or types.
    ///
    /// - Parameters:
    ///   - name: A name or glob over `schema.table`.
    ///   - exclusions: As for ``match(_:excluding:)``.
    /// - Returns: False for a name without wildcards too.
    func coversSchema(_ name: String, excluding exclusions: [String]) -> Bool {
        let coverage = SchemaCoverage(name, excluding: exclusions, defaultSchema: catalog.defaultSchema)
        return catalog.schemas.contains(where: coverage.contains)
    }

    private func found(
        _ name: String,
        excluding exclusions: [String],
        where isWanted: (Relation) -> Bool
    ) -> [Relation] {
        let glob = Glob(pattern(for: name))
        guard glob.hasWildcards else { return [] }
        let isExcluded = Self.exclusion(exclusions)
        return catalog.relations.filter { relation in
            isWanted(relation) && relation.name != catalog.manifest && glob.matches(relation.name.description)
                && !isExcluded(relation.name)
        }
    }

    /// Removes the partitions whose rows are moved with a partitioned parent that is in the list too.
    func withoutCoveredPartitions(_ relations: [Relation]) -> [Relation] {
        let listed = Set(relations.map(\.oid))
        return relations.filter { relation in
            !relation.isPartition || listed.isDisjoint(with: catalog.lineage(of: relation.oid).dropFirst())
        }
    }

    /// A test for names that one of the patterns excludes; one without a dot matches the bare name in any schema.
    static func exclusion(_ patterns: [String]) -> (QualifiedName) -> Bool {
        let globs = patterns.map { (glob: Glob($0), isBare: !$0.utf8.contains(UInt8(ascii: ".")), text: $0) }
        return { name in
            globs.contains { pattern in
                let text = pattern.isBare ? name.name : name.description
                return pattern.text.hasBytes(of: text) || pattern.glob.matches(text)
            }
        }
    }
}

extension Sequence<Finding> {
    /// The error of a run without anything to do, with what was found before it as problems.
    ///
    /// - Parameters:
    ///   - consequence: What the run cannot do.
    ///   - hint: What the user can check.
    /// - Returns: The error, with the code `nothingToDo`.
    func nothingMatches(_ consequence: String, hint: String) -> DatabudgieError {
        let nothing = Finding.problem("nothing matches the configuration: \(consequence)", hint: hint)
        return DatabudgieError(.nothingToDo, map(\.asProblem) + [nothing])
    }
}
