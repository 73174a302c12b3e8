import Postgres

/// A foreign key, CHECK or NOT NULL constraint for whose present rows the server does not vouch: `NOT VALID`.
///
/// It is enforced for new rows all the same, also by COPY (PostgreSQL documentation, "ALTER TABLE").
struct NotValidConstraint: Sendable, Hashable {
    let table: Relation.OID
    let name: String
    /// The table that a foreign key points to.
    let referenced: Relation.OID?
    /// As ALTER TABLE … ADD CONSTRAINT takes it, NOT VALID included.
    let definition: String
    let comment: String?
    /// The server checks new rows.
    let isEnforced: Bool
    /// The role may drop it and add it again.
    let isOwned: Bool
    /// Once it is added again, it is what it was: no partition or child has a part of it that differs, and no trigger of it has
    /// been disabled.
    let canReturn: Bool

    /// Drops it.
    func dropping(from table: Relation) -> String {
        "alter table \(table.name.quoted) drop constraint \(quotedIdentifier(name))"
    }

    /// Adds it again as it was.
    func restoring(to table: Relation) -> [String] {
        let constraint = quotedIdentifier(name)
        let addition = "alter table \(table.name.quoted) add constraint \(constraint) \(definition)"
        guard let comment else { return [addition] }
        return [addition, "comment on constraint \(constraint) on \(table.name.quoted) is \(quotedLiteral(comment))"]
    }

    static func == (first: NotValidConstraint, second: NotValidConstraint) -> Bool { first.key == second.key }

    func hash(into hasher: inout Hasher) { hasher.combine(key) }

    private var key: [ByteKey] {
        [
            ByteKey(String(table)), ByteKey(name), ByteKey(definition), ByteKey(comment ?? ""),
            ByteKey("\(comment == nil)"),
        ]
    }
}

/// Reads constraints that are not valid.
struct NotValidConstraintReader {
    let connection: Connection

    /// Reads those of some tables; not the copies that partitions and children have.
    ///
    /// - Parameter tables: The tables.
    /// - Returns: The constraints, in order of table and name.
    /// - Throws: `PostgresError`.
    func read(of tables: [Relation.OID]) async throws(PostgresError) -> [NotValidConstraint] {
        guard !tables.isEmpty else { return [] }
        return try await connection.query(Self.query, [tables.arrayLiteral]).rows.compactMap { row in
            guard let table = row["table"].flatMap(Relation.OID.init), let name = row["name"],
                let definition = row["definition"]
            else { return nil }
            return NotValidConstraint(
                table: table,
                name: name,
                referenced: row["referenced"].flatMap(Relation.OID.init),
                definition: definition,
                comment: row["comment"],
                isEnforced: row["is_enforced"] == "t",
                isOwned: row["is_owned"] == "t",
                canReturn: row["can_return"] == "t"
            )
        }
    }

    /// NOT NULL constraints (`n`) and those that are not enforced are of version 18.
    private static let query = """
        select c.conrelid as table, c.conname as name, pg_catalog.pg_get_constraintdef(c.oid) as definition,
            case when c.contype operator(pg_catalog.=) 'f' then c.confrelid end as referenced,
            pg_catalog.obj_description(c.oid, 'pg_constraint') as comment,
            coalesce((pg_catalog.to_jsonb(c) operator(pg_catalog.->>) 'conenforced')::pg_catalog.bool, true) as is_enforced,
            pg_catalog.pg_has_role(r.relowner, 'USAGE') and (c.contype operator(pg_catalog.<>) 'f'
                or pg_catalog.has_table_privilege(c.confrelid, 'REFERENCES')
                or pg_catalog.has_any_column_privilege(c.confrelid, 'REFERENCES')) as is_owned,
            case when c.contype operator(pg_catalog.=) 'f' then
                not exists (select from pg_catalog.pg_trigger t
                    where t.tgconstraint operator(pg_catalog.=) c.oid and t.tgenabled operator(pg_catalog.<>) 'O')
                and not exists (select from pg_catalog.pg_constraint k
                    where k.conparentid operator(pg_catalog.=) c.oid and k.convalidated)
            else c.connoinherit or not exists (select from pg_catalog.pg_inherits i
                where i.inhparent operator(pg_catalog.=) c.conrelid) end as can_return
        from pg_catalog.pg_constraint c join pg_catalog.pg_class r on r.oid operator(pg_catalog.=) c.conrelid
        where c.conrelid operator(pg_catalog.=) any ($1::pg_catalog.oid[])
            and c.contype operator(pg_catalog.=) any ('{f,c,n}'::pg_catalog."char"[]) and not c.convalidated
            and c.conparentid operator(pg_catalog.=) 0::pg_catalog.oid
            and c.coninhcount operator(pg_catalog.=) 0
        order by c.conrelid, c.conname
        """
}
