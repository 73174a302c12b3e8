import Postgres

/// What a database has under the manifest's name, compared with what a run needs of it.
struct ManifestInspection: Sendable {
    /// The table's OID.
    let oid: Relation.OID
    /// Why no run can record its tables there.
    let problems: [Finding]

    /// Looks the table up.
    ///
    /// Only what a run uses is checked: other columns, types and indexes may be there, because a mixin of SQLAlchemy or
    /// a migration has created them.
    /// - Parameters:
    ///   - table: The manifest's name.
    ///   - connection: The database to look in.
    /// - Returns: nil when there is no such table.
    /// - Throws: `PostgresError`.
    static func find(_ table: ManifestTable, over connection: Connection) async throws -> ManifestInspection? {
        let names: [String?] = [table.name.schema, table.name.name]
        guard let row = try await connection.query(relationQuery, names).rows.first,
            let oid = row["oid"].flatMap(Relation.OID.init)
        else { return nil }
        let columns = try await connection.query(columnsQuery, [String(oid)]).rows.map(ManifestColumn.init)
        return ManifestInspection(oid: oid, problems: problems(of: row, table) + problems(of: columns, table))
    }

    /// What is wrong with the table as a whole.
    private static func problems(of row: QueryResult.Row, _ table: ManifestTable) -> [Finding] {
        var problems: [Finding] = []
        if row["is_readable"] != "t" || row["is_writable"] != "t" {
            problems.append(
                .problem(
                    "the role lacks the privileges to write to the manifest table \(table)",
                    hint: "grant it USAGE on the schema, and SELECT and INSERT on the table"
                )
            )
        }
        if row["is_standby"] == "t" {
            problems.append(
                .problem(
                    "the server is a standby, where nothing can be recorded in the manifest table \(table)",
                    hint: "connect to its primary, or remove 'manifest'"
                )
            )
        }
        return problems
    }

    /// What is wrong with the columns: those that a run fills in, and those that it leaves to their defaults.
    private static func problems(of columns: [ManifestColumn], _ table: ManifestTable) -> [Finding] {
        var problems: [Finding] = []
        for (name, categories) in needed {
            guard let column = columns.first(where: { $0.name.hasBytes(of: name) }) else {
                problems.append(.problem("the manifest table \(table) has no column \"\(name)\"", hint: "add it"))
                continue
            }
            if !categories.contains(column.category) {
                let type = name == "transaction" ? "integer" : "text"
                problems.append(
                    .problem(
                        "the column \"\(name)\" of the manifest table \(table) has the type \(column.type)",
                        hint: "change it to \(type)"
                    )
                )
            }
        }
        for column in columns where column.mustBeGiven && !needed.contains(where: { $0.name.hasBytes(of: column.name) })
        {
            problems.append(
                .problem(
                    "the column \"\(column.name)\" of the manifest table \(table) is NOT NULL and has no default",
                    hint: "give it a default"
                )
            )
        }
        for column in columns where !column.canUseDefault {
            problems.append(
                .problem(
                    "the role lacks USAGE on the sequence of the column \"\(column.name)\" of the manifest table \(table)",
                    hint: "grant it"
                )
            )
        }
        return problems
    }

    /// Names with the type categories that fit (`pg_type.typcategory`): numbers; strings and enumerations.
    private static let needed: [(name: String, categories: Set<String>)] = [
        ("transaction", ["N"]), ("action", ["S", "E"]), ("table", ["S"]), ("file_path", ["S"]),
    ]

    private static let relationQuery = """
        select c.oid, pg_catalog.pg_is_in_recovery() as is_standby,
            pg_catalog.has_schema_privilege(n.oid, 'USAGE') and pg_catalog.has_table_privilege(c.oid, 'SELECT')
                as is_readable,
            pg_catalog.has_any_column_privilege(c.oid, 'INSERT') as is_writable
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
        where n.nspname operator(pg_catalog.=) $1 and c.relname operator(pg_catalog.=) $2
            and c.relkind operator(pg_catalog.=) any ('{r,p,v,f}'::pg_catalog."char"[])
        """

    private static let columnsQuery = """
        select a.attname as name, pg_catalog.format_type(a.atttypid, a.atttypmod) as type, t.typcategory as category,
            a.attnotnull and not (a.atthasdef or a.attidentity operator(pg_catalog.<>) '' or t.typdefault is not null)
                as must_be_given,
            -- Identity columns use their sequence without a privilege. The planner decides the order of evaluation, except
            -- in CASE, and the function refuses what is not a sequence.
            not exists (
                select from pg_catalog.pg_depend d
                join pg_catalog.pg_class s on s.oid operator(pg_catalog.=) d.objid
                where d.classid operator(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                    and d.refobjid operator(pg_catalog.=) a.attrelid and d.refobjsubid operator(pg_catalog.=) a.attnum
                    and d.deptype operator(pg_catalog.=) 'a'
                    and case when s.relkind operator(pg_catalog.=) 'S'
                        then not pg_catalog.has_sequence_privilege(s.oid, 'USAGE, UPDATE') else false end
            ) as can_use_default
        from pg_catalog.pg_attribute a
        join pg_catalog.pg_type t on t.oid operator(pg_catalog.=) a.atttypid
        where a.attrelid operator(pg_catalog.=) $1::pg_catalog.oid and a.attnum operator(pg_catalog.>) 0
            and not a.attisdropped
        order by a.attnum
        """
}

/// A column of a table that could be a manifest.
private struct ManifestColumn {
    let name: String
    let type: String
    let category: String
    let mustBeGiven: Bool
    let canUseDefault: Bool

    init(_ row: QueryResult.Row) {
        name = row["name"] ?? ""
        type = row["type"] ?? ""
        category = row["category"] ?? ""
        mustBeGiven = row["must_be_given"] == "t"
        canUseDefault = row["can_use_default"] == "t"
    }
}
