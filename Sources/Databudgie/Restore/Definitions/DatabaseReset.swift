import Foundation
import Postgres

/// Drops a database and creates it anew, empty, with the same owner, encoding and collation (`ddl.clean`).
struct DatabaseReset {
    let parameters: ConnectionParameters
    let recorder: RunRecorder

    /// What a database was created with.
    private struct Properties {
        let name: String
        let options: [String]
        let mayBeReset: Bool
        let otherSessions: Int
    }

    /// Ends the connections of others, drops the database and creates it.
    ///
    /// Settings, rights and comments of the database itself are not brought back.
    /// - Throws: ``DatabudgieError`` when the role may not, before anything is touched; `PostgresError`.
    func run() async throws {
        let properties = try await Connection.withConnection(to: parameters) { try await read($0) }
        guard properties.mayBeReset else {
            throw DatabudgieError(
                .preflight,
                "The role may not drop and create the database \(properties.name), as 'clean' asks for; connect as its owner "
                    + "with the attribute CREATEDB, or leave 'clean' out. Nothing was touched."
            )
        }
        try await withMaintenanceConnection(properties.name) { connection in
            recorder.warning(
                "The database \(properties.name) is dropped and created anew; \(properties.otherSessions) connections of "
                    + "others to it are ended."
            )
            // The new one first: when it cannot be made, the old one is still there.
            let new = "databudgie_\(UUID().uuidString.lowercased())"
            try await connection.execute(
                "create database \(quotedIdentifier(new)) template template0 \(properties.options.joined(separator: " "))"
            )
            // Not to be interrupted half-way: between the two there is no database of the name.
            try await Task { try await swap(properties, with: new, over: connection) }.value
        }
    }

    private func swap(_ properties: Properties, with new: String, over connection: Connection) async throws {
        let name = quotedIdentifier(properties.name)
        do {
            try await drop(name, properties, over: connection)
        } catch {
            try? await connection.execute("drop database \(quotedIdentifier(new))")
            throw error
        }
        do {
            try await connection.execute("alter database \(quotedIdentifier(new)) rename to \(name)")
        } catch {
            throw DatabudgieError(
                .database,
                "The database \(properties.name) is dropped, and the new one could not be given its name; run: "
                    + "ALTER DATABASE \(quotedIdentifier(new)) RENAME TO \(name) (\(error))",
                underlying: error
            )
        }
    }

    private func drop(_ name: String, _ properties: Properties, over connection: Connection) async throws {
        if connection.server.majorVersion >= 13 {
            try await connection.execute("drop database \(name) with (force)")
        } else {
            _ = try await connection.query(
                """
                select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
                where datname operator(pg_catalog.=) $1
                """,
                [properties.name]
            )
            try await connection.execute("drop database \(name)")
        }
    }

    private func read(_ connection: Connection) async throws -> Properties {
        let major = connection.server.majorVersion
        // The locale provider came with 15, its locale moved to another column in 17.
        let provider = major >= 15 ? "d.datlocprovider::pg_catalog.text" : "'c'"
        let locale = major >= 17 ? "d.datlocale" : major >= 15 ? "d.daticulocale" : "null"
        let row = try await connection.query(
            """
            select d.datname as name, pg_catalog.pg_get_userbyid(d.datdba) as owner,
                pg_catalog.pg_encoding_to_char(d.encoding) as encoding, d.datcollate as collate, d.datctype as ctype,
                \(provider) as provider, \(locale) as locale,
                r.rolsuper or r.rolcreatedb and pg_catalog.pg_has_role(d.datdba, 'USAGE') as may_be_reset,
                (select pg_catalog.count(*) from pg_catalog.pg_stat_activity a
                    where a.datid operator(pg_catalog.=) d.oid
                        and a.pid operator(pg_catalog.<>) pg_catalog.pg_backend_pid()) as others
            from pg_catalog.pg_database d
            join pg_catalog.pg_roles r on r.rolname operator(pg_catalog.=) current_user
            where d.datname operator(pg_catalog.=) pg_catalog.current_database()
            """
        ).rows.first
        func literal(_ column: String) -> String { quotedLiteral(row?[column] ?? "") }
        var options = [
            "owner \(quotedIdentifier(row?["owner"] ?? ""))", "encoding \(literal("encoding"))",
            "lc_collate \(literal("collate"))", "lc_ctype \(literal("ctype"))",
        ]
        if row?["provider"] == "i" { options.append("locale_provider icu icu_locale \(literal("locale"))") }
        if row?["provider"] == "b" { options.append("locale_provider builtin builtin_locale \(literal("locale"))") }
        return Properties(
            name: row?["name"] ?? connection.server.database,
            options: options,
            mayBeReset: row?["may_be_reset"] == "t",
            otherSessions: row?["others"].flatMap(Int.init) ?? 0
        )
    }

    /// A database cannot be dropped over a connection to itself.
    private func withMaintenanceConnection(_ name: String, _ body: (Connection) async throws -> Void) async throws {
        var parameters = parameters
        for candidate in ["postgres", "template1"] where candidate != name {
            parameters.keywords["dbname"] = candidate
            do {
                return try await Connection.withConnection(to: parameters) { try await body($0) }
            } catch let error as PostgresError where error.code == .connectionFailed {
                continue
            }
        }
        throw DatabudgieError(
            .preflight,
            "Neither the database postgres nor template1 can be connected to, one of which is needed to drop \(name); "
                + "allow it in pg_hba.conf, or leave 'clean' out."
        )
    }
}
