import Postgres

/// Reads the indexes of tables, with all that there is to put back when they are built again.
struct TableIndexReader {
    let connection: Connection

    /// Reads the indexes of some tables, in a transaction whose search path is empty: names are qualified then.
    ///
    /// - Parameter tables: The tables.
    /// - Returns: Their indexes, in order of table and name.
    /// - Throws: `PostgresError`.
    func read(of tables: [Relation.OID]) async throws(PostgresError) -> [TableIndex] {
        guard !tables.isEmpty else { return [] }
        return try await connection.query(Self.query, [tables.arrayLiteral]).rows.compactMap { row in
            guard let oid = row["oid"].flatMap(UInt32.init), let table = row["table"].flatMap(Relation.OID.init),
                let schema = row["schema"], let name = row["name"], let definition = row["definition"]
            else { return nil }
            return TableIndex(
                oid: oid,
                table: table,
                name: QualifiedName(schema: schema, name: name),
                definition: definition,
                constraint: Self.constraint(row),
                isUnique: row["is_unique"] == "t",
                isPartitioned: row["is_partitioned"] == "t",
                parent: row["parent"].flatMap(UInt32.init),
                parts: row["parts"].flatMap { Int($0) } ?? 0,
                tablespace: row["tablespace"],
                comment: row["comment"],
                isClustered: row["is_clustered"] == "t",
                isIdentity: row["is_identity"] == "t",
                statistics: Self.pairs(row["statistics"] ?? ""),
                foreignKeys: (row["foreign_keys"] ?? "").split(atByte: ",").compactMap { UInt32($0) },
                obstacle: row["obstacle"].flatMap(TableIndex.Obstacle.init)
            )
        }
    }

    private static func constraint(_ row: QueryResult.Row) -> TableIndex.Constraint? {
        guard let kind = row["kind"].flatMap(TableIndex.Constraint.Kind.init),
            let definition = row["constraint_definition"]
        else { return nil }
        return TableIndex.Constraint(
            kind: kind,
            definition: definition,
            deferral: row["deferral"],
            excludes: row["excludes"] == "t",
            comment: row["constraint_comment"]
        )
    }

    /// `1 300,2 0`.
    private static func pairs(_ text: String) -> [(column: Int, target: Int)] {
        text.split(atByte: ",").compactMap { pair in
            let numbers = pair.split(atByte: " ").compactMap { Int($0) }
            return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
        }
    }

    /// Says of each index what keeps it from coming back.
    ///
    /// A key WITHOUT OVERLAPS (version 18) has the index of an exclusion constraint, and the constraint's definition lacks the
    /// storage parameters. An index that gets its parts one by one is valid once there is one of each partition, and foreign tables
    /// have none. A primary key that is made of an index makes NOT NULL that is inherited the table's own (version 18),
    /// which one that brings its index does not. Functions of SQL and of procedural languages see the search path of whoever builds the index.
    private static let query = """
        select i.indexrelid as oid, i.indrelid as table, n.nspname as schema, x.relname as name,
            pg_get_indexdef(i.indexrelid) as definition, i.indisunique as is_unique,
            c.contype as kind, pg_get_constraintdef(c.oid) as constraint_definition, e.excludes,
            case when c.condeferred then 'deferrable initially deferred' when c.condeferrable then 'deferrable' end as deferral,
            x.relkind = 'I' as is_partitioned, (select h.inhparent from pg_inherits h where h.inhrelid = x.oid) as parent,
            (select count(*) from pg_inherits h where h.inhparent = x.oid) as parts,
            s.spcname as tablespace, obj_description(x.oid, 'pg_class') as comment,
            obj_description(c.oid, 'pg_constraint') as constraint_comment,
            i.indisclustered as is_clustered, i.indisreplident as is_identity,
            (select string_agg(a.attnum || ' ' || a.attstattarget, ',' order by a.attnum) from pg_attribute a
                where a.attrelid = x.oid and a.attstattarget >= 0) as statistics,
            (select string_agg(f.oid::text, ',') from pg_constraint f
                where f.contype = 'f' and f.conindid = x.oid and f.conparentid = 0) as foreign_keys,
            case
            when not (i.indisvalid and i.indisready and i.indislive) then 'invalid'
            when c.oid is not null and (x.relkind = 'I' or x.relispartition) then 'partitioned'
            when x.relkind = 'I' and exists (select from pg_inherits h join pg_class f on f.oid = h.inhrelid
                where h.inhparent = i.indrelid and f.relkind = 'f') then 'foreign'
            when exists (select from pg_depend d where d.refclassid = 'pg_class'::regclass and d.refobjid = x.oid
                    and not (d.classid = 'pg_constraint'::regclass
                        and exists (select from pg_constraint f where f.oid = d.objid and f.contype = 'f'))
                    and not (d.classid = 'pg_class'::regclass
                        and exists (select from pg_inherits h where h.inhrelid = d.objid and h.inhparent = x.oid))
                ) or exists (select from pg_depend d where d.refclassid = 'pg_constraint'::regclass and d.refobjid = c.oid
                    and d.classid <> 'pg_trigger'::regclass
                    and not (d.classid = 'pg_class'::regclass and d.objid = x.oid)) then 'dependents'
            when exists (select from pg_depend d where d.refclassid = 'pg_extension'::regclass
                and (d.classid = 'pg_class'::regclass and d.objid = x.oid
                    or d.classid = 'pg_constraint'::regclass and d.objid = c.oid)) then 'extension'
            when exists (select from pg_depend d join pg_proc p on p.oid = d.refobjid join pg_language l on l.oid = p.prolang
                where d.refclassid = 'pg_proc'::regclass and l.lanname not in ('internal', 'c')
                    and (d.classid = 'pg_class'::regclass and d.objid = x.oid
                        or d.classid = 'pg_constraint'::regclass and d.objid = c.oid)) then 'functions'
            when e.excludes and c.contype <> 'x' and x.reloptions is not null then 'parameters'
            when not has_schema_privilege(n.oid, 'CREATE')
                or s.oid is not null and not has_tablespace_privilege(s.oid, 'CREATE') then 'privileges'
            end as obstacle
        from pg_index i join pg_class x on x.oid = i.indexrelid join pg_namespace n on n.oid = x.relnamespace
        left join pg_tablespace s on s.oid = x.reltablespace
        left join pg_constraint c on c.conindid = x.oid and c.conrelid = i.indrelid and c.contype in ('p', 'u', 'x')
        cross join lateral (
            select i.indisexclusion or c.contype = 'p' and exists (select from pg_constraint n
                where n.conrelid = i.indrelid and n.contype = 'n' and not n.conislocal and n.conkey <@ c.conkey) as excludes
        ) e
        where i.indrelid = any ($1::oid[])
        order by i.indrelid, x.relname
        """
}
