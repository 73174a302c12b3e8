import Foundation
import Postgres

/// Drops a database and re-creates it, empty, with the same owner, encoding and collation (`ddl.clean`).
struct DatabaseReset {
    let settings: RunSettings
    let recorder: RunRecorder

    /// What a database was created with.
    private struct Properties {
        let name: String
        let options: [String]
        let canBeReset: Bool
        let otherSessions: Int
    }

    /// Ends other sessions, drops the database and creates it, with the manifest's table when there is a manifest.
    ///
    /// Settings, privileges and comments of the database itself are not restored.
    /// - Throws: ``DatabudgieError`` when the role lacks the privileges, before anything is changed; `PostgresError`.
    func run() async throws {
        let properties = try await DatabudgieError.withEffect(.nothingChanged) { try await check() }
        try await withMaintenanceConnection(properties.name) { connection in
            recorder.found(
                .warning(
                    "the database \(properties.name) is dropped and re-created; "
                        + "\(counted(properties.otherSessions, "other session")) "
                        + "\(properties.otherSessions == 1 ? "is" : "are") disconnected from it"
                )
            )
            // The new one first: when it cannot be created, the old one is still there.
            let new = "databudgie_\(UUID().uuidString.lowercased())"
            try await connection.execute(
                "create database \(quotedIdentifier(new)) template template0 \(properties.options.joined(separator: " "))"
            )
            await FailPoint.reached(.databaseCreated)
            // Not to be interrupted half-way: between the two there is no database of the name.
            try await Task { try await swap(properties, with: new, over: connection) }.value
            await FailPoint.reached(.databaseRenamed)
        }
        if let manifest = settings.manifest {
            try await DatabudgieError.withEffect(.databaseRecreated) { try await create(manifest) }
        }
    }

    /// Checks the privileges that it needs, and changes nothing.
    ///
    /// - Throws: ``DatabudgieError`` when the role lacks some; `PostgresError`.
    func checkPrivileges() async throws { _ = try await check() }

    private func check() async throws -> Properties {
        let properties = try await Connection.withConnection(to: settings.database) { connection in
            _ = try await DefinitionRole(settings.definitions.role, over: connection)
            return try await read(connection)
        }
        guard properties.canBeReset else {
            throw DatabudgieError(
                .preflight,
                "the role is not allowed to drop and create the database \(properties.name), which 'clean' needs",
                hint: "connect as its owner with the attribute CREATEDB, or drop 'clean'"
            )
        }
        return properties
    }

    /// The manifest was dropped with its database, and what it recorded of that is void.
    private func create(_ manifest: ManifestTable) async throws {
        try await Connection.withConnection(to: settings.database) { connection in
            try await connection.execute("create schema if not exists \(quotedIdentifier(manifest.name.schema))")
        }
        _ = try await ManifestCreation.create(manifest, in: settings.database)
    }

    private func swap(_ properties: Properties, with new: String, over connection: Connection) async throws {
        let name = quotedIdentifier(properties.name)
        do {
            try await connection.dropDatabase(properties.name)
        } catch {
            try? await connection.execute("drop database \(quotedIdentifier(new))")
            throw error
        }
        await FailPoint.reached(.databaseDropped)
        do {
            try await connection.execute("alter database \(quotedIdentifier(new)) rename to \(name)")
        } catch {
            throw DatabudgieError(
                .database,
                "the database \(properties.name) is dropped, and the new one could not be renamed: \(ErrorText(error).message)",
                hint: "run: ALTER DATABASE \(quotedIdentifier(new)) RENAME TO \(name)",
                underlying: error
            )
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
                r.rolsuper or r.rolcreatedb and pg_catalog.pg_has_role(d.datdba, 'USAGE') as can_be_reset,
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
            canBeReset: row?["can_be_reset"] == "t",
            otherSessions: row?["others"].flatMap(Int.init) ?? 0
        )
    }

    /// A database cannot be dropped over a connection to itself.
    private func withMaintenanceConnection(_ name: String, _ body: (Connection) async throws -> Void) async throws {
        var parameters = settings.database
        for candidate in ["postgres", "template1"] where candidate != name {
            parameters.keywords["dbname"] = candidate
            do {
                return try await Connection.withConnection(to: parameters) { try await body($0) }
            } catch let error as PostgresError where error.code == .connectionFailed {
                continue
            }
        }
        var error = DatabudgieError(
            .preflight,
            "neither the database postgres nor template1 can be connected to, one of which is needed to drop \(name)",
            hint: "allow it in pg_hba.conf, or drop 'clean'"
        )
        error.effect = .nothingChanged
        throw error
    }
}
