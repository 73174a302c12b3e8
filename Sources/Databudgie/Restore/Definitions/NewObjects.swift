import Foundation
import Postgres

/// The objects that definitions have just created, and what the default privileges of the target gave to other roles.
///
/// A definition of privileges says how an object differs from what the server gives it by itself (PostgreSQL documentation,
/// 5.8); with `ALTER DEFAULT PRIVILEGES` of the creating role it begins with more, or less, which nobody has granted.
struct NewObjects {
    let connection: Connection
    /// The role has default privileges here; without any there is nothing to do.
    private var isNeeded: Bool
    private var objects: [Object] = []
    /// Functions that had privileges before: a new one may have the name of another.
    private var knownFunctions: [String]?

    private struct Object: Encodable {
        let kind: String
        var schema = ""
        let name: String
    }

    init(connection: Connection) async throws {
        self.connection = connection
        isNeeded = try await Self.hasDefaultPrivileges(connection)
    }

    /// Whether what comes before a definition has to be run before ``prepare(for:)``.
    ///
    /// - Parameters:
    ///   - definition: The next one.
    ///   - pending: Those before it that are not run yet.
    /// - Returns: False when it needs nothing.
    func hasWork(before definition: Definition, after pending: some Sequence<Definition>) -> Bool {
        guard isNeeded else { return false }
        if Self.kinds[definition.type] == "function", knownFunctions == nil { return true }
        return Self.privileges.contains(definition.type)
            && (!objects.isEmpty || pending.contains { Self.kinds[$0.type] != nil })
    }

    /// Has to be called before a definition is run.
    mutating func prepare(for definition: Definition) async throws {
        guard isNeeded else { return }
        if Self.privileges.contains(definition.type) { try await reset() }
        guard knownFunctions == nil, Self.kinds[definition.type] == "function" else { return }
        let query = "select oid from pg_catalog.pg_proc where proacl is not null"
        knownFunctions = try await connection.query(query).rows.compactMap { $0["oid"] }
    }

    /// Has to be called after a definition was run.
    mutating func add(_ definition: Definition) {
        if definition.type == "DEFAULT ACL" { isNeeded = true }
        guard isNeeded, let kind = Self.kinds[definition.type] else { return }
        let tokens = SQLStatements.tokens(definition.sql.utf8)
        if kind == "schema" {
            if tokens.count > 2, let name = SQLStatements.identifier(tokens[tokens.count > 5 ? 5 : 2]) {
                objects.append(Object(kind: kind, name: String(decoding: name, as: UTF8.self)))
            }
            return
        }
        guard let first = SQLStatements.qualifiedName(in: tokens)?.name else { return }
        objects.append(Object(kind: kind, schema: first.schema, name: first.name))
        // ALTER TABLE … ADD GENERATED … AS IDENTITY ( SEQUENCE NAME schema.name
        for index in tokens.indices.dropLast() where SQLLexer.keyword(tokens[index]) == "SEQUENCE" {
            guard SQLLexer.keyword(tokens[index + 1]) == "NAME",
                let next = SQLStatements.qualifiedName(in: tokens, from: index + 2)?.name
            else { continue }
            objects.append(Object(kind: kind, schema: next.schema, name: next.name))
        }
    }

    /// Gives the new objects the privileges that the server gives them by itself.
    ///
    /// - Throws: `PostgresError`.
    mutating func reset() async throws {
        guard isNeeded, !objects.isEmpty else { return }
        let list = String(decoding: try JSONEncoder().encode(objects), as: UTF8.self)
        let known = "{" + (knownFunctions ?? []).joined(separator: ",") + "}"
        let statements = try await connection.query(Self.query, [list, known]).rows.compactMap { $0["statement"] }
        for batch in statements.batches(of: 100) {
            try await connection.execute(batch.joined(separator: "; "))
        }
        (objects, knownFunctions) = ([], nil)
    }

