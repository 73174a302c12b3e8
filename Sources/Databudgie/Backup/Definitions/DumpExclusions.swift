import Postgres

/// Finds the tables that pg_dump must not try to lock.
///
/// pg_dump locks every table that it dumps, and looks with a query of its own for what each pattern excludes. So only what cannot
/// be locked is excluded, and what nobody asked for is dropped from its output.
struct DumpExclusions {
    let connection: Connection
    let catalog: DatabaseCatalog
    /// How many tables can be locked.
    let locks: Int

    /// The most bytes of names: the arguments of a program are limited to 2 MiB, or less, with its environment.
    private static let limit = 1 << 20

    /// The tables to exclude.
    ///
    /// - Parameter needed: The tables, views and sequences whose definitions are needed.
    /// - Returns: Patterns for tables that the role cannot read, or that another session has locked exclusively; for all
    ///   that is not needed when the server has too few locks for all tables.
    /// - Throws: `PostgresError`.
    func patterns(needed: Set<Relation.OID>) async throws -> [String] {
        let tables = catalog.relations.filter(\.kind.isFoundByGlobs)
        let unneeded = tables.filter { !needed.contains($0.oid) }
        if tables.count > locks {
            let kept = catalog.relations.filter { needed.contains($0.oid) }.map(\.name) + (try await sequences(needed))
            if kept.count < unneeded.count, let patterns = ComplementPatterns(allBut: kept) { return patterns.texts }
            if unneeded.reduce(0, { $0 + $1.name.quoted.utf8.count }) < Self.limit {
                return unneeded.map(\.name.quoted)
            }
        }
        let locked = Set(try await connection.query(Self.lockedQuery).rows.compactMap { $0["oid"] })
        // One name a pattern: the server finds it by an index, while it compares alternatives with every table.
        return unneeded.filter { !$0.isReadable || locked.contains(String($0.oid)) }.map(\.name.quoted)
    }

    /// The sequences that belong to no table, and those that are needed.
    private func sequences(_ needed: Set<Relation.OID>) async throws -> [QualifiedName] {
        try await connection.query(Self.sequencesQuery, [needed.sorted().arrayLiteral]).rows.compactMap { row in
            guard let schema = row["schema"], let name = row["name"] else { return nil }
            return QualifiedName(schema: schema, name: name)
        }
    }

    private static let sequencesQuery = """
        select n.nspname as schema, c.relname as name
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
        where c.relkind operator(pg_catalog.=) 'S'
            and (c.oid operator(pg_catalog.=) any ($1::pg_catalog.oid[]) or not exists (
                select from pg_catalog.pg_depend d
                where d.classid operator(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
                    and d.objid operator(pg_catalog.=) c.oid
                    and d.refclassid operator(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
                    and d.deptype operator(pg_catalog.=) any (array['a', 'i']::pg_catalog."char"[])
            ))
        """

    /// A waiting lock is as bad: those that come later queue behind it.
    private static let lockedQuery = """
        select l.relation as oid
        from pg_catalog.pg_locks l
        join pg_catalog.pg_database d on d.oid operator(pg_catalog.=) l.database
        where d.datname operator(pg_catalog.=) pg_catalog.current_database()
            and l.locktype operator(pg_catalog.=) 'relation'
            and l.mode operator(pg_catalog.=) 'AccessExclusiveLock'
        """
}
