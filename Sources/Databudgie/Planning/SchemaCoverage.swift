import Postgres

/// What an entry's name stands for beside tables: the schemas that it covers whole, such as `public.*`.
struct SchemaCoverage: Sendable {
    private let glob: Glob
    private let exclusions: [String]

    /// - Parameters:
    ///   - name: A name or glob over `schema.table`; without a dot it is in the default schema.
    ///   - exclusions: The entry's exclusions; `app.*` excludes the schema.
    ///   - defaultSchema: The connection's default schema.
    init(_ name: String, excluding exclusions: [String], defaultSchema: String) {
        glob = Glob(name.utf8.contains(UInt8(ascii: ".")) ? name : "\(defaultSchema).\(name)")
        self.exclusions = exclusions
    }

    /// Whether every object of a schema is meant, whatever its name.
    func contains(_ schema: String) -> Bool {
        // A pattern that matches the empty name in it as well.
        let nameless = QualifiedName(schema: schema, name: "")
        return glob.hasWildcards && glob.matches(nameless.description)
            && !TableSelection.exclusion(exclusions)(nameless)
    }

    /// Whether every schema is meant, as in `*.*`, and with them what belongs to the database as a whole.
    var isWholeDatabase: Bool { glob.hasWildcards && glob.matches(".") }
}
