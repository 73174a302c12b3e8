import DatabudgieTestSupport
import Foundation
import Postgres
import Subprocess
import Testing

@testable import Databudgie

extension RunFixture {
    /// Two databases and a role, and what is made for it is dropped before it.
    static func withRole(
        _ attributes: String = "LOGIN",
        _ body: (RunFixture, String) async throws -> Void
    ) async throws {
        try await PostgresServer.withRole(attributes) { role in
            try await with { try await body($0, role) }
        }
    }

    /// A configuration with definitions, whose files lie in folders of their tables' names.
    func ddlYAML(_ tables: String, _ more: String = "") -> String {
        "{root_location: \(folder), location: '{table}', ddl: true, tables: \(tables)\(more.isEmpty ? "" : ", " + more)}"
    }

    /// Backs up the source and restores into the target, both without failures.
    func copy(_ yaml: String) async throws {
        try #require(try await backup(yaml).failed.isEmpty)
        let report = try await restore(yaml)
        try #require(report.failed.isEmpty, "\(report.failed)")
    }

    /// What pg_dump says of a database, in the order of the alphabet.
    func definitions(of parameters: ConnectionParameters) async throws -> [String] {
        let target = parameters.keywords.map { "\($0)='\($1)'" }.joined(separator: " ")
        let result = try await run(
            .name("pg_dump"),
            arguments: ["--schema-only", "--dbname=\(target)"],
            output: .string(limit: 1 << 22),
            error: .string(limit: 1 << 16)
        )
        try #require(result.terminationStatus.isSuccess, "\(result.standardError)")
        let lines = result.standardOutput.split(separator: "\n").map(String.init)
        return lines.filter { !$0.hasPrefix("--") && !$0.contains("restrict ") }.sorted()
    }

    /// Expects both databases to have the same definitions, and shows what only one of them has.
    func expectEqualDefinitions(_ location: SourceLocation = #_sourceLocation) async throws {
        let (left, right) = (try await definitions(of: source), try await definitions(of: target))
        let difference = right.difference(from: left).map { change in
            switch change {
            case .insert(_, let line, _): "only in the target: \(line)"
            case .remove(_, let line, _): "only in the source: \(line)"
            }
        }
        #expect(difference.isEmpty, sourceLocation: location)
        #expect(left.count > 1, sourceLocation: location)
    }

    /// The names of the target's tables, sequences, views, types and functions.
    func names(_ parameters: ConnectionParameters) async throws -> [String] {
        try await rows(
            parameters,
            """
            select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = relnamespace
            where nspname !~ '^pg_' and nspname <> 'information_schema' and relkind in ('r', 'p', 'v', 'm', 'S')
            union all
            select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = pronamespace
            where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1
            """
        )
    }

    /// Writes an executable script and returns a PATH that has it first.
    func path(withFake tool: String, _ script: String) throws -> String {
        try write("#!/bin/sh\n" + script, to: "bin/" + tool)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755],
            ofItemAtPath: folder + "/bin/" + tool
        )
        return folder + "/bin:" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
    }

    /// Runs a backup whose programs are looked for somewhere else.
    func backup(_ yaml: String, path: String) async throws -> RunReport {
        var environment = RunEnvironment()
        environment.variables["PATH"] = path
        return try await BackupRun(configuration(yaml), environment: environment).run()
    }
}
