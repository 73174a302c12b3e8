import Postgres

/// Reads keys, types and indexes of all relations: six queries, whatever their number.
struct KeyCatalogReader {
    let connection: Connection

    /// Reads the catalog.
    ///
    /// To be called in a transaction, for one moment.
    /// - Returns: The keys of all relations but the server's own.
    /// - Throws: `PostgresError`.
    func read() async throws -> KeyCatalog {
        try await connection.withEmptySearchPath {
            KeyCatalog(
                references: try await references(),
                types: try await types(),
                indexes: try await indexes(),
                accessMethods: try await accessMethods(),
                partitionKeys: try await partitionKeys(),
                checks: try await checks()
            )
        }
    }

    private func references() async throws -> [KeyCatalog.Reference] {
        var references: [KeyCatalog.Reference] = []
        var last: Substring?
        for row in try await connection.query(Self.referencesQuery).rows {
            let pair = KeyCatalog.Pair(
                child: try row.value("child_column"),
                parent: try row.value("parent_column"),
                comparison: "operator(\(quotedIdentifier(try row.value("schema"))).\(try row.value("operator")))",
                childCast: row["child_cast"],
                parentCast: row["parent_cast"]
            )
            let oid = Substring(try row.value("oid"))
            if oid == last, !references.isEmpty {
                references[references.count - 1].columns.append(pair)
                continue
            }
            last = oid
            references.append(
                KeyCatalog.Reference(
                    name: try row.value("name"),
                    child: try row.number("child"),
                    parent: try row.number("parent"),
                    columns: [pair],
                    isValidated: try row.value("is_validated") == "t",
                    isMatchFull: try row.value("is_full") == "t",
                    isPeriod: try row.value("has_period") == "t"
                )
            )
        }
        return references
    }

    private func types() async throws -> [Relation.OID: [ByteKey: KeyCatalog.ColumnType]] {
        var types: [Relation.OID: [ByteKey: KeyCatalog.ColumnType]] = [:]
        for row in try await connection.query(Self.typesQuery).rows {
            let collation = row["collation_schema"].flatMap { schema in
                row["collation"].map { QualifiedName(schema: schema, name: $0).quoted }
            }
            types[try row.number("relation"), default: [:]][ByteKey(try row.value("name"))] = KeyCatalog.ColumnType(
                name: try row.value("type"),
                plainName: try row.value("plain_type"),
                collation: collation,
                equalitySchema: row["equality_schema"] ?? "pg_catalog",
                dependsOnTimeZone: try row.value("depends_on_zone") == "t"
            )
        }
        return types
    }

    private func indexes() async throws -> [Relation.OID: [KeyCatalog.Index]] {
        var indexes: [Relation.OID: [KeyCatalog.Index]] = [:]
        var last: Substring?
        for row in try await connection.query(Self.indexesQuery).rows {
            let (relation, oid) = (try row.number("relation"), Substring(try row.value("oid")))
            if oid == last, let position = indexes[relation]?.indices.last {
                indexes[relation]?[position].columns.append(row["name"])
                continue
            }
            last = oid
            indexes[relation, default: []].append(
                KeyCatalog.Index(
                    columns: [row["name"]],
                    isPrimary: try row.value("is_primary") == "t",
                    isWhole: try row.value("is_whole") == "t",
                    nullsAreEqual: try row.value("nulls_equal") == "t"
                )
            )
        }
        return indexes
    }

