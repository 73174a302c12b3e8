import Postgres

/// What two rows of a table cannot have in common: a unique index, or an exclusion constraint.
struct UniqueKey: Sendable, Hashable {
    /// A column of the key.
    struct Member: Sendable, Hashable {
        /// Compared by bytes, as the server does.
        let key: ByteKey
        let isNotNull: Bool
        /// The operator by which the index finds equal values, in SQL: `operator(pg_catalog.=)`.
        let equality: String

        var name: String { key.string }
    }

    /// The index's name.
    let name: String
    let isPrimary: Bool
    /// Checked at once, and not when its constraint says so: rows can be recognized by no other.
    let isImmediate: Bool
    /// A unique index over all rows, by columns alone: no predicate, no expression, no exclusion constraint.
    let isPlain: Bool
    /// Rows with a null in the key are different from all others.
    let areNullsDistinct: Bool
    /// In the order of the index; empty when it is not plain.
    var members: [Member] = []

    /// Whether `INSERT … ON CONFLICT` can name it by its columns.
    var isArbiter: Bool { isPlain && isImmediate }

    /// The columns that can be null, so rows may escape the key.
    var nullableMembers: [Member] { areNullsDistinct ? members.filter { !$0.isNotNull } : [] }

    /// Whether it has exactly these columns, in any order.
    func hasColumns(_ names: [String]) -> Bool {
        members.count == names.count && Set(members.map(\.key)) == Set(names.map { ByteKey($0) })
    }

    /// The columns as messages show them: `(store, number)`.
    var columnList: String { "(" + members.map(\.name).joined(separator: ", ") + ")" }
}

/// Reads the unique keys of tables.
struct UniqueKeyReader {
    let connection: Connection

    /// Reads the valid keys of some tables.
    ///
    /// - Parameter relations: The tables' OIDs.
    /// - Returns: By table; the primary key first, then by name.
    /// - Throws: `PostgresError`.
    func keys(of relations: [Relation.OID]) async throws -> [Relation.OID: [UniqueKey]] {
        var keys: [Relation.OID: [UniqueKey]] = [:]
        var lastIndex: Relation.OID?
        for row in try await connection.query(Self.query, [relations.arrayLiteral]).rows {
            guard let relation = row["relation"].flatMap(Relation.OID.init), let name = row["name"] else { continue }
            let index = row["index"].flatMap(Relation.OID.init)
            let isPlain = row["is_plain"] == "t"
            if index != lastIndex {
                keys[relation, default: []].append(
                    UniqueKey(
                        name: name,
                        isPrimary: row["is_primary"] == "t",
                        isImmediate: row["is_immediate"] == "t",
                        isPlain: isPlain,
                        areNullsDistinct: row["nulls_distinct"] == "t"
                    )
                )
            }
            lastIndex = index
            guard isPlain, let column = row["column"], let last = keys[relation]?.indices.last else { continue }
            keys[relation]?[last].members.append(
                UniqueKey.Member(
                    key: ByteKey(column),
                    isNotNull: row["is_not_null"] == "t",
                    equality: row["equality"] ?? "operator(pg_catalog.=)"
                )
            )
        }
        return keys
    }

    /// The equality of a B-tree is its strategy 3 (PostgreSQL documentation, "Index Method Strategies and Support Routines").
    ///
    /// Servers before 15 have no keys in which nulls are equal.
    private static let query = """
        select i.indrelid as relation, i.indexrelid as index, c.relname as name, i.indisprimary as is_primary,
            i.indimmediate as is_immediate,
            not coalesce((pg_catalog.to_jsonb(i) operator(pg_catalog.->>) 'indnullsnotdistinct')::pg_catalog.bool, false)
                as nulls_distinct,
            i.indisunique and not i.indisexclusion and i.indpred is null and i.indexprs is null as is_plain,
            a.attname as column, a.attnotnull as is_not_null,
            (select 'operator(' operator(pg_catalog.||) pg_catalog.quote_ident(n.nspname) operator(pg_catalog.||) '.'
                    operator(pg_catalog.||) o.oprname::pg_catalog.text operator(pg_catalog.||) ')'
                from pg_catalog.pg_opclass oc
                join pg_catalog.pg_amop ao on ao.amopfamily operator(pg_catalog.=) oc.opcfamily
                    and ao.amoplefttype operator(pg_catalog.=) oc.opcintype
                    and ao.amoprighttype operator(pg_catalog.=) oc.opcintype
                    and ao.amopstrategy operator(pg_catalog.=) 3::pg_catalog.int2
                join pg_catalog.pg_operator o on o.oid operator(pg_catalog.=) ao.amopopr
                join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) o.oprnamespace
                where oc.oid operator(pg_catalog.=) k.opclass) as equality
        from pg_catalog.pg_index i
        join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) i.indexrelid
        cross join lateral rows from (
            pg_catalog.unnest(i.indkey::pg_catalog.int2[]), pg_catalog.unnest(i.indclass::pg_catalog.oid[])
        ) with ordinality as k (number, opclass, place)
        left join pg_catalog.pg_attribute a on a.attrelid operator(pg_catalog.=) i.indrelid
            and a.attnum operator(pg_catalog.=) k.number
        where i.indrelid operator(pg_catalog.=) any ($1::pg_catalog.oid[])
            and (i.indisunique or i.indisexclusion) and i.indisvalid
            and k.place operator(pg_catalog.<=) i.indnkeyatts::pg_catalog.int8
        order by i.indrelid, not i.indisprimary, c.relname, i.indexrelid, k.place
        """
}
