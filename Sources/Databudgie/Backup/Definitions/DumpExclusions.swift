import Postgres

/// Finds the tables that pg_dump must not try to lock.
///
/// pg_dump locks every table that it dumps, and finds those that it is told to exclude with a query for each pattern, of which each
/// looks at all tables: excluding thousands takes minutes. So only what cannot be locked is excluded, and what nobody asked
/// for is dropped from its output.
struct DumpExclusions {
    let connection: Connection
    let catalog: DatabaseCatalog

    /// The most bytes of names: the arguments of a program are limited to 2 MiB, or less, with its environment.
    private static let limit = 1 << 20

    /// The tables to exclude.
    ///
    /// - Parameter needed: The tables whose definitions are needed.
    /// - Returns: Tables that the role cannot read, or that another session has locked exclusively; all that are not needed
    ///   when the server has too few locks for all tables.
    /// - Throws: `PostgresError`.
    func names(needed: Set<Relation.OID>) async throws -> [QualifiedName] {
        let tables = catalog.relations.filter(\.kind.isFoundByGlobs)
        let unneeded = tables.filter { !needed.contains($0.oid) }
        if tables.count > (try await LockBudget(connection: connection).available),
            unneeded.reduce(0, { $0 + $1.name.quoted.utf8.count }) < Self.limit
        {
            return unneeded.map(\.name)
        }
        let locked = Set(try await connection.query(Self.lockedQuery).rows.compactMap { $0["oid"] })
        return unneeded.filter { !$0.isReadable || locked.contains(String($0.oid)) }.map(\.name)
    }

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
