import Postgres

/// A foreign key, or a CHECK or NOT NULL constraint for whose present rows the server does not vouch (`NOT VALID`): what a
/// load can do without, because it is added again as it was.
///
/// All of them are enforced for new rows, also by COPY (PostgreSQL documentation, "ALTER TABLE").
struct TableConstraint: Sendable, Hashable {
    let oid: UInt32
    let table: Relation.OID
    let name: String
    /// The table that a foreign key points to.
    let referenced: Relation.OID?
    /// As ALTER TABLE … ADD CONSTRAINT takes it, NOT VALID included.
    let definition: String
    let comment: String?
    /// The server vouches for the rows that are there.
    let isValidated: Bool
    /// The server checks new rows.
    let isEnforced: Bool
    /// The role may drop it and add it again.
    let isOwned: Bool
    /// Once it is added again, it is what it was: nothing depends on it, no partition or child has a part of it that differs,
    /// and no trigger of it has been disabled.
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

    static func == (first: TableConstraint, second: TableConstraint) -> Bool { first.key == second.key }

    func hash(into hasher: inout Hasher) { hasher.combine(key) }

    private var key: [ByteKey] {
        [
            ByteKey(String(table)), ByteKey(name), ByteKey(definition), ByteKey(comment ?? ""),
            ByteKey("\(comment == nil)"),
        ]
    }
}

/// Reads constraints that a load can do without.
struct TableConstraintReader {
    let connection: Connection

    /// Reads those of some tables; not the copies that partitions and children have.
    ///
    /// - Parameters:
    ///   - tables: The tables of which those that are not valid are read.
    ///   - keyed: The tables of which all foreign keys are read, and those that point to them.
    /// - Returns: The constraints, in order of table and name.
    /// - Throws: `PostgresError`.
    func read(
        notValidOf tables: [Relation.OID],
        foreignKeysOf keyed: [Relation.OID] = []
    ) async throws(PostgresError) -> [TableConstraint] {
        guard !tables.isEmpty || !keyed.isEmpty else { return [] }
        return try await connection.query(Self.query, [tables.arrayLiteral, keyed.arrayLiteral]).rows.compactMap {
            row in
            guard let oid = row["oid"].flatMap(UInt32.init), let table = row["table"].flatMap(Relation.OID.init),
                let name = row["name"], let definition = row["definition"]
            else { return nil }
            return TableConstraint(
                oid: oid,
                table: table,
                name: name,
                referenced: row["referenced"].flatMap(Relation.OID.init),
                definition: definition,
                comment: row["comment"],
                isValidated: row["is_validated"] == "t",
                isEnforced: row["is_enforced"] == "t",
                isOwned: row["is_owned"] == "t",
                canReturn: row["can_return"] == "t"
            )
        }
    }

    /// Says of each constraint whether it comes back as it was.
    ///
    /// As a replica, a session does not check foreign keys, and rows may land that violate one; adding it would check them.
    /// NOT NULL constraints (`n`) and those that are not enforced are of version 18. Copies of a key at the partitions of either
    /// table are constraints of their own, one below the other.
    private static let query = """
        with recursive own as materialized (
            select c.oid, c.conrelid, c.confrelid, c.conname, c.contype, c.convalidated, c.connoinherit,
                coalesce((pg_catalog.to_jsonb(c) operator(pg_catalog.->>) 'conenforced')::pg_catalog.bool, true) as is_enforced,
                not exists (select from pg_catalog.unnest(c.confkey) k
                    where not pg_catalog.has_column_privilege(c.confrelid, k, 'REFERENCES')) as may_refer
            from pg_catalog.pg_constraint c
            where c.conparentid operator(pg_catalog.=) 0::pg_catalog.oid and c.coninhcount operator(pg_catalog.=) 0 and (
                c.conrelid operator(pg_catalog.=) any ($1::pg_catalog.oid[]) and not c.convalidated
                    and c.contype operator(pg_catalog.=) any ('{f,c,n}'::pg_catalog."char"[])
                or c.contype operator(pg_catalog.=) 'f' and (c.conrelid operator(pg_catalog.=) any ($2::pg_catalog.oid[])
                    or c.confrelid operator(pg_catalog.=) any ($2::pg_catalog.oid[])))
        ), copies as (
            select o.oid as original, o.oid, o.conrelid, o.conname, o.convalidated from own o
                where o.contype operator(pg_catalog.=) 'f'
            union all
            select c.original, k.oid, k.conrelid, k.conname, k.convalidated from copies c
                join pg_catalog.pg_constraint k on k.conparentid operator(pg_catalog.=) c.oid
        ), differing as (
            select distinct c.original from copies c join own o on o.oid operator(pg_catalog.=) c.original
            where c.convalidated operator(pg_catalog.<>) o.convalidated
                or c.conrelid operator(pg_catalog.<>) o.conrelid and c.conname operator(pg_catalog.<>) o.conname
                or c.oid operator(pg_catalog.<>) o.oid and pg_catalog.obj_description(c.oid, 'pg_constraint') is not null
                or exists (select from pg_catalog.pg_trigger t
                    where t.tgconstraint operator(pg_catalog.=) c.oid and t.tgenabled operator(pg_catalog.<>) 'O')
                or exists (select from pg_catalog.pg_depend d
                    where d.refclassid operator(pg_catalog.=) 'pg_catalog.pg_constraint'::pg_catalog.regclass
                        and d.refobjid operator(pg_catalog.=) c.oid
                        and d.classid operator(pg_catalog.<>) 'pg_catalog.pg_trigger'::pg_catalog.regclass
                        and d.classid operator(pg_catalog.<>) 'pg_catalog.pg_constraint'::pg_catalog.regclass)
        )
        select o.oid, o.conrelid as table, o.conname as name, pg_catalog.pg_get_constraintdef(o.oid) as definition,
            case when o.contype operator(pg_catalog.=) 'f' then o.confrelid end as referenced,
            pg_catalog.obj_description(o.oid, 'pg_constraint') as comment, o.convalidated as is_validated, o.is_enforced,
            pg_catalog.pg_has_role(r.relowner, 'USAGE')
                and (o.contype operator(pg_catalog.<>) 'f' or o.may_refer) as is_owned,
            not exists (select from pg_catalog.pg_depend d
                where d.classid operator(pg_catalog.=) 'pg_catalog.pg_constraint'::pg_catalog.regclass
                    and d.objid operator(pg_catalog.=) o.oid
                    and d.refclassid operator(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass)
            and case when o.contype operator(pg_catalog.=) 'f' then
                not exists (select from differing d where d.original operator(pg_catalog.=) o.oid)
                and (not o.convalidated
                    or pg_catalog.current_setting('session_replication_role') operator(pg_catalog.<>) 'replica')
            else o.connoinherit or not exists (select from pg_catalog.pg_inherits i
                where i.inhparent operator(pg_catalog.=) o.conrelid) end as can_return
        from own o join pg_catalog.pg_class r on r.oid operator(pg_catalog.=) o.conrelid
        order by o.conrelid, o.conname
        """
}
