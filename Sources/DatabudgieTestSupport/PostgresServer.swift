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
        return try await stopping(server) { try await body(server) }
    }

    /// Starts a server and a hot standby of it, which cancels at once what its replay conflicts with.
    ///
    /// - Parameter body: What to do with the primary and the standby.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error, or a ``ScriptFailure``.
    public static func withStandby<R>(
        _ body: (_ primary: PostgresServer, _ standby: PostgresServer) async throws -> R
    ) async throws -> R {
        let primary = try await start(["--replication"])
        return try await stopping(primary) {
            let standby = try await start(["--standby-of", primary.folder ?? ""])
            return try await stopping(standby) { try await body(primary, standby) }
        }
    }

    private static func stopping<R>(_ server: PostgresServer, _ body: () async throws -> R) async throws -> R {
        do {
            let result = try await body()
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
    ///   - password: The password, or whether any is sent; by default the superuser's.
    /// - Returns: Parameters with TLS off, because the server has no certificate.
    public static func overTCP(
        _ parameters: ConnectionParameters,
        user: String? = nil,
        password: Password = .superuser
    ) -> ConnectionParameters {
        var keywords = parameters.keywords
        let socket = keywords["host"] ?? ""
        keywords["host"] = "127.0.0.1"
        keywords["user"] = user ?? keywords["user"]
        switch password {
        case .none: keywords["password"] = nil
        case .superuser: keywords["password"] = superuserPassword(besideSocket: socket)
        case .text(let text): keywords["password"] = text
        }
        keywords["sslmode"] = "disable"
        return ConnectionParameters(keywords: keywords)
    }

    /// What is sent as a password.
    public enum Password: Sendable, ExpressibleByStringLiteral {
        /// Nothing.
        case none
        /// The superuser's.
        case superuser
        /// This.
        case text(String)

        /// A password that is written out.
        /// - Parameter value: The password.
        public init(stringLiteral value: String) {
            self = .text(value)
        }
    }

    /// The password that the script has put beside the folder of the socket; `postgres` for servers of others.
    private static func superuserPassword(besideSocket folder: String) -> String {
        let file = URL(filePath: folder).deletingLastPathComponent().appending(path: "password")
        return (try? String(contentsOf: file, encoding: .utf8)) ?? "postgres"
    }

    /// Stops a server that this process has started, and removes its folder.
    ///
    /// - Throws: ``ScriptFailure``.
    public func stop() async throws {
        guard let folder else { return }
        _ = try await Self.runScript(arguments: ["stop", "--dir", folder])
    }

    /// The output of `scripts/postgres-server` when it failed.
    public struct ScriptFailure: Error, CustomStringConvertible {
        /// Its messages.
        public let description: String
    }

    private static func start(_ options: [String] = []) async throws -> PostgresServer {
        let folder = try makeTemporaryFolder()
        let owner = String(ProcessInfo.processInfo.processIdentifier)
        let output = try await runScript(arguments: ["start", "--dir", folder, "--until-exit-of", owner] + options)
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

    /// Runs a script of the repository.
    ///
    /// - Parameters:
    ///   - name: Which of them.
    ///   - arguments: Its arguments.
    /// - Returns: Its output.
    /// - Throws: ``ScriptFailure`` with its messages.
    static func runScript(_ name: String = "postgres-server", arguments: [String]) async throws -> String {
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let script = repository.appending(path: "scripts/" + name).path(percentEncoded: false)
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
