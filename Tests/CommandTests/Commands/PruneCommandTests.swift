import DatabudgieTestSupport
import Foundation
import Testing

@testable import DatabudgieCLI

@Suite("The prune command")
struct PruneCommandTests {
    /// A record as a backup writes it, of one table with a file of four bytes.
    private func record(_ id: String, status: String = "complete") -> String {
        """
        {"format": 1, "id": "\(id)", "tool": "databudgie 3.0.0", "status": "\(status)", "consistency": "snapshot",
         "started_at": "\(id)Z", "finished_at": "\(id)Z", "totals": {"tables": 1, "rows": 1, "bytes": 4, "file_bytes": 4},
         "tables": [{"schema": "public", "name": "a", "columns": [], "rows": 1, "bytes": 4, "sequences": [],
                     "file": {"path": "public.a/\(id).csv", "bytes": 4, "segments": []}}],
         "definitions": [], "foreign_keys": [], "failures": [], "warnings": []}
        """
    }

    private func id(_ day: Int) -> String { "2026-01-0\(day)T03:00:00" }

    /// Runs commands in a folder with four sets, one of them partial.
    private func withSets(_ yaml: String, _ body: (Program) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            func write(_ text: String, _ name: String) throws {
                let url = URL(filePath: "\(folder)/\(name)")
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try Data(text.utf8).write(to: url)
            }
            try write(yaml, "databudgie.yml")
            for day in 1...4 {
                try write(record(id(day), status: day == 3 ? "partial" : "complete"), "backups/catalog/\(id(day)).json")
                try write("id\n1", "backups/public.a/\(id(day)).csv")
            }
            try await body(Program(folder: folder))
        }
    }

    private func files(_ program: Program) throws -> [String] {
        ["catalog", "public.a"].flatMap { folder in
            (try? FileManager.default.contentsOfDirectory(atPath: "\(program.folder)/backups/\(folder)").sorted()) ?? []
        }
    }

    private static let yaml = "{tables: [public.*], retention: {keep_daily: 2}}"
    private static let table = """
        set                  files  size
        2026-01-04T03:00:00      1   4 B  daily
        2026-01-03T03:00:00      1   4 B  removed (partial)
        2026-01-02T03:00:00      1   4 B  daily
        2026-01-01T03:00:00      1   4 B  removed

        """

    @Test("What stays and why, and what is removed, is shown; then it is removed, and a second run finds nothing")
    func removes() async throws {
        try await withSets(Self.yaml) { program in
            let first = try await program.run("prune", "--yes")
            #expect(first.status == 0 && first.error.isEmpty, "\(first.error)")
            #expect(first.output == Self.table + "Removed 2 sets (2 files, 8 B).\n")
            #expect(try files(program) == ["\(id(2)).json", "\(id(4)).json", "\(id(2)).csv", "\(id(4)).csv"])
            let second = try await program.run("prune", "-y")
            #expect(second.status == 0)
            #expect(second.output.hasSuffix("  daily\nThere is nothing to remove.\n"))
        }
    }

    @Test("A dry run only lists")
    func dryRun() async throws {
        try await withSets(Self.yaml) { program in
            let before = try files(program)
            let outcome = try await program.run("prune", "--dry-run", "--yes")
            #expect(outcome.status == 0)
            #expect(outcome.output == Self.table + "Dry run of prune: nothing was removed.\n")
            #expect(try files(program) == before)
        }
    }

    @Test("Without a terminal and without --yes nothing is removed")
    func unconfirmed() async throws {
        try await withSets(Self.yaml) { program in
            let before = try files(program)
            let outcome = try await program.run("prune")
            #expect(outcome.status == 2)
            #expect(outcome.output == Self.table)
            #expect(
                outcome.error == """
                    databudgie: error: there is no terminal to ask for a confirmation: this removes 2 sets (2 files, 8 B)
                      hint: pass --yes to skip the confirmation
                    databudgie: nothing was changed

                    """
            )
            #expect(try files(program) == before)
        }
    }

    @Test("The plan as JSON has every set with its reasons")
    func json() async throws {
        try await withSets(Self.yaml) { program in
            let outcome = try await program.run("prune", "--json", "--dry-run")
            #expect(outcome.status == 0 && outcome.error.isEmpty)
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
            )
            let sets = try #require(object["sets"] as? [[String: Any]])
            #expect(sets.map { $0["id"] as? String } == [4, 3, 2, 1].map(id))
            #expect(sets.map { $0["keep"] as? Bool } == [true, false, true, false])
            #expect(sets.map { $0["status"] as? String } == ["complete", "partial", "complete", "complete"])
            #expect(sets.map { $0["reasons"] as? [String] } == [["daily"], [], ["daily"], []])
            #expect(object["removed_sets"] as? Int == 2 && object["removed_files"] as? Int == 2)
            #expect(object["removed_bytes"] as? Int == 8 && (object["orphans"] as? [Any])?.isEmpty == true)
        }
    }

    @Test("A retention that keeps nothing, and a missing one, are mistakes of the configuration")
    func refusals() async throws {
        try await withSets("{tables: [public.*], retention: {}}") { program in
            let outcome = try await program.run("prune", "--yes")
            #expect(outcome.status == 2)
            #expect(outcome.error.hasPrefix("databudgie: error: databudgie.yml:1: 'retention' keeps no set\n"))
        }
        try await withSets("{tables: [public.*]}") { program in
            let before = try files(program)
            let outcome = try await program.run("prune", "--yes")
            #expect(outcome.status == 2)
            #expect(
                outcome.error == """
                    databudgie: error: there is no 'retention' that says which sets are kept
                      hint: add it to the configuration, for instance retention: {keep_daily: 7, keep_weekly: 5}
                    databudgie: nothing was changed

                    """
            )
            #expect(try files(program) == before)
        }
    }

    @Test("Orphans are listed below the sets, and removed with them")
    func orphans() async throws {
        try await withSets("{tables: [public.*], retention: {keep_last: unlimited}}") { program in
            let orphan = "backups/public.a/2026-01-02T12:00:00.csv"
            try Data("id\n".utf8).write(to: URL(filePath: "\(program.folder)/\(orphan)"))
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1_767_355_200)],
                ofItemAtPath: "\(program.folder)/\(orphan)"
            )
            let outcome = try await program.run("prune", "--orphans", "--yes")
            #expect(outcome.status == 0, "\(outcome.error)")
            #expect(
                outcome.output.hasSuffix(
                    "  last\n\(orphan): file of no set, 3 B, last written 2026-01-02T12:00:00\nRemoved 1 orphan (3 B).\n"
                ),
                "\(outcome.output)"
            )
            #expect(!FileManager.default.fileExists(atPath: "\(program.folder)/\(orphan)"))
            #expect(try files(program).count == 8)
        }
    }
}
