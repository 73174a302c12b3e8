import Foundation
public import Postgres
import Subprocess
import SystemPackage

/// A real server for tests: one for the whole test process, or one of a test's own.
public struct PostgresServer: Sendable {
    /// How to log in as the superuser, over the unix socket, which requires no password.
    public let superuser: ConnectionParameters
    /// The folder of a server that this process has started; nil for one that was already running.
    public let folder: String?

    /// The server that all tests of this process share.
    ///
    /// It is the one that the environment variable `TEST_POSTGRES` describes in libpq's keywords, else a new
    /// one from `scripts/postgres-server`, which ends with the process.
    public static var shared: PostgresServer {
        get async throws { try await sharedTask.value }
    }

    private static let sharedTask = Task {
        if let given = ProcessInfo.processInfo.environment["TEST_POSTGRES"], !given.isEmpty {
            return PostgresServer(superuser: try ConnectionParameters(url: given), folder: nil)
        }
        return try await start()
    }

    /// Starts a server for the length of a closure, for tests that stop or break it.
    ///
    /// - Parameters:
    ///   - usesTLS: Whether it speaks TLS over TCP, with the certificate `server.crt` in its folder.
    ///   - body: What to do with the server.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error, or a ``ScriptFailure``.
    public static func withServer<R>(
        usesTLS: Bool = false,
        _ body: (PostgresServer) async throws -> R
    ) async throws -> R {
        let server = try await start(usesTLS ? ["--tls"] : [])
        do {
            let result = try await body(server)
            try await server.stop()
            return result
        } catch {
            try? await server.stop()
            throw error
        }
    }

    /// The same server over TCP, which requires a password.
    ///
    /// - Parameters:
    ///   - parameters: How to reach a database over the unix socket.
    ///   - user: The role; nil for the one in the parameters.
    ///   - password: The password; nil sends none. The superuser's is `postgres`.
    /// - Returns: Parameters with TLS off, because the server has no certificate.
    public static func overTCP(
        _ parameters: ConnectionParameters,
        user: String? = nil,
        password: String? = "postgres"
    ) -> ConnectionParameters {
        var keywords = parameters.keywords
        keywords["host"] = "127.0.0.1"
        keywords["user"] = user ?? keywords["user"]
        keywords["password"] = password
        keywords["sslmode"] = "disable"
        return ConnectionParameters(keywords: keywords)
    }

    /// Stops a server that this process has started, and removes its folder.
    ///
    /// - Throws: ``ScriptFailure``.
    public func stop() async throws {
        guard let folder else { return }
        _ = try await Self.runScript(["stop", "--dir", folder])
    }

    /// The output of `scripts/postgres-server` when it failed.
    public struct ScriptFailure: Error, CustomStringConvertible {
        /// Its messages.
        public let description: String
    }

    private static func start(_ options: [String] = []) async throws -> PostgresServer {
        let folder = try makeTemporaryFolder()
        let owner = String(ProcessInfo.processInfo.processIdentifier)
        let output = try await runScript(["start", "--dir", folder, "--until-exit-of", owner] + options)
        let names = ["PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGDATABASE": "dbname"]
        var keywords: [String: String] = [:]
        for line in output.split(separator: "\n") {
            let parts = line.split(separator: " ").last?.split(separator: "=", maxSplits: 1) ?? []
            if parts.count == 2, let keyword = names[String(parts[0])] {
                keywords[keyword] = String(parts[1])
            }
        }
        return PostgresServer(superuser: ConnectionParameters(keywords: keywords), folder: folder)
    }

    private static func runScript(_ arguments: [String]) async throws -> String {
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let script = repository.appending(path: "scripts/postgres-server").path(percentEncoded: false)
        let result = try await run(
            .path(FilePath(script)),
            arguments: Arguments(arguments),
            output: .string(limit: 65_536),
            error: .string(limit: 65_536)
        )
        guard result.terminationStatus.isSuccess else {
            throw ScriptFailure(description: result.standardError)
        }
        return result.standardOutput
    }
}
