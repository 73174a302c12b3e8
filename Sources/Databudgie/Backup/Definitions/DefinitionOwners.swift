import Postgres

/// Reads from the catalog which definitions belong to which table.
struct DefinitionOwners: Sendable {
    /// A row of a system catalog.
    struct Object: Hashable, Sendable {
        let catalog: UInt32
        let oid: UInt32
    }

    /// The table or view of an index, constraint, default, trigger, rule, policy, of statistics, and of a sequence that one
    /// of its columns owns.
    private let owners: [Object: Relation.OID]
    /// What the indexes behind constraints need, such as an operator class of an extension.
    let indexNeeds: [Object: [Object]]
    /// The schemas of what pg_dump's table of contents prints a wrong or an ambiguous schema for.
    let oddSchemas: [Object: String]
    /// The names of schemas, and the schemas of extensions; neither is in the table of contents for certain.
    let namespaces: [Object: String]
    /// Materialized views that a restore must not fill: they have no data, or read one that has none.
    let unpopulated: Set<Relation.OID>
    /// The tables without which the selected ones cannot be created, these included.
    let needed: Set<Relation.OID>

    /// Reads what the selected tables need.
    ///
    /// - Parameters:
    ///   - connection: In the transaction that the backup reads in.
    ///   - selection: The tables and views whose definitions are asked for.
    /// - Throws: `PostgresError`.
    init(connection: Connection, selection: [Relation.OID]) async throws {
        var owners: [Object: Relation.OID] = [:]
        for row in try await connection.query(Self.ownersQuery).rows {
            guard let catalog = row["catalog"].flatMap(UInt32.init), let oid = row["oid"].flatMap(UInt32.init),
                let owner = row["owner"].flatMap(Relation.OID.init)
            else { continue }
            owners[Object(catalog: catalog, oid: oid)] = owner
        }
        self.owners = owners
        var indexNeeds: [Object: [Object]] = [:]
        for row in try await connection.query(Self.indexNeedsQuery).rows {
            let numbers = ["constraint_catalog", "constraint", "catalog", "oid"].compactMap {
                row[$0].flatMap(UInt32.init)
            }
            guard numbers.count == 4 else { continue }
            indexNeeds[Object(catalog: numbers[0], oid: numbers[1]), default: []]
                .append(Object(catalog: numbers[2], oid: numbers[3]))
        }
        self.indexNeeds = indexNeeds
        var oddSchemas: [Object: String] = [:]
        for row in try await connection.query(Self.oddSchemasQuery).rows {
            guard let catalog = row["catalog"].flatMap(UInt32.init), let oid = row["oid"].flatMap(UInt32.init) else {
                continue
            }
            oddSchemas[Object(catalog: catalog, oid: oid)] = row["schema"]
        }
        self.oddSchemas = oddSchemas
        var namespaces: [Object: String] = [:]
        for row in try await connection.query(Self.schemasQuery).rows {
            guard let catalog = row["catalog"].flatMap(UInt32.init), let oid = row["oid"].flatMap(UInt32.init) else {
                continue
            }
            namespaces[Object(catalog: catalog, oid: oid)] = row["schema"]
        }
        self.namespaces = namespaces
        unpopulated = try await Self.relations(Self.unpopulatedQuery, over: connection)
        needed = try await Self.needed(by: selection, over: connection)
    }

    /// The tables and views without which some of them cannot be created, these included.
    ///
    /// - Parameters:
    ///   - selection: Tables and views.
    ///   - connection: In the transaction that the backup reads in.
    /// - Returns: Relations of all kinds.
    /// - Throws: `PostgresError`.
    static func needed(by selection: [Relation.OID], over connection: Connection) async throws -> Set<Relation.OID> {
        try await relations(neededQuery, [selection.arrayLiteral], over: connection)
    }

    private static func relations(
        _ query: String,
        _ parameters: [String?] = [],
        over connection: Connection
    ) async throws -> Set<Relation.OID> {
        Set(try await connection.query(query, parameters).rows.compactMap { $0["oid"].flatMap(Relation.OID.init) })
    }

