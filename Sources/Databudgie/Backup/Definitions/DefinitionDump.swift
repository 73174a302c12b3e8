import Foundation
import Postgres
import Subprocess

/// pg_dump and pg_restore: the only tools that get every kind of definition right.
struct DefinitionDump: Sendable {
    /// Where the programs are looked for (`PATH`), and what they inherit.
    let environment: [String: String]

    /// The most bytes that a script of definitions may have; 100,000 tables have a tenth of it.
    private static let scriptLimit = 1 << 30

    /// Checks that both programs are installed and know the server's version.
    ///
    /// - Parameter server: The server that is going to be dumped.
    /// - Throws: ``DatabudgieError`` with the code `configuration` that says what to install.
    func check(for server: ServerInfo) async throws {
        _ = try await version(for: server.majorVersion)
    }

    /// Finds out which servers both programs can dump.
    ///
    /// - Parameter needed: The version of the server before the dot; nil when it is not known.
    /// - Returns: The newest version that they can dump, before the dot.
    /// - Throws: ``DatabudgieError`` with the code `configuration` that says what to install.
    func version(for needed: Int?) async throws -> Int {
        var version = Int.max
        for tool in ["pg_dump", "pg_restore"] {
            let major = try await majorVersion(of: tool, for: needed)
            version = min(version, major)
            guard let needed, major < needed else { continue }
            throw DatabudgieError(
                .configuration,
                "\(tool) \(major) cannot dump a server of version \(needed)",
                hint:
                    "install the client tools of Postgres \(needed) (Debian: postgresql-client-\(needed)) and put them "
                    + "first in PATH, or turn ddl off"
            )
        }
        return version
    }

    /// Dumps the definitions of a database as seen by a snapshot.
    ///
    /// - Parameters:
    ///   - connection: How the database was reached.
    ///   - server: The very server that was reached, because no other knows the snapshot.
    ///   - snapshot: The name of an exported snapshot.
    ///   - hasStandardStrings: Sessions have `standard_conforming_strings`, as they do unless the server says otherwise.
    ///   - exclusions: Patterns of tables that are neither locked nor dumped.
    ///   - oddSchemas: The schemas that a table of contents cannot say for certain.
    /// - Returns: All definitions, in an order in which they can be run.
    /// - Throws: ``DatabudgieError`` with what pg_dump said; `CancellationError`.
    func definitions(
        of connection: ConnectionParameters,
        at server: ServerInfo,
        snapshot: String,
        hasStandardStrings: Bool,
        excluding exclusions: [String],
        oddSchemas: [DefinitionOwners.Object: String]
    ) async throws -> [ArchiveEntry] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "databudgie-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        defer { try? FileManager.default.removeItem(at: folder) }
        let archive = folder.appending(path: "definitions.dump").path
        let variables = connection.keywords["password"].map { ["PGPASSWORD": $0] } ?? [:]
        _ = try await output(
            of: "pg_dump",
            [
                "--schema-only", "--format=custom", "--encoding=UTF8", "--snapshot=\(snapshot)", "--no-password",
                "--lock-wait-timeout=30000", "--file=\(archive)",
                "--dbname=\(try target(connection, server, hasStandardStrings))",
            ]
                + exclusions.map { "--exclude-table=\($0)" },
            variables: variables
        )
        let contents = ArchiveContents(try await output(of: "pg_restore", ["--list", archive]))
        let postData = ArchiveContents(try await output(of: "pg_restore", ["--list", "--section=post-data", archive]))
        let script = try await output(of: "pg_restore", ["--verbose", "--no-tablespaces", "--file=-", archive])
        return try ArchiveScript.entries(
            of: script,
            contents: contents,
            postData: Set(postData.lines.keys),
            oddSchemas: oddSchemas
        )
    }

    /// The connection without its password, which the list of processes would show.
    private func target(
        _ connection: ConnectionParameters,
        _ server: ServerInfo,
        _ hasStandardStrings: Bool
    ) throws -> String {
        var keywords = connection.keywords
        let secrets = keywords.keys.filter { $0 != "password" && ConnectionParameters.isSecret($0) }
        if let secret = secrets.min() {
            throw DatabudgieError(
                .configuration,
                "pg_dump cannot be given the connection's '\(secret)' without showing it in the list of processes",
                hint: "use a key without password, or turn ddl off"
            )
        }
        for keyword in ["password", "target_session_attrs", "load_balance_hosts"] { keywords[keyword] = nil }
        if keywords["hostaddr"]?.utf8.contains(UInt8(ascii: ",")) == true { keywords["hostaddr"] = nil }
        // Of several hosts the one that the snapshot lives on.
        (keywords["host"], keywords["port"]) = (server.host, server.port)
        keywords["dbname"] = server.database
        // Without it pg_dump doubles every backslash of a source whose setting is off, and a restore keeps them doubled.
        // Only then, because PgBouncer refuses options.
        if !hasStandardStrings {
            let options = keywords["options"] ?? environment["PGOPTIONS"]
            keywords["options"] = (options.map { $0 + " " } ?? "") + "-c standard_conforming_strings=on"
        }
        return ConnectionParameters(keywords: keywords).connectionString
    }

    private func majorVersion(of tool: String, for needed: Int?) async throws -> Int {
        let text: String
        do {
            text = try await output(of: tool, ["--version"])
        } catch let error as SubprocessError {
            throw DatabudgieError(
                .configuration,
                "\(tool), which reads the definitions of tables, was not found",
                hint: "install the client tools of Postgres"
                    + (needed.map { " \($0) or newer" } ?? "") + " (Debian: postgresql-client), or turn ddl off",
                underlying: error
            )
        }
        // As in "pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)" and "pg_dump (PostgreSQL) 17beta1".
        let digits = text.split(separator: " ").first { $0.first?.isNumber == true }?.prefix { $0.isNumber }
        guard let major = digits.flatMap({ Int($0) }) else {
            throw DatabudgieError(
                .configuration,
                "\(tool) --version printed no version: '\(text.prefix(80))'",
                hint: "check PATH"
            )
        }
        return major
    }

    /// What a program said at last, without its name before each line.
    private static func refusal(of tool: String, saying words: String) -> DatabudgieError {
        let lines = words.split(separator: "\n").filter { !$0.contains("pg_restore: creating") }.suffix(4).map { line in
            var line = line.trimmingPrefix("\(tool): ")
            for kind in ["error: ", "detail: "] { line = line.trimmingPrefix(kind) }
            return String(line)
        }
        let lacksPrivilege = lines.contains { $0.contains("permission denied for") }
        return DatabudgieError(
            .database,
            "\(tool) could not read the definitions: " + lines.joined(separator: "; "),
            hint: lacksPrivilege
                ? "grant it to the role: pg_dump locks every table that the definitions need; or turn ddl off" : nil
        )
    }

    private func output(of tool: String, _ arguments: [String], variables: [String: String] = [:]) async throws
        -> String
    {
        let all = environment.merging(variables) { $1 }
        let result = try await run(
            .name(tool),
            arguments: Arguments(arguments),
            environment: .custom(
                Dictionary(uniqueKeysWithValues: all.map { (Environment.Key(stringLiteral: $0), $1) })
            ),
            output: .bytes(limit: Self.scriptLimit),
            // With --verbose, a line for each definition.
            error: .bytes(limit: Self.scriptLimit)
        )
        try Task.checkCancellation()
        guard result.terminationStatus.isSuccess else {
            throw Self.refusal(of: tool, saying: String(decoding: result.standardError, as: UTF8.self))
        }
        return String(decoding: result.standardOutput, as: UTF8.self)
    }
}
