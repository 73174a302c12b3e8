import Postgres

/// How the rows of a file, once they are in a staging table, are merged with those of a table: the SQL of it.
///
/// All operators are named with their schemas, because triggers and defaults need the user's search path meanwhile.
struct RowMerge: Sendable {
    let mode: LoadMode
    let target: Relation
    /// The columns of the file that are loaded, in its order.
    let columns: [String]
    /// The key by which rows are recognized; nil for any unique key.
    let key: UniqueKey?

    /// The columns that are set in a row that is there: not those of its key, nor what the server refuses to update.
    var updated: [String] {
        let others = target.columns.filter { !$0.isAlwaysIdentity && !$0.isGenerated }
        let settable = Set(others.map { ByteKey($0.name) }).subtracting(key?.members.map(\.key) ?? [])
        return columns.filter { settable.contains(ByteKey($0)) }
    }

    /// Creates the staging table: the target's columns with their types, and nothing else of it.
    ///
    /// - Parameter staging: Its name, quoted.
    /// - Returns: A statement.
    func creation(of staging: String) -> String {
        "create temporary table \(staging) on commit drop as select \(list(columns)) from \(target.name.quoted) with no data"
    }

    /// Merges all rows of the staging table, and counts what was done.
    ///
    /// - Parameter staging: Its name, quoted.
    /// - Returns: A query of one row: `inserted`, and `updated`, which is null where no row is updated.
    func statement(from staging: String) -> String {
        let insertion = """
            insert into \(target.name.quoted) as target (\(list(columns))) overriding system value
            select \(list(columns)) from \(staging)
            on conflict\(arbiter) do \(action)
            """
        guard isUpdating else {
            return
                "with merged as (\(insertion) returning 1) select pg_catalog.count(*) as inserted, null as updated from merged"
        }
        guard target.kind == .partitionedTable else {
            // A row that was locked for its update has the lock in its new version; a new row has none.
            return """
                with merged as (\(insertion) returning xmax operator(pg_catalog.=) '0'::pg_catalog.xid as is_new)
                select pg_catalog.count(*) filter (where is_new) as inserted,
                    pg_catalog.count(*) filter (where not is_new) as updated
                from merged
                """
        }
        // The rows of a partitioned table come back without what is the system's.
        return """
            with known as (
                select pg_catalog.count(*) as number from \(staging) as source
                where exists (select from \(target.name.quoted) as target where \(isSameKey))
            ), merged as (\(insertion) returning 1),
            counts as (
                select (select pg_catalog.count(*) from merged) as written,
                    (select pg_catalog.count(*) from \(staging)) operator(pg_catalog.-) known.number as fresh
                from known
            )
            select least(fresh, written) as inserted,
                written operator(pg_catalog.-) least(fresh, written) as updated
            from counts
            """
    }

    /// Counts the keys that several rows of the staging table have.
    ///
    /// - Parameter staging: Its name, quoted.
    /// - Returns: A query of one `number`; nil when the file does not have the key's columns.
    func repeatedKeys(in staging: String) -> String? {
        guard let key, hasKey else { return nil }
        let nulls = key.nullableMembers.map { "\(quotedIdentifier($0.name)) is not null" }
        let condition = nulls.isEmpty ? "" : "where \(nulls.joined(separator: " and ")) "
        let names = list(key.members.map(\.name))
        return """
            select pg_catalog.count(*) as number from (
                select from \(staging) \(condition)group by \(names)
                having pg_catalog.count(*) operator(pg_catalog.>) 1::pg_catalog.int8
            ) as repeated
            """
    }

    /// Counts the rows that no key recognizes, because it has a null.
    ///
    /// - Parameter staging: Its name, quoted.
    /// - Returns: A query of one `number`; nil when there can be no such row.
    func unrecognizedRows(in staging: String) -> String? {
        guard let nullable = key?.nullableMembers, !nullable.isEmpty, hasKey else { return nil }
        let condition = nullable.map { "\(quotedIdentifier($0.name)) is null" }.joined(separator: " or ")
        return "select pg_catalog.count(*) as number from \(staging) where \(condition)"
    }

    private var isUpdating: Bool { mode == .upsert && !updated.isEmpty }

    /// The server generates the columns of some keys.
    private var hasKey: Bool {
        key.map { Set($0.members.map(\.key)).isSubset(of: columns.map { ByteKey($0) }) } ?? false
    }

    private var arbiter: String { key.map { " (\(list($0.members.map(\.name))))" } ?? "" }

    /// A row that is there is changed only when a value differs in its bytes: what an operator takes for equal, such as 1.0
    /// and 1.00, may be told apart, and some types have no such operator (PostgreSQL documentation, "Row and Array
    /// Comparisons", `*<>`).
    private var action: String {
        guard isUpdating else { return "nothing" }
        func record(_ table: String) -> String {
            "(row(\(updated.map { "\(table).\(quotedIdentifier($0))" }.joined(separator: ", ")))::pg_catalog.record)"
        }
        let changes = updated.map { "\(quotedIdentifier($0)) = excluded.\(quotedIdentifier($0))" }
        return """
            update set \(changes.joined(separator: ", "))
            where \(record("target")) operator(pg_catalog.*<>) \(record("excluded"))
            """
    }

    private var isSameKey: String {
        (key?.members ?? []).map { member in
            let (target, source) = (
                "target.\(quotedIdentifier(member.name))", "source.\(quotedIdentifier(member.name))"
            )
            let equality = "\(target) \(member.equality) \(source)"
            guard key?.areNullsDistinct == false, !member.isNotNull else { return equality }
            return "(\(equality) or \(target) is null and \(source) is null)"
        }.joined(separator: " and ")
    }

    private func list(_ names: [String]) -> String { names.map(quotedIdentifier).joined(separator: ", ") }
}
