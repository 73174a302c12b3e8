import Postgres

/// Statements that find rows which violate a key, read before the key is dropped: afterwards the server knows nothing of it.
struct ViolationQueries {
    /// How many rows are named.
    static let limit = 5

    /// By the OID of a foreign key or of a unique index: each finds the numbers of rows, as they were loaded.
    private var statements: [UInt32: String] = [:]

    /// Reads what is to be known of some parts, in a transaction whose search path is empty.
    ///
    /// - Parameters:
    ///   - parts: Keys and indexes that are still there.
    ///   - catalog: Of the target.
    ///   - connection: Has the transaction open.
    /// - Throws: `PostgresError`.
    init(of parts: RebuiltParts, _ catalog: DatabaseCatalog, over connection: Connection) async throws {
        let keys = parts.constraints.filter { $0.referenced != nil }
        for (query, oids) in [(Self.orphans, keys.map(\.oid)), (Self.duplicates, parts.indexes.map(\.oid))]
        where !oids.isEmpty {
            for row in try await connection.query(query, [oids.arrayLiteral]).rows {
                guard let oid = row["oid"].flatMap(UInt32.init), let statement = row["statement"] else { continue }
                statements[oid] = statement
            }
        }
    }

    init() {}

    /// Finds rows that violate a part, in a transaction that can still read the table.
    ///
    /// - Parameters:
    ///   - oid: Of the part, when it was there.
    ///   - connection: Has the transaction open, with an empty search path.
    /// - Returns: The numbers of the first few rows, from 1; empty when they cannot be found.
    func rows(violating oid: UInt32, over connection: Connection) async -> [Int] {
        guard let statement = statements[oid] else { return [] }
        // Best effort: the server's own message names the key.
        guard let rows = try? await connection.query(statement).rows else { return [] }
        return rows.compactMap { row in row["number"].flatMap { Int($0) } }
    }

    /// A table that was empty is filled from its beginning to its end, so the place of a row is its number in the file.
    ///
    /// The equality of a foreign key is one of its own. With MATCH SIMPLE a row refers to nothing when one of its columns is
    /// null, with MATCH FULL when all are (PostgreSQL documentation, "CREATE TABLE"). Keys of periods are not compared.
    private static let orphans = """
        select c.oid, format('select (select count(*) from only %1$s as t where t.ctid <= o.ctid) as number from (
                select f.ctid from only %1$s as f where %2$s and not exists (select from %5$s%3$s as p where %4$s)
                order by f.ctid limit \(limit)) as o order by 1',
            c.conrelid::regclass, k.is_set, c.confrelid::regclass, k.is_equal, case when p.relkind = 'r' then 'only ' end) as statement
        from pg_constraint c join pg_class r on r.oid = c.conrelid join pg_class p on p.oid = c.confrelid
        cross join lateral (
            select string_agg(format('p.%I operator(%I.%s) f.%I', pa.attname, n.nspname, o.oprname, fa.attname), ' and ') as is_equal,
                case c.confmatchtype when 'f' then 'not (' || string_agg(format('f.%I is null', fa.attname), ' and ') || ')'
                else string_agg(format('f.%I is not null', fa.attname), ' and ') end as is_set
            from unnest(c.conkey, c.confkey, c.conpfeqop) as k (referencing, referenced, operator)
            join pg_attribute fa on fa.attrelid = c.conrelid and fa.attnum = k.referencing
            join pg_attribute pa on pa.attrelid = c.confrelid and pa.attnum = k.referenced
            join pg_operator o on o.oid = k.operator join pg_namespace n on n.oid = o.oprnamespace
        ) k
        where c.oid = any ($1::oid[]) and r.relkind = 'r'
            and (to_jsonb(c) ->> 'conperiod')::bool is not true
        """

    private static let duplicates = """
        select i.indexrelid as oid, format('select (select count(*) from only %1$s as t where t.ctid <= d.ctid) as number from (
                select u.ctid, row_number() over (partition by %2$s order by u.ctid) as place from only %1$s as u where %3$s) as d
                where d.place > 1 order by d.ctid limit \(limit)',
            i.indrelid::regclass, k.members,
            coalesce('(' || pg_get_expr(i.indpred, i.indrelid) || ')', 'true')
                || case when (to_jsonb(i) ->> 'indnullsnotdistinct')::bool then '' else k.is_set end) as statement
        from pg_index i join pg_class r on r.oid = i.indrelid
        cross join lateral (
            select string_agg(m, ', ') as members, string_agg(format(' and (%s) is not null', m), '') as is_set
            from generate_series(1, i.indnkeyatts) n cross join lateral pg_get_indexdef(i.indexrelid, n, false) m
        ) k
        where i.indexrelid = any ($1::oid[]) and i.indisunique and not i.indisexclusion and r.relkind = 'r'
        """
}
