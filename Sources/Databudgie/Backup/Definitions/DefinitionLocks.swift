import Postgres

/// Finds the tables that pg_dump would fail to lock: it locks every table that the definitions need.
struct DefinitionLocks {
    let connection: Connection
    let catalog: DatabaseCatalog

    /// Asks only when the role cannot read some table.
    ///
    /// - Parameter groups: The tables whose definitions are asked for.
    /// - Returns: A problem for each table; views that only a glob found are left out of a backup for it.
    /// - Throws: `PostgresError`.
    func problems(of groups: [DefinitionGroup]) async throws -> [Finding] {
        let selected = groups.flatMap { group in group.relations.map(\.oid).filter { !group.derived.contains($0) } }
        return try await unlockable(for: selected).map {
            .problem(
                "definitions of the backup need it, and the role lacks SELECT, without which pg_dump cannot lock it",
                of: $0.name.label,
                hint: "grant it, or set 'ddl: false' for the tables that need it"
            )
        }
    }

    /// The tables that the role cannot read, and without which definitions cannot be dumped.
    ///
    /// - Parameter selected: The tables whose definitions are asked for.
    /// - Returns: Others than these, in the order of the catalog.
    /// - Throws: `PostgresError`.
    func unlockable(for selected: [Relation.OID]) async throws -> [Relation] {
        let unreadable = catalog.relations.filter {
            [.table, .partitionedTable].contains($0.kind) && !$0.isReadable
        }
        guard !unreadable.isEmpty, !selected.isEmpty else { return [] }
        let needed = try await connection.withEmptySearchPath {
            try await DefinitionOwners.needed(by: selected, over: connection)
        }
        let known = Set(selected)
        return unreadable.filter { needed.contains($0.oid) && !known.contains($0.oid) }
    }
}
