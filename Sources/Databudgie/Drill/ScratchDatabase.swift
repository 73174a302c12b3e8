import Foundation
import Postgres

/// A database that exists only for a drill.
struct ScratchDatabase: Sendable {
    /// What the names of all of them begin with.
    static let prefix = "databudgie_drill_"

    private let server: ConnectionParameters
    /// Says which set it is for; no other database has it.
    private let name: String
    /// The encoding of the rows; nil: that of the server.
    private let encoding: String?
    private let report: @Sendable (Finding) -> Void

    /// - Parameters:
    ///   - record: The set that is restored into it.
    ///   - server: A database of the server that it is created on.
    ///   - report: Receives what the user should know.
    init(for record: SetRecord, on server: ConnectionParameters, report: @escaping @Sendable (Finding) -> Void) {
        let id = String(
            decoding: record.id.utf8.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ":") },
            as: UTF8.self
        )
        let random = UUID().uuidString.lowercased().utf8.prefix(8)
        name = Self.prefix + id.lowercased() + "_" + String(decoding: random, as: UTF8.self)
        (self.server, encoding, self.report) = (server, record.source?.encoding, report)
    }

    /// Refuses a server on which the role cannot create a database.
    ///
    /// - Throws: ``DatabudgieError`` with the code `preflight`; `PostgresError`.
    static func check(_ server: ConnectionParameters) async throws {
        try await Connection.withConnection(to: server) { connection in
            let row = try await connection.query(
                """
                select r.rolname as role, r.rolsuper or r.rolcreatedb as can_create,
                    pg_catalog.pg_is_in_recovery() as is_standby
                from pg_catalog.pg_roles r where r.rolname operator(pg_catalog.=) current_user
                """
            ).rows.first
            if row?["is_standby"] == "t" {
                throw DatabudgieError(
                    .preflight,
                    "the server is a standby, where no database can be created for the drill",
                    hint: "name its primary, or another server, with --into"
                )
            }
            guard row?["can_create"] != "t" else { return }
            let role = row?["role"] ?? ""
            throw DatabudgieError(
                .preflight,
                "the role \(role) lacks CREATEDB: a drill restores into a database of its own",
                hint: "run: ALTER ROLE \(quotedIdentifier(role)) CREATEDB; or name another server with --into"
            )
        }
    }

    /// Creates the database for the body, and removes it whatever happens.
    ///
    /// - Parameter body: Uses the database.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws; `PostgresError` when the database cannot be created; `CancellationError`.
    func with<Result: Sendable>(_ body: (ConnectionParameters) async throws -> Result) async throws -> Result {
        var parameters = server
        parameters.keywords["dbname"] = name
        let result: Result
        do {
            await FailPoint.reached(.scratchDatabaseUncreated)
            // Not on this connection later on: a firewall may have forgotten it.
            try await Connection.withConnection(to: server) { try await create($0) }
            await FailPoint.reached(.scratchDatabaseCreated)
            result = try await body(parameters)
            await FailPoint.reached(.scratchDatabaseFilled)
        } catch {
            await remove()
            // Whichever layer noticed it first has an error of its own for it.
            try Task.checkCancellation()
            throw error
        }
        await remove()
        await FailPoint.reached(.scratchDatabaseRemoved)
        return result
    }

    private func create(_ connection: Connection) async throws {
        try await connection.liftSessionLimits()
        try Task.checkCancellation()
        let options = try await encodingOptions(connection)
        let name = quotedIdentifier(name)
        try await connection.execute("create database \(name) template template0\(options)")
        // The rows may be secret, and everybody may connect to a new database.
        try await connection.execute("revoke all on database \(name) from public")
    }

    /// The source's encoding; a locale that does not allow it gives way to the one that allows all.
    private func encodingOptions(_ connection: Connection) async throws -> String {
        guard let encoding else { return "" }
        let own = try await connection.query(
            """
            select pg_catalog.pg_encoding_to_char(encoding) as encoding from pg_catalog.pg_database
            where datname operator(pg_catalog.=) 'template0'
            """
        ).rows.first?["encoding"]
        guard own?.hasBytes(of: encoding) != true else { return "" }
        report(.note("the set has the encoding \(encoding), so the database of the drill has the locale C"))
        let provider = connection.server.majorVersion >= 15 ? " locale_provider libc" : ""
        return " encoding \(quotedLiteral(encoding))\(provider) lc_collate 'C' lc_ctype 'C'"
    }

    /// Drops the database, also when the drill was cancelled.
    private func remove() async {
        await Task {
            do {
                try await Connection.withConnection(to: server) { connection in
                    try await connection.liftSessionLimits()
                    try await connection.dropDatabase(name, mayBeMissing: true)
                }
            } catch {
                report(
                    .warning(
                        "the database \(name) of the drill could not be removed: \(ErrorText(error).message)",
                        hint: "remove it: DROP DATABASE \(quotedIdentifier(name))"
                    )
                )
            }
        }.value
    }
}