    private func accessMethods() async throws -> [Relation.OID: String] {
        let rows = try await connection.query(Self.accessMethodsQuery).rows
        return try Dictionary(
            rows.map { (try $0.number("relation"), try $0.value("method")) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    private func partitionKeys() async throws -> [Relation.OID: KeyCatalog.PartitionKey] {
        let rows = try await connection.query(Self.partitionKeysQuery).rows
        return try Dictionary(grouping: rows) { try $0.number("relation") }.mapValues { rows in
            KeyCatalog.PartitionKey(
                columns: rows.compactMap { $0["name"] },
                isHash: rows.first?["strategy"] == "h"
            )
        }
    }

    private func checks() async throws -> [Relation.OID: [KeyCatalog.Check]] {
        let rows = try await connection.query(Self.checksQuery).rows
        let constraints = try Dictionary(grouping: rows) { try $0.number("oid") }.sorted { $0.key < $1.key }
        var checks: [Relation.OID: [KeyCatalog.Check]] = [:]
        for (_, rows) in constraints {
            guard let first = rows.first else { continue }
            checks[try first.number("relation"), default: []].append(
                KeyCatalog.Check(
                    name: try first.value("name"),
                    columns: try rows.map { try $0.value("column") },
                    expression: try first.value("expression")
                )
            )
        }
        return checks
    }

    /// Copies for partitions have a parent constraint.
    ///
    /// Casts are those that the server's own checks write (`ri_GenerateQual`);
    /// a pseudo-type such as `anyarray` needs none. The columns for temporal and for unenforced keys are those of version 18.
    private static let referencesQuery = """
        select f.oid, f.conname as name, f.conrelid as child, f.confrelid as parent,
            f.convalidated and coalesce((pg_catalog.to_jsonb(f) ->> 'conenforced')::bool, true) as is_validated,
            f.confmatchtype = 'f' as is_full,
            coalesce((pg_catalog.to_jsonb(f) ->> 'conperiod')::bool, false) as has_period, a.attname as child_column, b.attname as parent_column,
            case when k.is_period then 'pg_catalog' else n.nspname end as schema,
            case when k.is_period then '&&' else o.oprname end as operator,
            case when l.typtype <> 'p' and b.atttypid <> o.oprleft and not k.is_period
                then pg_catalog.format_type(o.oprleft, null) end as parent_cast,
            case when r.typtype <> 'p' and a.atttypid <> o.oprright and not k.is_period
                then pg_catalog.format_type(o.oprright, null) end as child_cast
        from pg_catalog.pg_constraint f
        cross join lateral (
            select u.*, u.place = pg_catalog.cardinality(f.conkey)
                and coalesce((pg_catalog.to_jsonb(f) ->> 'conperiod')::bool, false) as is_period
            from rows from (
                pg_catalog.unnest(f.conkey), pg_catalog.unnest(f.confkey), pg_catalog.unnest(f.conpfeqop)
            ) with ordinality as u (child_number, parent_number, operator, place)
        ) k
        join pg_catalog.pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.child_number
        join pg_catalog.pg_attribute b on b.attrelid = f.confrelid and b.attnum = k.parent_number
        join pg_catalog.pg_operator o on o.oid = k.operator
        join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
        join pg_catalog.pg_type l on l.oid = o.oprleft
        join pg_catalog.pg_type r on r.oid = o.oprright
        where f.contype = 'f' and f.conparentid = 0
        order by f.conrelid, f.conname, f.oid, k.place
        """

    private static let userRelations = """
        c.relkind in ('r', 'p', 'f') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
        """

    private static let typesQuery = """
        with equalities as (
            select oc.opcintype as type, min(n.nspname) as schema
            from pg_catalog.pg_opclass oc
            join pg_catalog.pg_am am on am.oid = oc.opcmethod and am.amname = 'btree'
            join pg_catalog.pg_amop ao on ao.amopfamily = oc.opcfamily and ao.amopstrategy = 3
                and ao.amoplefttype = oc.opcintype and ao.amoprighttype = oc.opcintype
            join pg_catalog.pg_operator o on o.oid = ao.amopopr
            join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
            where oc.opcdefault
            group by oc.opcintype
        )
        select a.attrelid as relation, a.attname as name, pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
            -- Not null in place of -1: character and bit would have one place.
            pg_catalog.format_type(a.atttypid, -1) as plain_type, cn.nspname as collation_schema, co.collname as collation, e.schema as equality_schema,
            base.type = 'pg_catalog.timestamptz'::pg_catalog.regtype as depends_on_zone
        from pg_catalog.pg_attribute a
        join pg_catalog.pg_class c on c.oid = a.attrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        join pg_catalog.pg_type t on t.oid = a.atttypid
        cross join lateral (select case when t.typtype = 'd' then t.typbasetype else t.oid end as type) base
        left join equalities e on e.type = base.type
        left join pg_catalog.pg_collation co on co.oid = a.attcollation
        left join pg_catalog.pg_namespace cn on cn.oid = co.collnamespace
        where a.attnum > 0 and not a.attisdropped and \(userRelations)
        """

    private static let indexesQuery = """
        select i.indrelid as relation, i.indexrelid as oid, i.indisprimary as is_primary, i.indpred is null as is_whole,
            i.indisunique and coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::pg_catalog.bool, false)
                as nulls_equal,
            a.attname as name
        from pg_catalog.pg_index i
        join pg_catalog.pg_class c on c.oid = i.indrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        cross join lateral pg_catalog.unnest(i.indkey::pg_catalog.int2[]) with ordinality as k (number, place)
        left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number and k.number > 0
        where i.indisvalid and k.place <= i.indnkeyatts and \(userRelations)
        order by i.indrelid, i.indexrelid, k.place
        """

    /// With an expression among the keys, all columns that depend on the key may be in it.
    private static let partitionKeysQuery = """
        select p.partrelid as relation, p.partstrat as strategy, a.attname as name
        from pg_catalog.pg_partitioned_table p
        join pg_catalog.pg_class c on c.oid = p.partrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        join pg_catalog.pg_attribute a on a.attrelid = p.partrelid and a.attnum > 0 and not a.attisdropped
        where \(userRelations) and (a.attnum = any (p.partattrs::pg_catalog.int2[])
            or p.partexprs is not null and exists (select from pg_catalog.pg_depend k
                where k.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and k.refclassid = k.classid
                    and k.objid = p.partrelid and k.refobjid = p.partrelid and a.attnum in (k.objsubid, k.refobjsubid)))
        order by p.partrelid, a.attnum
        """

    /// Those that are not valid for the rows of now are checked for new ones; unenforced ones, of version 18, never are.
    private static let checksQuery = """
        select k.oid, k.conname as name, k.conrelid as relation, a.attname as column,
            pg_catalog.pg_get_expr(k.conbin, k.conrelid) as expression
        from pg_catalog.pg_constraint k
        join pg_catalog.pg_class c on c.oid = k.conrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = any (k.conkey)
        where k.contype = 'c' and \(userRelations)
            and coalesce((pg_catalog.to_jsonb(k) ->> 'conenforced')::pg_catalog.bool, true)
        order by k.oid, a.attnum
        """

    private static let accessMethodsQuery = """
        select c.oid as relation, m.amname as method
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        join pg_catalog.pg_am m on m.oid = c.relam
        where m.amname <> 'heap' and \(userRelations)
        """
}

extension QueryResult.Row {
    /// The column's value; these queries never return null there.
    fileprivate func value(_ column: String) throws -> String {
        guard let value = self[column] else {
            throw DatabudgieError(.internalInconsistency, "the catalog query returned no \(column)")
        }
        return value
    }

    fileprivate func number(_ column: String) throws -> Relation.OID {
        guard let number = Relation.OID(try value(column)) else {
            throw DatabudgieError(.internalInconsistency, "the catalog query returned no number for \(column)")
        }
        return number
    }
}
