import Postgres

/// What the target already has of the tables and views that a restore is going to create.
struct ExistingTables {
    /// Listed tables and views that the target has: they are dropped and re-created.
    let replaced: [Relation]
    /// What the target has and the restore does not replace: it stays as it is.
    let kept: Set<QualifiedName>
    /// What an earlier run under the same id has loaded, and its partitions: only what comes after the rows may be missing.
    let done: Set<QualifiedName>

    /// Compares the listed tables with those of the target, and changes nothing.
    ///
    /// - Parameters:
    ///   - listed: The tables and views that the restore creates.
    ///   - connection: The target, in a transaction for its catalogs.
    ///   - isDone: Whether an earlier run has loaded a table.
    /// - Returns: What the target has, with problems and warnings about what would be dropped.
    /// - Throws: `PostgresError`.
    static func find(
        _ listed: [QualifiedName],
        over connection: Connection,
        isDone: (QualifiedName) -> Bool
    ) async throws -> (ExistingTables, [Finding]) {
        let catalog = try await DatabaseCatalogReader(connection: connection).read()
        // The rows of a partition are restored with its root.
        let finished = catalog.relations.filter { isDone($0.name) }.flatMap { catalog.family(of: $0.oid) }
        let created = Set(listed).subtracting(finished.compactMap { catalog[$0]?.name })
        let replaced = catalog.relations.filter { created.contains($0.name) }
        let names = Set(catalog.relations.map(\.name))
        let kept = names.subtracting(created)
        let replacement = TableReplacement(connection: connection)
        let problems = try await connection.withEmptySearchPath { try await replacement.problems(replaced) }
        let lost = listed.filter { isDone($0) && !names.contains($0) }.map {
            Finding.problem(
                "it is recorded as restored under this id, but no longer exists",
                of: $0.label,
                hint: "begin a new restore, without --restore-id"
            )
        }
        return (
            ExistingTables(replaced: replaced, kept: kept, done: Set(listed).intersection(kept)),
            problems + lost + (try await replacement.publications(replaced))
        )
    }
}
