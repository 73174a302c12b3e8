import Postgres

/// Patterns of psql for tables that are named exactly.
enum PsqlPattern {
    /// Tables a pattern: each pattern is a query for pg_dump, and each name makes the query's expression longer.
    private static let namesPerPattern = 50

    /// Patterns that match these tables and no others (PostgreSQL documentation, psql, "Patterns").
    static func exact(_ names: [QualifiedName]) -> [String] {
        Dictionary(grouping: names, by: \.schema).sorted { $0.key < $1.key }.flatMap { schema, names in
            names.batches(of: namesPerPattern).map { part in
                quotedIdentifier(schema) + ".(" + part.map { quotedIdentifier($0.name) }.joined(separator: "|") + ")"
            }
        }
    }
}
