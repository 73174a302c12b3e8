import Foundation
public import Postgres

/// A real PgBouncer in transaction mode for tests.
public enum PgBouncer {
    /// Whether the program is there; `scripts/bootstrap --tests` installs it.
    public static var isInstalled: Bool {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return (path.split(separator: ":") + ["/usr/sbin"])
            .contains { FileManager.default.isExecutableFile(atPath: "\($0)/pgbouncer") }
    }

    /// Starts PgBouncer before a server for the length of a closure.
    ///
    /// - Parameters:
    ///   - parameters: How to reach a database of the server over the unix socket.
    ///   - poolSize: How many connections to the server it has for a database and a role.
    ///   - body: What to do, given how to reach the same database through PgBouncer.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error, or a ``PostgresServer/ScriptFailure``.
    public static func withPooler<R>(
        before parameters: ConnectionParameters,
        poolSize: Int = 8,
        _ body: (ConnectionParameters) async throws -> R
    ) async throws -> R {
        let folder = try makeTemporaryFolder()
        let server = "\(parameters.keywords["host"] ?? ""):\(parameters.keywords["port"] ?? "")"
        let owner = String(ProcessInfo.processInfo.processIdentifier)
        _ = try await PostgresServer.runScript(
            "pgbouncer",
            arguments: [
                "start", "--dir", folder, "--server", server, "--until-exit-of", owner, "--pool-size", String(poolSize),
            ]
        )
        var pooled = parameters
        pooled.keywords["host"] = folder
        pooled.keywords["port"] = "6432"
        do {
            let result = try await body(pooled)
            try await stop(folder)
            return result
        } catch {
            try? await stop(folder)
            throw error
        }
    }

    private static func stop(_ folder: String) async throws {
        _ = try await PostgresServer.runScript("pgbouncer", arguments: ["stop", "--dir", folder])
    }
}
