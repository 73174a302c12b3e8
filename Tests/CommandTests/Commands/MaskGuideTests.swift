import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import DatabudgieCLI

/// The jobs for continuous integration in the guide to masks are ones that run.
@Suite("The guide to masks")
struct MaskGuideTests {
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The program that knows the schemas of GitHub and GitLab, beside the Python of `scripts/test`; nil where it is not.
    static let validator: String? = {
        guard let python = ProcessInfo.processInfo.environment["TEST_PYTHON"], !python.isEmpty else { return nil }
        let path = URL(filePath: python).deletingLastPathComponent().appending(path: "check-jsonschema").path()
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }()

    /// The block of YAML that begins with the name of its file.
    private func job(_ file: String) throws -> String {
        let guide = try String(
            contentsOf: Self.repository.appending(path: "Documentation/masking.md"),
            encoding: .utf8
        )
        let blocks = guide.components(separatedBy: "\n```")
        let block = try #require(blocks.first { $0.hasPrefix("yaml\n# \(file)\n") })
        return String(block.dropFirst("yaml\n".count)) + "\n"
    }

    /// The lines of shell of a job.
    private func commands(_ job: String) -> [String] {
        job.split(separator: "\n").compactMap { line in
            guard let match = line.wholeMatch(of: /\s+- (?:run: )?((?:\.\/|databudgie ).*?)(?:\s+#.*)?/) else {
                return nil
            }
            return String(match.1)
        }
    }

    @Test(
        "The jobs pass, and fail once a migration has added a column",
        arguments: [".github/workflows/masks.yml", ".gitlab-ci.yml"]
    )
    func jobs(_ file: String) async throws {
        let commands = commands(try job(file))
        #expect(commands.count == 2 && commands.last?.contains(" mask check") == true)
        try await PostgresServer.withDatabase { source in
            try await withTemporaryFolder { folder in
                func migrate(_ sql: String) async throws {
                    try await Connection.withConnection(to: source) { try await $0.execute(sql) }
                }
                try await migrate("create table a (id int, email text)")
                let yaml = """
                    tables: [public.a]
                    masking: {key: random, policy: strict, columns: {"*.email": email}, keep: ["*.id"]}
                    """
                try Data(yaml.utf8).write(to: URL(filePath: "\(folder)/databudgie.yml"))
                try Data("#!/bin/sh\nprintf '%s' \"$1\" >migrated\n".utf8).write(to: URL(filePath: "\(folder)/migrate"))
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/migrate")
                let url = Shop(parameters: source, folder: folder).url
                let program = Program(folder: folder, environment: ["DATABASE_URL": url])
                let line = "set -e; " + commands.joined(separator: "; ")
                let fine = try await program.shell(line)
                #expect(fine.status == 0, "\(fine.error)")
                #expect(try String(contentsOfFile: "\(folder)/migrated", encoding: .utf8) == url)
                try await migrate("alter table a add phone text")
                let failed = try await program.shell(line)
                #expect(failed.status == 1 && failed.output.hasPrefix("public.a.phone  unclassified: no rule"))
            }
        }
    }

    @Test(
        "The jobs are what the schemas of GitHub and GitLab allow",
        .enabled(if: validator != nil),
        arguments: [(".github/workflows/masks.yml", "vendor.github-workflows"), (".gitlab-ci.yml", "vendor.gitlab-ci")]
    )
    func schemas(_ file: String, _ schema: String) async throws {
        try await withTemporaryFolder { folder in
            try Data(try job(file).utf8).write(to: URL(filePath: "\(folder)/job.yml"))
            let outcome = try await Program(folder: folder).shell(
                "'\(Self.validator ?? "")' --builtin-schema \(schema) job.yml"
            )
            #expect(outcome.status == 0, "\(outcome.output)\(outcome.error)")
        }
    }
}
