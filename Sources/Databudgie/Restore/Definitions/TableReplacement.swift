import Postgres

/// Finds out whether tables can be dropped without losing anything that the restore does not bring back.
struct TableReplacement {
    let connection: Connection

    /// What depends on some tables and would stay behind without them.
    ///
    /// - Parameter relations: The tables and views that are about to be dropped and re-created.
    /// - Returns: A problem for each table or view that something else depends on.
    /// - Throws: `PostgresError`.
    func problems(_ relations: [Relation]) async throws -> [Finding] {
        guard !relations.isEmpty else { return [] }
        return try await connection.query(Self.query, [relations.map(\.oid).arrayLiteral]).rows.map { row in
            .problem(
                "\(row["dependent"] ?? "an object") depends on \(row["referenced"] ?? "a table"), which ddl would drop and "
                    + "re-create, and is not part of this restore",
                hint: "list it too, drop it first, or set 'ddl: false' for the table"
            )
        }
    }

    /// The publications that lose a table when it is dropped.
    ///
    /// - Parameter relations: The tables and views that are about to be dropped and re-created.
    /// - Returns: A warning for each.
    /// - Throws: `PostgresError`.
    func publications(_ relations: [Relation]) async throws -> [Finding] {
        let query = """
            select p.pubname as publication, r.prrelid::pg_catalog.regclass::pg_catalog.text as table
            from pg_catalog.pg_publication_rel r
            join pg_catalog.pg_publication p on p.oid operator(pg_catalog.=) r.prpubid
            where r.prrelid operator(pg_catalog.=) any ($1::pg_catalog.oid[])
            order by 1, 2
            """
        return try await connection.query(query, [relations.map(\.oid).arrayLiteral]).rows.map { row in
            .warning(
                "it is re-created, so the publication \(row["publication"] ?? "") loses it",
                of: row["table"],
                hint: "add it again"
            )
        }
    }

    /// Drops tables and views, and nothing else: the server refuses when something depends on them.
    ///
    /// - Parameter relations: Tables and views of the target.
    /// - Throws: `PostgresError`.
    func drop(_ relations: [Relation]) async throws {
        try await dropViews(relations)
        // Partitions are dropped with their roots.
        let dropped = Set(relations.map(\.oid))
        let kinds: [(word: String, Set<Relation.Kind>)] = [
            ("foreign table", [.foreignTable]), ("table", [.table, .partitionedTable]),
        ]
        for (word, kinds) in kinds {
            let names = relations.filter { relation in
                kinds.contains(relation.kind) && !(relation.isPartition && !dropped.isDisjoint(with: relation.parents))
            }.map(\.name.quoted)
            guard !names.isEmpty else { continue }
            try await connection.execute("drop \(word) \(names.joined(separator: ", "))")
        }
    }

    /// Views depend on tables, and on one another in any order: one that is refused is tried again after the others.
    private func dropViews(_ relations: [Relation]) async throws {
        var pending = relations.filter(\.kind.isDerived)
        while !pending.isEmpty {
            var refused: [Relation] = []
            for view in pending {
                do {
                    try await connection.withSavepoint("view") {
                        try await connection.execute("drop \(view.kind.noun) \(view.name.quoted)")
                    }
                } catch let error as PostgresError where error.sqlState == "2BP01" {
                    refused.append(view)
                    guard refused.count < pending.count else { throw error }
                }
            }
            pending = refused
        }
    }

    /// Members: the relations and whatever goes with them (PostgreSQL documentation, "pg_depend"): rules, indexes, types,
    /// constraints, owned sequences, partitions.
    private static let query = """
        with recursive members as (
            select 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid as classid,
                pg_catalog.unnest($1::pg_catalog.oid[]) as objid
            union
            select d.classid, d.objid
            from members m
            join pg_catalog.pg_depend d on d.refclassid = m.classid and d.refobjid = m.objid
            where d.deptype in ('a', 'i', 'P', 'S')
        ), dependents as (
            select distinct d.classid, d.objid, d.refclassid, d.refobjid
            from members m
            join pg_catalog.pg_depend d on d.refclassid = m.classid and d.refobjid = m.objid
            where d.deptype = 'n'
                and not exists (select from members o where o.classid = d.classid and o.objid = d.objid)
        )
        select
            coalesce(pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, r.ev_class, 0),
                pg_catalog.pg_describe_object(d.classid, d.objid, 0)) as dependent,
            -- The table rather than the index that a foreign key needs as well.
            pg_catalog.max(pg_catalog.pg_describe_object(d.refclassid, d.refobjid, 0)) as referenced
        from dependents d
        left join pg_catalog.pg_rewrite r
            on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and r.oid = d.objid
        group by 1
        union all
        select pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, c.oid, 0),
            pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, i.inhparent, 0)
        from members m
        join pg_catalog.pg_inherits i
            on m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and i.inhparent = m.objid
        join pg_catalog.pg_class c on c.oid = i.inhrelid and c.relispartition and c.relkind in ('r', 'p', 'f')
        where c.oid <> all ($1::pg_catalog.oid[])
        order by 1, 2
        """
}
