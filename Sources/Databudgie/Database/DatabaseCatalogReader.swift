import Postgres

/// Reads the catalog of the connected database: five queries in one text, whatever the number of tables.
struct DatabaseCatalogReader {
    let connection: Connection

    /// Reads tables, columns, sequences, foreign keys and names of all schemas but the server's own.
    ///
    /// To be called in a transaction: the search path is empty meanwhile, so no user-defined operator or function of the
    /// same name is called (CVE-2018-1058), and is restored afterwards for the user's queries.
    /// - Throws: `PostgresError`.
    func read() async throws -> DatabaseCatalog {
        let query = "select pg_catalog.current_schema() as schema"
        let session = try await connection.query(ownText: query).rows.first
        // Compiling a query takes longer than running it, of whatever number of tables.
        return try await connection.withDiscardedSavepoint("catalog", settings: ["search_path": "", "jit": "off"]) {
            try await readCatalog(defaultSchema: session?["schema"] ?? "public")
        }
    }

    private func readCatalog(defaultSchema: String) async throws -> DatabaseCatalog {
        let results = try await connection.queries(ownTexts: [
            Self.columnsQuery, Self.sequencesQuery, Self.foreignKeysQuery, Self.relationsQuery, Self.schemasQuery,
        ])
        let (columns, names) = try Self.columns(in: results[0])
        let sequences = try Self.sequences(in: results[1])
        let foreignKeys = try results[2].rows.map { row -> ForeignKey in
            let referencing = try row.oid("referencing")
            return ForeignKey(
                name: try row.text("name"),
                referencing: referencing,
                referenced: try row.oid("referenced"),
                isDeferrable: try row.bool("deferrable"),
                isInherited: try row.bool("inherited"),
                isValidated: try row.bool("validated"),
                columns: try row.text("columns").split(separator: " ").compactMap { names[referencing]?[String($0)] }
            )
        }
        let relations = try results[3].rows.compactMap { row -> Relation? in
            guard let kind = Relation.Kind(rawValue: try row.text("kind")) else { return nil }
            let oid = try row.oid("oid")
            return Relation(
                oid: oid,
                name: QualifiedName(schema: try row.text("schema"), name: try row.text("name")),
                kind: kind,
                isPartition: try row.bool("is_partition"),
                parents: try row.oids("parents"),
                children: try row.oids("children"),
                columns: columns[oid] ?? [],
                estimatedRows: row["estimated_rows"].flatMap(Int.init),
                sequences: sequences[oid] ?? [],
                isReadable: try row.bool("is_readable"),
                isExtensionMember: try row.bool("is_member"),
                isPopulated: try row.bool("is_populated")
            )
        }
        let schemas = try results[4].rows.map { try $0.text("schema") }
        return DatabaseCatalog(
            defaultSchema: defaultSchema,
            relations: relations,
            schemas: schemas,
            foreignKeys: foreignKeys
        )
    }

    /// The columns of each table, and their names by the numbers that constraints have for them.
    private static func columns(
        in result: QueryResult
    ) throws -> ([Relation.OID: [Column]], names: [Relation.OID: [String: String]]) {
        var columns: [Relation.OID: [Column]] = [:]
        var names: [Relation.OID: [String: String]] = [:]
        for row in result.rows {
            let (oid, name) = (try row.oid("oid"), try row.text("name"))
            names[oid, default: [:]][try row.text("number")] = name
            columns[oid, default: []].append(
                Column(
                    name: name,
                    isNotNull: try row.bool("not_null"),
                    hasDefault: try row.bool("has_default"),
                    isGenerated: try row.bool("generated"),
                    isAlwaysIdentity: try row.bool("always_identity"),
                    typeOID: try row.oid("type")
                )
            )
        }
        return (columns, names)
    }

    private static func sequences(in result: QueryResult) throws -> [Relation.OID: [TableSequence]] {
        var sequences: [Relation.OID: [TableSequence]] = [:]
        for row in result.rows {
            guard let minimum = Int64(try row.text("minimum")), let maximum = Int64(try row.text("maximum")) else {
                throw DatabudgieError(.internalInconsistency, "the catalog query returned no bounds of a sequence")
            }
            let (relation, oid, column) = (try row.oid("relation"), try row.oid("oid"), try row.text("column"))
            if let last = sequences[relation]?.indices.last, sequences[relation]?[last].oid == oid {
                sequences[relation]?[last].columns.append(column)
                continue
            }
            sequences[relation, default: []].append(
                TableSequence(
                    oid: oid,
                    name: QualifiedName(schema: try row.text("schema"), name: try row.text("name")),
                    bounds: minimum...max(minimum, maximum),
                    isReadable: try row.bool("is_readable"),
                    isSettable: try row.bool("is_settable"),
                    isOwned: try row.bool("is_owned"),
                    isDescending: try row.bool("is_descending"),
                    columns: [column]
                )
            )
        }
        return sequences
    }

    /// The relations that can be named: not those of system schemas, nor temporary tables of other sessions.
    private static let userRelations = """
        c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
        """

