import Postgres

/// Finds relations whose rows another session has replaced since the snapshot, and partitions that it has attached.
///
/// TRUNCATE, REFRESH MATERIALIZED VIEW and rewriting forms of ALTER TABLE give a relation a new file, in which the snapshot
/// sees no row, or rows that are frozen and newer than itself. `pg_relation_filenode` always shows the current file, while
/// `pg_class` shows that of the snapshot. In the same way `pg_partition_tree` shows the partitions that the server reads,
/// while `pg_inherits` shows those of the snapshot.
struct RewriteCheck {
    let connection: Connection

    /// What is looked at.
    enum Scope {
        /// All that this transaction has locked, and so all that it has read.
        case locked
        /// These relations.
        case relations([Relation.OID])
    }

    /// Compares files, within the savepoint in which the rows were read: its locks keep others from replacing them later.
    ///
    /// - Parameter scope: What is looked at.
    /// - Throws: ``DatabudgieError`` that names the relations whose rows were replaced; `PostgresError`.
    func run(_ scope: Scope) async throws {
        try Self.requireNone(in: try await connection.query(ownText: Self.query(scope)))
    }

    /// Refuses what a query has found.
    ///
    /// - Parameter result: That of ``query(_:)``.
    /// - Throws: ``DatabudgieError`` that names the relations whose rows were replaced.
    static func requireNone(in result: QueryResult) throws {
        let rows = result.rows
        guard !rows.isEmpty else { return }
        let names = rows.map { QualifiedName(schema: $0["schema"] ?? "", name: $0["name"] ?? "").description }
        throw DatabudgieError(
            .database,
            "the rows of \(names.joined(separator: ", ")) were replaced after the snapshot of the backup was taken, by "
                + "TRUNCATE, REFRESH or a form of ALTER TABLE that rewrites them",
            hint: "run the backup again when no other session does that"
        )
    }

    /// Compares partitions, which the server reads as soon as they are attached: the snapshot sees their rows elsewhere.
    ///
    /// - Parameter table: A partitioned table.
    /// - Throws: ``DatabudgieError`` that names the partitions; `PostgresError`.
    func runForPartitions(of table: Relation.OID) async throws {
        let rows = try await connection.query(Self.partitionQuery, [String(table)]).rows
        guard !rows.isEmpty else { return }
        let names = rows.map { QualifiedName(schema: $0["schema"] ?? "", name: $0["name"] ?? "").description }
        throw DatabudgieError(
            .database,
            "\(names.joined(separator: ", ")) became \(names.count == 1 ? "a partition" : "partitions") after the snapshot of "
                + "the backup was taken, so there are rows that do not belong to its moment",
            hint: "run the backup again when no other session attaches partitions"
        )
    }

    private static let partitionQuery = """
        select n.nspname as schema, c.relname as name
        from pg_catalog.pg_partition_tree($1::pg_catalog.oid) t
        join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) t.relid
        join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
        where t.relid operator(pg_catalog.<>) $1::pg_catalog.oid
            and not exists (
                select from pg_catalog.pg_inherits i where i.inhrelid operator(pg_catalog.=) t.relid
                    and i.inhparent operator(pg_catalog.=) t.parentrelid
            )
        order by n.nspname, c.relname
        """

    private static let locked = """
        select relation from pg_catalog.pg_locks
        where locktype operator(pg_catalog.=) 'relation' and granted
            and pid operator(pg_catalog.=) pg_catalog.pg_backend_pid()
        """

    /// Asks for relations whose rows were replaced.
    ///
    /// - Parameter scope: What is looked at.
    /// - Returns: A query of our own text alone.
    static func query(_ scope: Scope) -> String {
        switch scope {
        case .locked: query(among: locked)
        case .relations(let oids):
            query(among: "select pg_catalog.unnest(\(quotedLiteral(oids.arrayLiteral))::pg_catalog.oid[])")
        }
    }

    /// Catalogs of the server can have no file of their own in `pg_class`, and cannot be truncated.
    private static func query(among relations: String) -> String {
        """
        select n.nspname as schema, c.relname as name from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
        where c.oid operator(pg_catalog.=) any (array(\(relations)))
            and c.relkind operator(pg_catalog.=) any ('{r,m}'::pg_catalog."char"[])
            and c.relfilenode operator(pg_catalog.<>) 0
            and not coalesce(pg_catalog.pg_relation_filenode(c.oid) operator(pg_catalog.=) c.relfilenode, false)
        order by n.nspname, c.relname
        """
    }
}
