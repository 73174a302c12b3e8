import DatabudgieTestSupport
import Foundation
import Testing

@testable import DatabudgieCLI

@Suite("The cleanup command")
struct CleanupCommandTests {
    private static let old = "backups/public.a/.2026-01-02T03:04:05.csv.gz.1a2b.partial"
    private static let young = "backups/public.a/.2026-01-03T03:04:05.csv.gz.1a2b.partial"

    /// Runs commands in a folder with a configuration, an old temporary file and a young one.
    private func withLeftovers(_ body: (Program) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.createDirectory(
                atPath: "\(folder)/backups/public.a",
                withIntermediateDirectories: true
            )
            try Data("tables: [public.*]".utf8).write(to: URL(filePath: "\(folder)/databudgie.yml"))
            for file in [Self.old, Self.young] { try Data("rows".utf8).write(to: URL(filePath: "\(folder)/\(file)")) }
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1_767_323_045)],
                ofItemAtPath: "\(folder)/\(Self.old)"
            )
            try await body(Program(folder: folder))
        }
    }

    private func exists(_ file: String, _ program: Program) -> Bool {
        FileManager.default.fileExists(atPath: "\(program.folder)/\(file)")
    }

    @Test("What is old is listed and removed, and a second run finds nothing")
    func removes() async throws {
        try await withLeftovers { program in
            let first = try await program.run("cleanup", "--yes")
            #expect(first.status == 0)
            #expect(first.error.isEmpty)
            #expect(
                first.output == "\(Self.old): temporary file, 4 B, last written 2026-01-02T03:04:05\n"
                    + "1 unfinished file removed.\n"
            )
            #expect(!exists(Self.old, program))
            #expect(exists(Self.young, program))
            let second = try await program.run("cleanup", "-y")
            #expect(second.status == 0)
            #expect(second.output == "There is nothing to remove.\n")
        }
    }

    @Test("A dry run only lists")
    func dryRun() async throws {
        try await withLeftovers { program in
            let outcome = try await program.run("cleanup", "--dry-run", "--yes")
            #expect(outcome.status == 0)
            #expect(outcome.output.hasPrefix("\(Self.old): temporary file"))
            #expect(outcome.output.hasSuffix("\nDry run of cleanup: nothing was removed.\n"))
            #expect(exists(Self.old, program))
        }
    }

    @Test("Without a terminal and without --yes nothing is removed")
    func unconfirmed() async throws {
        try await withLeftovers { program in
            let outcome = try await program.run("cleanup")
            #expect(outcome.status == 2)
            #expect(outcome.output == "\(Self.old): temporary file, 4 B, last written 2026-01-02T03:04:05\n")
            #expect(outcome.error.contains("this removes 1 unfinished file"))
            #expect(outcome.error.contains("pass --yes"))
            #expect(exists(Self.old, program))
        }
    }
}
