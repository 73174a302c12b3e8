import Postgres

/// What the target already has of the tables and views that a restore is going to create.
struct ExistingTables {
    let catalog: DatabaseCatalog
    /// Listed tables and views that the target has: they are dropped and re-created.
    let replaced: [Relation]
    /// Functions on the rows of these, which are re-created with them.
    let functions: [DependentFunction]
    /// What the target has and the restore does not replace: it stays as it is.
    let kept: Set<QualifiedName>
    /// Listed tables of which only the definition is asked for, and that have rows: nothing is done to them.
    let preserved: Set<QualifiedName>
    /// What an earlier run under the same id has loaded, and its partitions: only what comes after the rows may be missing.
    let done: Set<QualifiedName>

    /// Compares the listed tables with those of the target, and changes nothing.
    ///
    /// - Parameters:
    ///   - stored: What the restore creates.
    ///   - connection: The target, in a transaction for its catalogs.
    ///   - isDone: Whether an earlier run has loaded a table.
    /// - Returns: What the target has, with problems and warnings about what would be dropped.
    /// - Throws: `PostgresError`.
    static func find(
        _ stored: StoredDefinitions,
        over connection: Connection,
        isDone: (QualifiedName) -> Bool
    ) async throws -> (ExistingTables, [Finding]) {
        let (listed, rowless) = (stored.listed, stored.rowless)
        let catalog = try await DatabaseCatalogReader(connection: connection).read()
        // The rows of a partition are restored with its root.
        let finished = catalog.relations.filter { isDone($0.name) }.flatMap { catalog.family(of: $0.oid) }
        let full = try await withRows(catalog.relations.filter { rowless.contains($0.name) }, over: connection)
        let preserved = Set(full.flatMap { catalog.family(of: $0.oid) }.compactMap { catalog[$0]?.name }).intersection(
            listed
        )
        let created = Set(listed).subtracting(finished.compactMap { catalog[$0]?.name }).subtracting(preserved)
        let replaced = catalog.relations.filter { created.contains($0.name) }
        let names = Set(catalog.relations.map(\.name))
        let kept = names.subtracting(created)
        let replacement = TableReplacement(connection: connection)
        let (functions, problems) = try await connection.withEmptySearchPath {
            try await replacement.dependents(of: replaced, recreating: stored.definitions)
        }
        let lost = listed.filter { isDone($0) && !names.contains($0) }.map {
            Finding.problem(
                "it is recorded as restored under this id, but no longer exists",
                of: $0.label,
                hint: "begin a new restore, without --restore-id"
            )
        }
        return (
            ExistingTables(
                catalog: catalog,
                replaced: replaced,
                functions: functions,
                kept: kept,
                preserved: preserved,
                done: Set(listed).intersection(kept).subtracting(preserved)
            ),
            problems + lost + full.map { preservation($0) } + (try await replacement.publications(replaced))
        )
    }

    private static func preservation(_ relation: Relation) -> Finding {
        .warning(
            "it has rows, which would be lost because they are not part of this restore ('data: false'): it stays as it is, "
                + "with the definition that it has",
            of: relation.name.label,
            hint: "empty it to have it re-created"
        )
    }

    /// Those of some tables that have rows, or whose rows nobody can rule out.
    ///
    /// - Throws: `PostgresError`.
    static func withRows(_ relations: [Relation], over connection: Connection) async throws -> [Relation] {
        var full: [Relation] = []
        for relation in relations where relation.kind == .table || relation.kind == .partitionedTable {
            let only = relation.kind == .table ? "only " : ""
            do {
                let query = "select exists (select from \(only)\(relation.name.quoted)) as has_rows"
                let rows = try await connection.withSavepoint("rows") { try await connection.query(query).rows }
                if rows.first?["has_rows"] == "t" { full.append(relation) }
            } catch let error as PostgresError where error.sqlState == "42501" {
                full.append(relation)
            }
        }
        return full
    }

    /// Whether definitions that cannot be used stop the whole restore, instead of failing their tables.
    ///
    /// So it is when tables are replaced, all of them or none, when a table is strict, and when nothing would be left.
    /// - Parameters:
    ///   - stored: What the restore creates, and what it cannot create.
    ///   - isDone: Whether an earlier run has loaded a table.
    /// - Returns: True when nothing is to be touched.
    func isStopped(by stored: StoredDefinitions, isDone: (QualifiedName) -> Bool) -> Bool {
        let failed = Set(stored.failures.map(\.unit.tableName))
        let wouldReplace = catalog.relations.contains { failed.contains($0.name) && !isDone($0.name) }
        return !replaced.isEmpty || wouldReplace || stored.listed.isEmpty || stored.failures.contains(where: \.isStrict)
    }

    /// Tables whose rows would be lost, because the backup has a view of the same name.
    ///
    /// - Parameter derived: The views of the backup.
    /// - Returns: A problem for each.
    func clashes(with derived: Set<QualifiedName>) -> [Finding] {
        replaced.filter { $0.kind.isFoundByGlobs && derived.contains($0.name) }.map { table in
            .problem(
                "it is a \(table.kind.noun) here, which a view of the backup would replace with all its rows",
                of: table.name.label,
                hint: "drop or rename it first, or exclude it"
            )
        }
    }
}