    /// The table or view that an entry of an archive belongs to by what the catalog says.
    ///
    /// - Returns: nil for what belongs to a schema, and for entries that have no row in a catalog.
    func relation(of entry: ArchiveEntry) -> Relation.OID? {
        if entry.type == "ROW SECURITY" { return entry.oid }
        if let owner = owners[Object(catalog: entry.catalog, oid: entry.oid)] { return owner }
        guard entry.catalog == ArchiveEntry.relations, entry.type != "SEQUENCE" else { return nil }
        return entry.oid
    }

    /// Gives entries the schemas that they are in, where the table of contents cannot say it.
    ///
    /// - Parameter entries: All entries of an archive, in their order.
    func correctSchemas(of entries: inout [ArchiveEntry]) {
        // The comment and privileges of the schema that every database has belong to nothing that pg_dump writes.
        for index in entries.indices where entries[index].isAboutPublicSchema { entries[index].schema = "public" }
        guard !oddSchemas.isEmpty else { return }
        var corrected: [Int: String] = [:]
        for index in entries.indices {
            let entry = entries[index]
            // A comment or a privilege comes after what it is for, and is in its schema.
            let schema =
                entry.oid == 0
                ? entry.dependencies.first.flatMap { corrected[$0] }
                : oddSchemas[Object(catalog: entry.catalog, oid: entry.oid)]
            guard let schema else { continue }
            corrected[entry.identifier] = schema
            entries[index].schema = schema
        }
    }

    /// Line breaks are printed as spaces, and no schema as a hyphen; a name may contain what separates a head's parts.
    private static let oddSchemasQuery = """
        with odd as (
            select oid, nspname from pg_catalog.pg_namespace
            where nspname operator(pg_catalog.=) '-' or nspname operator(pg_catalog.~) E'[\\n\\r]|; '
        ), objects as (
            select tableoid, oid, relnamespace as namespace from pg_catalog.pg_class
            union all select tableoid, oid, pronamespace from pg_catalog.pg_proc
            union all select tableoid, oid, typnamespace from pg_catalog.pg_type
            union all select tableoid, oid, connamespace from pg_catalog.pg_constraint
            union all select tableoid, oid, oprnamespace from pg_catalog.pg_operator
            union all select tableoid, oid, opcnamespace from pg_catalog.pg_opclass
            union all select tableoid, oid, opfnamespace from pg_catalog.pg_opfamily
            union all select tableoid, oid, collnamespace from pg_catalog.pg_collation
            union all select tableoid, oid, connamespace from pg_catalog.pg_conversion
            union all select tableoid, oid, stxnamespace from pg_catalog.pg_statistic_ext
            union all select tableoid, oid, defaclnamespace from pg_catalog.pg_default_acl
            union all select o.tableoid, o.oid, c.relnamespace from pg_catalog.pg_trigger o
                join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) o.tgrelid
            union all select o.tableoid, o.oid, c.relnamespace from pg_catalog.pg_rewrite o
                join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) o.ev_class
            union all select o.tableoid, o.oid, c.relnamespace from pg_catalog.pg_policy o
                join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) o.polrelid
            union all select o.tableoid, o.oid, c.relnamespace from pg_catalog.pg_attrdef o
                join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) o.adrelid
            union all select tableoid, oid, cfgnamespace from pg_catalog.pg_ts_config
            union all select tableoid, oid, dictnamespace from pg_catalog.pg_ts_dict
            union all select tableoid, oid, prsnamespace from pg_catalog.pg_ts_parser
            union all select tableoid, oid, tmplnamespace from pg_catalog.pg_ts_template
        )
        select o.tableoid as catalog, o.oid, odd.nspname as schema
        from objects o join odd on odd.oid operator(pg_catalog.=) o.namespace
        """

    private static let schemasQuery = """
        select tableoid as catalog, oid, nspname as schema from pg_catalog.pg_namespace
        union all select e.tableoid, e.oid, n.nspname from pg_catalog.pg_extension e
            join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) e.extnamespace
        """