    private static let relationsQuery = """
        with families as (
            select inhrelid as child, inhparent as parent, inhseqno as place from pg_catalog.pg_inherits
        ), parents as (
            select child, pg_catalog.string_agg(parent::pg_catalog.text, ' ' order by place) as list
            from families group by child
        ), children as (
            select parent, pg_catalog.string_agg(child::pg_catalog.text, ' ' order by child) as list
            from families group by parent
        )
        select c.oid, n.nspname as schema, c.relname as name, c.relkind as kind, c.relispartition as is_partition,
            parents.list as parents, children.list as children,
            case when c.reltuples >= 0 and (c.reltuples > 0 or c.relpages > 0)
                then c.reltuples::pg_catalog.int8 end as estimated_rows,
            -- Null for what was dropped after the snapshot was taken.
            coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                and pg_catalog.has_table_privilege(c.oid, 'SELECT'), false) as is_readable,
            exists (select from pg_catalog.pg_depend d
                where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid
                    and d.deptype = 'e') as is_member,
            c.relispopulated as is_populated
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        left join parents on parents.child = c.oid
        left join children on children.parent = c.oid
        where \(userRelations)
        """

    private static let columnsQuery = """
        with recursive not_null_domains as (
            select t.oid from pg_catalog.pg_type t where t.typtype = 'd' and t.typnotnull
            union
            select t.oid from pg_catalog.pg_type t join not_null_domains d on t.typbasetype = d.oid where t.typtype = 'd'
        ), domains as (
            select t.oid, t.typbasetype as base from pg_catalog.pg_type t where t.typtype = 'd'
            union all
            select d.oid, t.typbasetype from domains d join pg_catalog.pg_type t on t.oid = d.base and t.typtype = 'd'
        ), bases as (
            select d.oid, d.base from domains d join pg_catalog.pg_type t on t.oid = d.base and t.typtype <> 'd'
        )
        select a.attrelid as oid, a.attname as name, a.attnum as number,
            -- COPY itself does not notice that a domain forbids the null of a column that is not in the file.
            a.attnotnull or exists (select from not_null_domains d where d.oid = a.atttypid) as not_null,
            a.atthasdef or a.attidentity <> '' or t.typdefault is not null as has_default, a.attgenerated <> '' as generated,
            a.attidentity = 'a' as always_identity, coalesce(b.base, a.atttypid) as type
        from pg_catalog.pg_attribute a
        left join bases b on b.oid = a.atttypid
        join pg_catalog.pg_type t on t.oid = a.atttypid
        join pg_catalog.pg_class c on c.oid = a.attrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where a.attnum > 0 and not a.attisdropped and \(userRelations)
        order by a.attrelid, a.attnum
        """

    /// Owned by a column (`a`), part of an identity column (`i`), or named in a column's default.
    private static let sequencesQuery = """
        with uses as (
            select refobjid as relation, refobjsubid as number, objid as sequence
            from pg_catalog.pg_depend
            where classid = 'pg_catalog.pg_class'::pg_catalog.regclass and refclassid = classid and refobjsubid > 0
                and deptype in ('a', 'i')
            union
            select def.adrelid, def.adnum, d.refobjid
            from pg_catalog.pg_attrdef def
            join pg_catalog.pg_depend d on d.objid = def.oid
            where d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        )
        select uses.relation, c.oid, n.nspname as schema, c.relname as name, s.seqmin as minimum, s.seqmax as maximum,
            coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                and pg_catalog.has_sequence_privilege(c.oid, 'SELECT'), false) as is_readable,
            coalesce(pg_catalog.has_sequence_privilege(c.oid, 'UPDATE'), false) as is_settable,
            pg_catalog.pg_has_role(c.relowner, 'USAGE') as is_owned,
            s.seqincrement < 0 as is_descending, a.attname as column
        from uses
        join pg_catalog.pg_attribute a on a.attrelid = uses.relation and a.attnum = uses.number
        join pg_catalog.pg_class c on c.oid = uses.sequence and c.relkind = 'S'
        join pg_catalog.pg_sequence s on s.seqrelid = c.oid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        order by uses.relation, n.nspname, c.relname, a.attnum
        """

    /// Whatever is in a schema depends on it, be it a table, a function or a text search configuration.
    private static let schemasQuery = """
        select n.nspname as schema
        from pg_catalog.pg_namespace n
        where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and exists (
            select from pg_catalog.pg_depend d
            where d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and d.refobjid = n.oid and d.deptype = 'n'
        )
        order by 1
        """

    private static let foreignKeysQuery = """
        select f.conname as name, f.conrelid as referencing, f.confrelid as referenced, f.condeferrable as deferrable,
            f.conparentid <> 0 as inherited, pg_catalog.array_to_string(f.conkey, ' ') as columns,
            f.convalidated and coalesce((pg_catalog.to_jsonb(f) ->> 'conenforced')::bool, true) as validated
        from pg_catalog.pg_constraint f
        where f.contype = 'f'
        order by f.conrelid, f.conname
        """
}

extension QueryResult.Row {
    /// The column's value; these queries never return null there.
    fileprivate func text(_ column: String) throws -> String {
        guard let value = self[column] else {
            throw DatabudgieError(.internalInconsistency, "the catalog query returned no \(column)")
        }
        return value
    }

    fileprivate func bool(_ column: String) throws -> Bool {
        try text(column) == "t"
    }

    fileprivate func oid(_ column: String) throws -> Relation.OID {
        guard let oid = Relation.OID(try text(column)) else {
            throw DatabudgieError(.internalInconsistency, "the catalog query returned no number for \(column)")
        }
        return oid
    }

    /// A list of OIDs, separated by spaces; null is none.
    fileprivate func oids(_ column: String) throws -> [Relation.OID] {
        (self[column] ?? "").split(separator: " ").compactMap { Relation.OID($0) }
    }
}
