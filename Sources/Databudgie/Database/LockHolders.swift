import Postgres

/// The sessions that hold locks, as messages name them.
struct LockHolders {
    let connection: Connection

    /// The other sessions that hold an advisory lock of two keys.
    ///
    /// - Parameters:
    ///   - first: The first key.
    ///   - second: The second key, of which the server keeps the bits.
    /// - Returns: A phrase for each, such as `process 4711 (databudgie, role app, 10.0.0.5)`.
    /// - Throws: `PostgresError`.
    func ofAdvisoryLock(_ first: Int32, _ second: UInt32) async throws -> [String] {
        try await sessions(
            """
            l.locktype operator(pg_catalog.=) 'advisory' and l.objsubid operator(pg_catalog.=) 2
                and l.classid operator(pg_catalog.=) any ($1::pg_catalog.oid[])
                and l.objid operator(pg_catalog.=) any ($2::pg_catalog.oid[])
            """,
            [[UInt32(bitPattern: first)].arrayLiteral, [second].arrayLiteral]
        )
    }

    /// The other sessions that hold a lock on one of some tables.
    ///
    /// - Parameters:
    ///   - relations: The tables by their OIDs.
    ///   - excluding: Modes that are not in the way, as `pg_locks` spells them.
    /// - Returns: A phrase for each, such as `process 4711 (psql, role app, 10.0.0.5)`.
    /// - Throws: `PostgresError`.
    func ofTables(_ relations: [Relation.OID], excluding: [String] = []) async throws -> [String] {
        let excluded = excluding.map(quotedLiteral).joined(separator: ", ")
        return try await sessions(
            """
            l.locktype operator(pg_catalog.=) 'relation' and l.relation operator(pg_catalog.=) any ($1::pg_catalog.oid[])
                and l.mode operator(pg_catalog.<>) all (array[\(excluded)]::pg_catalog.text[])
            """,
            [relations.arrayLiteral]
        )
    }

    private func sessions(_ condition: String, _ parameters: [String]) async throws -> [String] {
        let query = """
            select distinct l.pid, a.application_name as application, a.usename as role,
                coalesce(pg_catalog.host(a.client_addr), '') as host
            from pg_catalog.pg_locks l
            left join pg_catalog.pg_stat_activity a on a.pid operator(pg_catalog.=) l.pid
            where l.granted and l.pid operator(pg_catalog.<>) pg_catalog.pg_backend_pid()
                and l.database operator(pg_catalog.=) (
                    select d.oid from pg_catalog.pg_database d
                    where d.datname operator(pg_catalog.=) pg_catalog.current_database()
                ) and \(condition)
            order by l.pid
            """
        return try await connection.query(query, parameters).rows.map { row in
            var details = [row["application"] ?? ""].filter { !$0.isEmpty }
            if let role = row["role"] { details.append("role \(role)") }
            if let host = row["host"], !host.isEmpty { details.append(host) }
            let description = details.isEmpty ? "" : " (\(details.joined(separator: ", ")))"
            return "process \(row["pid"] ?? "")\(description)"
        }
    }
}