    /// As pg_dump decides it: a view in between passes the dependency on.
    private static let unpopulatedQuery = """
        with recursive dependencies as (
            select distinct r.ev_class as oid, d.refobjid as referenced
            from pg_catalog.pg_rewrite r
            join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = r.oid
                and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid <> r.ev_class
        ), unpopulated as (
            select oid from pg_catalog.pg_class where relkind = 'm' and not relispopulated
            union
            select d.oid from unpopulated u join dependencies d on d.referenced = u.oid
        )
        select oid from unpopulated
        """

    private static let ownersQuery = """
        select 'pg_catalog.pg_constraint'::pg_catalog.regclass::pg_catalog.oid as catalog, oid, conrelid as owner
            from pg_catalog.pg_constraint where conrelid <> 0
        union all select 'pg_catalog.pg_class'::pg_catalog.regclass, indexrelid, indrelid from pg_catalog.pg_index
        union all select 'pg_catalog.pg_attrdef'::pg_catalog.regclass, oid, adrelid from pg_catalog.pg_attrdef
        union all select 'pg_catalog.pg_trigger'::pg_catalog.regclass, oid, tgrelid from pg_catalog.pg_trigger
        union all select 'pg_catalog.pg_rewrite'::pg_catalog.regclass, oid, ev_class from pg_catalog.pg_rewrite
        union all select 'pg_catalog.pg_policy'::pg_catalog.regclass, oid, polrelid from pg_catalog.pg_policy
        union all select 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, oid, stxrelid
            from pg_catalog.pg_statistic_ext
        union all select d.classid, d.objid, d.refobjid from pg_catalog.pg_depend d
            join pg_catalog.pg_class s on s.oid = d.objid and s.relkind = 'S'
            where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refclassid = d.classid
                and d.refobjsubid > 0 and d.deptype in ('a', 'i')
        """

    /// For a member of an extension the extension; what comes with the server has lower numbers.
    private static let indexNeedsQuery = """
        select 'pg_catalog.pg_constraint'::pg_catalog.regclass::pg_catalog.oid as constraint_catalog,
            c.oid as constraint, coalesce(e.refclassid, d.refclassid) as catalog, coalesce(e.refobjid, d.refobjid) as oid
        from pg_catalog.pg_constraint c
        join pg_catalog.pg_depend d
            on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.conindid
        left join pg_catalog.pg_depend e
            on e.classid = d.refclassid and e.objid = d.refobjid and e.deptype = 'e'
        where c.contype in ('p', 'u', 'x') and d.refobjid >= 16384
            and d.refclassid not in ('pg_catalog.pg_class'::pg_catalog.regclass,
                'pg_catalog.pg_constraint'::pg_catalog.regclass)
        """

    /// Follows dependencies, and includes what belongs to a table; foreign keys need no other table to exist.
    private static let neededQuery = """
        with recursive foreign_keys as (
            select oid from pg_catalog.pg_constraint where contype = 'f'
        ), needed as (
            select 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid as classid,
                pg_catalog.unnest($1::pg_catalog.oid[]) as objid
            union
            select step.classid, step.objid
            from needed n
            cross join lateral (
                select d.refclassid as classid, d.refobjid as objid
                from pg_catalog.pg_depend d
                where d.classid = n.classid and d.objid = n.objid
                union all
                select d.classid, d.objid
                from pg_catalog.pg_depend d
                where d.refclassid = n.classid and d.refobjid = n.objid and d.deptype in ('a', 'i')
                    and d.classid in ('pg_catalog.pg_attrdef'::pg_catalog.regclass,
                        'pg_catalog.pg_constraint'::pg_catalog.regclass, 'pg_catalog.pg_rewrite'::pg_catalog.regclass,
                        'pg_catalog.pg_trigger'::pg_catalog.regclass, 'pg_catalog.pg_policy'::pg_catalog.regclass)
            ) step
            where not (step.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
                and step.objid in (select oid from foreign_keys))
        )
        select distinct n.objid as oid
        from needed n
        where n.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        """
}
