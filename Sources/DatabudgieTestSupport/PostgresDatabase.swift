import Foundation
public import Postgres
import Synchronization

extension PostgresServer {
    /// Creates an empty database on the shared server for the length of a closure.
    ///
    /// - Parameters:
    ///   - encoding: The database's encoding; nil for UTF-8.
    ///   - body: What to do with the database, given how to log in as the superuser without a password.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error, or `PostgresError`.
    public static func withDatabase<R>(
        encoding: String? = nil,
        _ body: (ConnectionParameters) async throws -> R
    ) async throws -> R {
        try await shared.withDatabase(encoding: encoding, body)
    }

    /// Creates an empty database on this server for the length of a closure.
    ///
    /// - Parameters:
    ///   - name: What it is called; nil for a unique name.
    ///   - encoding: The database's encoding; nil for UTF-8.
    ///   - body: What to do with the database, given how to log in as the superuser without a password.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error, or `PostgresError`.
    public func withDatabase<R>(
        named name: String? = nil,
        encoding: String? = nil,
        _ body: (ConnectionParameters) async throws -> R
    ) async throws -> R {
        let name = name ?? Self.uniqueName("database")
        // Copying files is faster here, because the server runs without fsync; servers before 15 know no other way.
        try await onSuperuserConnection { connection in
            let strategy = connection.server.majorVersion >= 15 ? " STRATEGY file_copy" : ""
            let locale = encoding.map { " ENCODING \(quotedLiteral($0)) LC_COLLATE 'C' LC_CTYPE 'C'" } ?? ""
            try await connection.execute(
                "CREATE DATABASE \(quotedIdentifier(name)) TEMPLATE template0\(locale)\(strategy)"
            )
        }
        var parameters = superuser
        parameters.keywords["dbname"] = name
        return try await cleaningUp("DROP DATABASE \(quotedIdentifier(name)) WITH (FORCE)") {
            try await body(parameters)
        }
    }

    /// Creates a role on the shared server for the length of a closure.
    ///
    /// Create the role first and the database inside: a role that still owns something cannot be dropped.
    ///
    /// - Parameters:
    ///   - attributes: As for CREATE ROLE, for example `"LOGIN PASSWORD 'secret'"`.
    ///   - name: What it is called; nil for a unique name.
    ///   - body: What to do with the role, given its name.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error, or `PostgresError`.
    public static func withRole<R>(
        _ attributes: String = "LOGIN",
        named name: String? = nil,
        _ body: (String) async throws -> R
    ) async throws -> R {
        let name = name ?? uniqueName("role")
        let server = try await shared
        try await server.onSuperuserConnection { connection in
            try await connection.execute("CREATE ROLE \(quotedIdentifier(name)) \(attributes)")
        }
        return try await server.cleaningUp("DROP ROLE \(quotedIdentifier(name))") {
            try await body(name)
        }
    }

    private func cleaningUp<R>(_ sql: String, _ body: () async throws -> R) async throws -> R {
        do {
            let result = try await body()
            try await cleanUp(sql)
            return result
        } catch {
            // The test's own error says more than one from cleaning up after it.
            try? await cleanUp(sql)
            throw error
        }
    }

    private func cleanUp(_ sql: String) async throws {
        // A task of its own, because the test's may have been cancelled.
        try await Task { try await onSuperuserConnection { try await $0.execute(sql) } }.value
    }

    private func onSuperuserConnection(_ body: (Connection) async throws -> Void) async throws {
        try await Connection.withConnection(to: superuser, body: body)
    }

    /// Returns a name that no other test and no other process uses.
    private static func uniqueName(_ kind: String) -> String {
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
        return "databudgie_test_\(kind)_\(ProcessInfo.processInfo.processIdentifier)_\(number)"
    }

    private static let counter = Atomic<Int>(0)
}
