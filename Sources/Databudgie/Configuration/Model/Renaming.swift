/// Under which other names tables are restored (`rename`).
public struct Renaming: Sendable, Equatable {
    /// A name, or a glob over names, and what takes its place.
    public struct Rule: Sendable, Equatable {
        /// The name in the backup, or a glob.
        public var pattern: String
        /// The name in the target; each `*` stands for what a wildcard of the pattern has matched, in their order.
        public var replacement: String

        /// Describes a rule.
        ///
        /// - Parameters:
        ///   - pattern: The name in the backup, or a glob.
        ///   - replacement: The name in the target, with as many `*` as the pattern has wildcards.
        public init(_ pattern: String, _ replacement: String) {
            (self.pattern, self.replacement) = (pattern, replacement)
        }
    }

    /// Rules for the names of schemas.
    public var schemas: [Rule]
    /// Rules for `schema.table`, which come before those for schemas.
    public var tables: [Rule]

    /// Gathers rules; of several that fit, an exact name comes before globs, and the first glob before the others.
    ///
    /// - Parameters:
    ///   - schemas: Rules for the names of schemas.
    ///   - tables: Rules for `schema.table`.
    public init(schemas: [Rule] = [], tables: [Rule] = []) {
        (self.schemas, self.tables) = (schemas, tables)
    }

    /// Tables keep their names.
    public var isEmpty: Bool { schemas.isEmpty && tables.isEmpty }
}

extension Renaming.Rule {
    static let star = UInt8(ascii: "*")

    /// What is wrong with the rule, and what to do about it; nil for one that can be used.
    ///
    /// With one `*` for each wildcard it gives no two tables the same name, and the name in the backup follows from the new
    /// one.
    var problem: (message: String, hint: String)? {
        let (wildcards, stars) = (Glob(pattern).wildcards, replacement.utf8.count { $0 == Self.star })
        if pattern.utf8.isEmpty || replacement.utf8.isEmpty { return ("'rename' has an empty name", "remove it") }
        if stars == wildcards { return nil }
        let hint = "write one '*' for each wildcard of the name"
        return stars > wildcards
            ? ("'rename': '\(replacement)' has a '*' for which '\(pattern)' has no wildcard", hint)
            : ("'rename': several names that '\(pattern)' matches would become '\(replacement)'", hint)
    }
}
