import Postgres

/// Reads the types of columns, in the words of the server.
struct ColumnReader {
    /// What the server knows of a column.
    struct ColumnFacts: Sendable {
        let type: String
        let isNotNull: Bool
        let isGenerated: Bool
        let isIdentity: Bool
    }

    let connection: Connection

    /// Reads the columns of relations.
    ///
    /// - Parameter relations: The relations' OIDs.
    /// - Returns: By relation and name.
    /// - Throws: `PostgresError`.
    func columns(of relations: [Relation.OID]) async throws -> [Relation.OID: [ByteKey: ColumnFacts]] {
        var facts: [Relation.OID: [ByteKey: ColumnFacts]] = [:]
        let rows = try await connection.query(
            """
            select a.attrelid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
                a.attnotnull, a.attgenerated operator(pg_catalog.<>) '' as is_generated,
                a.attidentity operator(pg_catalog.<>) '' as is_identity
            from pg_catalog.pg_attribute a
            where a.attrelid operator(pg_catalog.=) any ($1::pg_catalog.oid[])
                and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped
            """,
            [relations.arrayLiteral]
        ).rows
        for row in rows {
            guard let relation = row["attrelid"].flatMap(Relation.OID.init), let name = row["attname"] else { continue }
            facts[relation, default: [:]][ByteKey(name)] = ColumnFacts(
                type: row["type"] ?? "",
                isNotNull: row["attnotnull"] == "t",
                isGenerated: row["is_generated"] == "t",
                isIdentity: row["is_identity"] == "t"
            )
        }
        return facts
    }

    /// Names types as the server writes them.
    ///
    /// - Parameter types: OIDs of types, in any order.
    /// - Returns: As many names.
    /// - Throws: `PostgresError`.
    func names(ofTypes types: [UInt32]) async throws -> [String] {
        try await connection.query(
            """
            select pg_catalog.format_type(t.type, null) as name
            from pg_catalog.unnest($1::pg_catalog.oid[]) with ordinality t (type, place) order by t.place
            """,
            [types.arrayLiteral]
        ).rows.map { $0["name"] ?? "" }
    }
}
