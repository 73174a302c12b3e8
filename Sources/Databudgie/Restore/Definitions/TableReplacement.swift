import Postgres

/// Finds out whether tables can be dropped without losing anything that the restore does not bring back.
struct TableReplacement {
    let connection: Connection

    /// What depends on some tables and would stay behind without them.
    ///
    /// - Parameters:
    ///   - relations: The tables and views that are about to be dropped and re-created.
    ///   - definitions: What the restore creates.
    /// - Returns: The functions that are dropped and re-created with them, and a problem for each other object that
    ///   depends on one of them.
    /// - Throws: `PostgresError`.
    func dependents(
        of relations: [Relation],
        recreating definitions: [StoredDefinition]
    ) async throws -> (functions: [DependentFunction], problems: [Finding]) {
        guard !relations.isEmpty else { return ([], []) }
        var functions: [DependentFunction] = []
        while true {
            let parameters = [relations.map(\.oid).arrayLiteral, functions.map(\.oid).arrayLiteral]
            let rows = try await connection.query(Self.query, parameters).rows
            let oids = rows.compactMap { $0["function"].flatMap(Relation.OID.init) }
            let found = try await DependentFunction.read(oids, over: connection)
                .filter { $0.definition(in: definitions) != nil }
            guard found.isEmpty else {
                functions += found
                continue
            }
            return (functions, rows.map { Self.problem($0["dependent"], $0["referenced"]) })
        }
    }

    private static func problem(_ dependent: String?, _ referenced: String?) -> Finding {
        .problem(
            "\(dependent ?? "an object") depends on \(referenced ?? "a table"), which ddl would drop and "
                + "re-create, and is not part of this restore",
            hint: "list it too, drop it first, or set 'ddl: false' for the table"
        )
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

    /// Drops tables, views and functions, and nothing else: the server refuses when something depends on them.
    ///
    /// - Parameters:
    ///   - relations: Tables and views of the target.
    ///   - functions: Functions that depend on them.
    /// - Throws: `PostgresError`.
    func drop(_ relations: [Relation], _ functions: [DependentFunction]) async throws {
        for statement in try await uses(of: functions, in: relations) { try await connection.execute(statement) }
        try await dropInAnyOrder(
            relations.filter(\.kind.isDerived).map { "drop \($0.kind.noun) \($0.name.quoted)" }
                + functions.map { "drop routine \($0.signature)" }
        )
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

    /// The statements that drop what tables need functions for: a function on the rows of a table and a constraint of the
    /// table that calls it hold one another.
    private func uses(of functions: [DependentFunction], in relations: [Relation]) async throws -> [String] {
        guard !functions.isEmpty else { return [] }
        return try await connection.withEmptySearchPath {
            try await connection.query(
                Self.uses,
                [functions.map(\.oid).arrayLiteral, relations.map(\.oid).arrayLiteral]
            ).rows.compactMap { $0["statement"] }
        }
    }

    /// Views and functions depend on one another in any order: one that is refused is tried again after the others.
    private func dropInAnyOrder(_ statements: [String]) async throws {
        var pending = statements
        while !pending.isEmpty {
            var refused: [String] = []
            for statement in pending {
                do {
                    try await connection.withSavepoint("object") { try await connection.execute(statement) }
                } catch let error as PostgresError where error.sqlState == "2BP01" {
                    refused.append(statement)
                    guard refused.count < pending.count else { throw error }
                }
            }
            pending = refused
        }
    }

    /// Inherited constraints, defaults and indexes of partitions are dropped with those that they come from.
    private static let uses = """
        select distinct case d.classid
            when 'pg_catalog.pg_constraint'::pg_catalog.regclass then
                (select pg_catalog.format('alter table %s drop constraint %I', c.conrelid::pg_catalog.regclass, c.conname)
                from pg_catalog.pg_constraint c
                where c.oid = d.objid and c.conrelid = any ($2::pg_catalog.oid[]) and c.coninhcount = 0)
            when 'pg_catalog.pg_attrdef'::pg_catalog.regclass then
                (select pg_catalog.format('alter table only %s alter column %I drop default', a.attrelid::pg_catalog.regclass,
                    a.attname)
                from pg_catalog.pg_attrdef f
                join pg_catalog.pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum
                where f.oid = d.objid and f.adrelid = any ($2::pg_catalog.oid[]) and a.attgenerated = '')
            when 'pg_catalog.pg_policy'::pg_catalog.regclass then
                (select pg_catalog.format('drop policy %I on %s', p.polname, p.polrelid::pg_catalog.regclass)
                from pg_catalog.pg_policy p where p.oid = d.objid and p.polrelid = any ($2::pg_catalog.oid[]))
            when 'pg_catalog.pg_trigger'::pg_catalog.regclass then
                (select pg_catalog.format('drop trigger %I on %s', t.tgname, t.tgrelid::pg_catalog.regclass)
                from pg_catalog.pg_trigger t
                where t.oid = d.objid and t.tgrelid = any ($2::pg_catalog.oid[]) and t.tgparentid = 0)
            when 'pg_catalog.pg_class'::pg_catalog.regclass then
                (select case when o.conname is null
                    then pg_catalog.format('drop index %s', i.indexrelid::pg_catalog.regclass)
                    else pg_catalog.format('alter table %s drop constraint %I', o.conrelid::pg_catalog.regclass, o.conname) end
                from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
                left join pg_catalog.pg_constraint o on o.conindid = c.oid and o.contype = 'x'
                where c.oid = d.objid and i.indrelid = any ($2::pg_catalog.oid[]) and not c.relispartition)
            end as statement
        from pg_catalog.pg_depend d
        where d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.refobjid = any ($1::pg_catalog.oid[])
            and d.deptype = 'n'
        order by 1
        """

    /// Members: the relations and whatever goes with them (PostgreSQL documentation, "pg_depend"): rules, indexes, types,
    /// constraints, owned sequences, partitions.
    private static let query = """
        with recursive members as (
            select 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid as classid,
                pg_catalog.unnest($1::pg_catalog.oid[]) as objid
            union
            select 'pg_catalog.pg_proc'::pg_catalog.regclass, pg_catalog.unnest($2::pg_catalog.oid[])
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
            pg_catalog.max(pg_catalog.pg_describe_object(d.refclassid, d.refobjid, 0)) as referenced,
            pg_catalog.max(d.objid) filter (where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass) as function
        from dependents d
        left join pg_catalog.pg_rewrite r
            on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and r.oid = d.objid
        group by 1
        union all
        select pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, c.oid, 0),
            pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, i.inhparent, 0), null
        from members m
        join pg_catalog.pg_inherits i
            on m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and i.inhparent = m.objid
        join pg_catalog.pg_class c on c.oid = i.inhrelid and c.relispartition and c.relkind in ('r', 'p', 'f')
        where c.oid <> all ($1::pg_catalog.oid[])
        order by 1, 2
        """
}
