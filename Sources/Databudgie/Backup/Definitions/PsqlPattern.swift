import Postgres

/// Patterns of psql for tables that are named exactly.
enum PsqlPattern {
    /// Tables a pattern: each pattern is a query for pg_dump, and each name makes the query's expression longer.
    private static let namesPerPattern = 50

    /// Patterns that match these tables and no others (PostgreSQL documentation, psql, "Patterns").
    static func exact(_ names: [QualifiedName]) -> [String] {
        // By bytes, as the server compares names.
        let schemas = Dictionary(grouping: names) { Array($0.schema.utf8) }
        return schemas.sorted { $0.key.lexicographicallyPrecedes($1.key) }.flatMap { schema, names in
            names.batches(of: namesPerPattern).map { part in
                quotedIdentifier(String(decoding: schema, as: UTF8.self)) + ".("
                    + part.map { quotedIdentifier($0.name) }.joined(separator: "|")
                    + ")"
            }
        }
    }
}