    private static let privileges: Set = ["ACL", "DEFAULT ACL"]
    private static let kinds = [
        "TABLE": "relation", "FOREIGN TABLE": "relation", "VIEW": "relation", "MATERIALIZED VIEW": "relation",
        "SEQUENCE": "relation", "FUNCTION": "function", "PROCEDURE": "function", "AGGREGATE": "function",
        "TYPE": "type", "DOMAIN": "type", "SCHEMA": "schema",
    ]

    private static func hasDefaultPrivileges(_ connection: Connection) async throws -> Bool {
        try await connection.query(
            """
            select 1 from pg_catalog.pg_default_acl d
            join pg_catalog.pg_roles r on r.oid operator(pg_catalog.=) d.defaclrole
            where r.rolname operator(pg_catalog.=) current_user
            """
        ).rows.isEmpty == false
    }

    /// First what others have beyond the built-in defaults (`acldefault`), then what is missing of these.
    private static let query = """
        with created as (
            select kind, schema, name
            from pg_catalog.json_to_recordset($1::pg_catalog.json)
                as x (kind pg_catalog.text, schema pg_catalog.name, name pg_catalog.name)
        ), relations as (
            select c.oid from created x
            join pg_catalog.pg_namespace n on n.nspname = x.schema
            join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = x.name
            where x.kind = 'relation'
        ), objects as (
            select case when c.relkind = 'S' then 'sequence' else 'table' end as noun,
                pg_catalog.format('%I.%I', n.nspname, c.relname) as name, c.relowner as owner, c.relacl as acl,
                pg_catalog.acldefault(case when c.relkind = 'S' then 's' else 'r' end::pg_catalog."char", c.relowner)
                    as defaults
            from pg_catalog.pg_class c
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where c.oid in (
                select oid from relations
                union all
                -- The sequences of serial columns, which no definition names.
                select d.objid from pg_catalog.pg_depend d
                join relations r on r.oid = d.refobjid
                where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refclassid = d.classid
                    and d.deptype in ('a', 'i')
            ) and c.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
            union all
            select case p.prokind when 'p' then 'procedure' else 'function' end,
                p.oid::pg_catalog.regprocedure::pg_catalog.text, p.proowner, p.proacl,
                pg_catalog.acldefault('f', p.proowner)
            from created x
            join pg_catalog.pg_namespace n on n.nspname = x.schema
            join pg_catalog.pg_proc p on p.pronamespace = n.oid and p.proname = x.name
            where x.kind = 'function' and p.oid <> all ($2::pg_catalog.oid[])
            union all
            select 'type', pg_catalog.format('%I.%I', n.nspname, t.typname), t.typowner, t.typacl,
                pg_catalog.acldefault('T', t.typowner)
            from created x
            join pg_catalog.pg_namespace n on n.nspname = x.schema
            join pg_catalog.pg_type t on t.typnamespace = n.oid and t.typname = x.name
            where x.kind = 'type'
            union all
            select 'schema', pg_catalog.quote_ident(n.nspname), n.nspowner, n.nspacl,
                pg_catalog.acldefault('n', n.nspowner)
            from created x
            join pg_catalog.pg_namespace n on n.nspname = x.name
            where x.kind = 'schema'
        ), given as (
            select o.noun, o.name, o.owner, a.grantee, a.privilege_type
            from objects o, pg_catalog.aclexplode(o.acl) a
        ), expected as (
            select o.noun, o.name, o.owner, a.grantee, a.privilege_type
            from objects o, pg_catalog.aclexplode(o.defaults) a
            where o.acl is not null
        )
        select distinct 1 as step, pg_catalog.format('revoke all on %s %s from %s', noun, name,
            case grantee when 0 then 'public' else pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)) end)
            as statement
        from (select * from given where grantee <> owner except select * from expected) e
        union all
        select 2, pg_catalog.format('grant %s on %s %s to %s', privilege_type, noun, name,
            case grantee when 0 then 'public' else pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)) end)
        from (select * from expected except select * from given) m
        order by 1, 2
        """
}
