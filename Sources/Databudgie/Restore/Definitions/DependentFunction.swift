import Postgres

/// A function of the target that takes or returns the rows of a table that is replaced, so it has to be dropped with it.
struct DependentFunction: Sendable {
    let oid: Relation.OID
    let name: QualifiedName
    /// The function as `DROP ROUTINE` names it.
    let signature: String
    /// What follows `CREATE FUNCTION` in a definition of pg_dump's, up to the end of the arguments.
    let head: String
    /// No other function has its name.
    let isOnlyOne: Bool

    private static let types: Set = ["FUNCTION", "PROCEDURE", "AGGREGATE"]

    /// The definition that creates it again.
    ///
    /// - Parameter definitions: Those of the restore.
    /// - Returns: Its place among them; nil when the restore does not bring the function back.
    func definition(in definitions: [StoredDefinition]) -> Int? {
        let namesakes = definitions.indices.filter { index in
            let definition = definitions[index].definition
            guard Self.types.contains(definition.type), definition.schema.hasBytes(of: name.schema) else {
                return false
            }
            return SQLStatements.qualifiedName(in: SQLStatements.tokens(definition.sql.utf8.prefix(1_000)))?.name
                == name
        }
        let exact = namesakes.first { index in
            let definition = definitions[index].definition
            return definition.sql.utf8.starts(with: "CREATE \(definition.type) \(head)".utf8)
        }
        // Its arguments may have got other names or defaults.
        return exact ?? (isOnlyOne && namesakes.count == 1 ? namesakes[0] : nil)
    }

    /// Reads functions of the target, with an empty search path.
    ///
    /// - Throws: `PostgresError`.
    static func read(_ oids: [Relation.OID], over connection: Connection) async throws -> [DependentFunction] {
        guard !oids.isEmpty else { return [] }
        return try await connection.query(
            """
            select p.oid, n.nspname as schema, p.proname as name,
                p.oid::pg_catalog.regprocedure::pg_catalog.text as signature,
                pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.pg_get_function_arguments(p.oid)) as head,
                not exists (
                    select from pg_catalog.pg_proc o
                    where o.proname = p.proname and o.pronamespace = p.pronamespace and o.oid <> p.oid
                ) as is_only_one
            from pg_catalog.pg_proc p
            join pg_catalog.pg_namespace n on n.oid = p.pronamespace
            where p.oid = any ($1::pg_catalog.oid[])
            order by 1
            """,
            [oids.arrayLiteral]
        ).rows.compactMap { row in
            guard let oid = row["oid"].flatMap(Relation.OID.init), let schema = row["schema"], let name = row["name"],
                let signature = row["signature"], let head = row["head"]
            else { return nil }
            return DependentFunction(
                oid: oid,
                name: QualifiedName(schema: schema, name: name),
                signature: signature,
                head: head,
                isOnlyOne: row["is_only_one"] == "t"
            )
        }
    }
}
