import DatabudgieTestSupport
import Foundation
import Testing

@testable import DatabudgieCLI

@Suite("The commands of backup sets")
struct SetCommandTests {
    /// Runs commands in a folder with a configuration and files.
    private func withFiles(_ files: [String: String], _ body: (Program) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            for (name, text) in files.merging(
                ["databudgie.yml": "tables: [public.*]"],
                uniquingKeysWith: { first, _ in first }
            ) {
                let url = URL(filePath: "\(folder)/\(name)")
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try Data(text.utf8).write(to: url)
            }
            try await body(Program(folder: folder))
        }
    }

    private func record(_ id: String, _ more: String = "") -> String {
        """
        {"format": 1, "id": "\(id)", "tool": "databudgie 3.0.0", "status": "complete", "consistency": "snapshot",
        "started_at": "2020-01-01T00:00:00Z", "finished_at": "2020-01-01T00:00:05Z",
        "totals": {"tables": 1, "rows": 7, "bytes": 70, "file_bytes": 1070}, "tables": [{"schema": "public",
        "name": "a\\u001b[31m\u{202E}\\n", "columns": [{"name": "id", "type": "bigint", "not_null": true}], "rows": 7, "bytes": 70,
        "file": {"path": "public.a/x.csv", "bytes": 1070}, "sequences": []}], "definitions": [], "foreign_keys": [],
        "failures": [], "warnings": ["public.b: it was skipped"]\(more)}
        """
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test("An empty catalog is one line that says where it was looked for, and ends with 0")
    func empty() async throws {
        try await withFiles([:]) { program in
            let outcome = try await program.run("list")
            #expect(outcome.status == 0 && outcome.error.isEmpty)
            #expect(outcome.output == "There are no sets in backups/catalog.\n")
            let json = try object(try await program.run("list", "--json").output)
            #expect(json["catalog"] as? String == "backups/catalog" && (json["sets"] as? [Any])?.isEmpty == true)
            let show = try await program.run("show")
            #expect(show.status == 1 && show.output.isEmpty)
            #expect(show.errors == ["databudgie: error: there are no sets in backups/catalog"])
        }
    }

    @Test("A damaged record hides no other set: it is listed, the reason is an error, and the exit code is 1")
    func damaged() async throws {
        let files = [
            "backups/catalog/2020-01-01T00:00:00.json": record("2020-01-01T00:00:00"),
            "backups/catalog/2020-01-02T00:00:00.json": "{",
            "backups/catalog/2020-01-01T00:00:00.verified.json": """
            {"format": 1, "id": "2020-01-01T00:00:00", "tool": "databudgie 3.0.0", "status": "ok", "level": "rows",
            "verified_at": "2020-01-03T00:00:00Z", "findings": [], "finding_count": 0}
            """,
        ]
        try await withFiles(files) { program in
            let outcome = try await program.run("list")
            #expect(outcome.status == 1)
            let lines = outcome.output.split(separator: "\n").map { $0.replacing(#/ [0-9,]+ d /#, with: " N d ") }
            #expect(lines.count == 3)
            #expect(lines[1].contains(/^2020-01-02T00:00:00 +N d +unreadable +- +- +- +- +-$/), "\(outcome.output)")
            #expect(lines[2].contains(/^2020-01-01T00:00:00 +N d +complete +snapshot +1 +7 +1.1 kB +ok/))
            #expect(lines[2].hasSuffix("  ok (rows), N d ago"))
            #expect(outcome.errors.count == 1)
            #expect(outcome.error.contains("2020-01-02T00:00:00.json is damaged: it is not JSON"))
            let json = try await program.run("list", "--json")
            #expect(json.status == 1)
            let sets = try #require(try object(json.output)["sets"] as? [[String: Any]])
            #expect(sets.map { $0["status"] as? String } == ["unreadable", "complete"])
            #expect((sets[0]["error"] as? [String: Any])?["message"] as? String != nil)
            #expect(sets[1]["file_bytes"] as? Int == 1070 && sets[1]["rows"] as? Int == 7)
            #expect((sets[1]["verification"] as? [String: Any])?["level"] as? String == "rows")
            #expect((sets[1]["verification"] as? [String: Any])?["verified_at"] as? String == "2020-01-03T00:00:00Z")
            #expect(sets[1]["started_at"] as? String == "2020-01-01T00:00:00Z")
            let show = try await program.run("show")
            #expect(show.status == 0)
            #expect(
                show.error.hasPrefix(
                    "databudgie: warning: the newer set 2020-01-02T00:00:00 is passed over: the set record"
                )
            )
        }
    }

    @Test("What a record says is harmless to a terminal, as text, as JSON and as a script")
    func escaping() async throws {
        try await withFiles(["backups/catalog/2020-01-01T00:00:00.json": record("2020-01-01T00:00:00")]) { program in
            let text = try await program.run("show", "--columns")
            #expect(text.status == 0, "\(text.error)")
            #expect(text.output.contains(#"public.a\u{1B}[31m\u{202E}\n"#))
            #expect(text.output.contains("warning  public.b: it was skipped\n"))
            #expect(text.output.contains(/\n *id +bigint +not null\n/), "\(text.output)")
            let json = try await program.run("show", "2020", "--json")
            let scalars = (text.output + json.output).unicodeScalars
            #expect(!scalars.contains { ["\u{1B}", "\u{202E}"].contains($0) })
            var stored = try object(record("2020-01-01T00:00:00"))
            stored["catalog"] = "backups/catalog"
            #expect(try object(json.output) as NSDictionary == stored as NSDictionary)
            let script = try await program.run("show", "--format", "psql")
            #expect(script.output.contains("\"a\u{1B}[31m\u{202E}\n\""))
        }
    }

    @Test(
        "A set that is not there, or is one of several, is a mistake in the command line",
        arguments: [
            (["show", "2021"], "there is no set '2021' in backups/catalog"),
            (["show", "2020"], "2 sets begin with '2020': 2020-01-02T00:00:00, 2020-01-01T00:00:00"),
            (["show", "--json", "--format", "psql"], "--json and --format exclude each other"),
            (
                ["show", "--json", "-t", "a"],
                "--json prints the whole record: --table and --exclude have no effect on it"
            ),
            (["list", "--json", "--adopt"], "--adopt and --json exclude each other"),
            (["-c", "none.yml", "list"], "none.yml"),
        ]
    )
    func mistakes(arguments: [String], message: String) async throws {
        let ids = ["2020-01-01T00:00:00", "2020-01-02T00:00:00"]
        let files = ids.map { ("backups/catalog/\($0).json", record($0)) }
        try await withFiles(Dictionary(uniqueKeysWithValues: files)) { program in
            let outcome = try await program.run(arguments)
            #expect(outcome.status == 2, "\(outcome.error)")
            #expect(outcome.output.isEmpty && outcome.error.contains(message), "\(outcome.error)")
        }
    }

    @Test("Without a configuration there is no catalog")
    func noConfiguration() async throws {
        try await withTemporaryFolder { folder in
            let outcome = try await Program(folder: folder).run("list")
            #expect(outcome.status == 2)
            #expect(outcome.error.hasPrefix("databudgie: error: there is no configuration file in \(folder)\n"))
        }
    }

    @Test("Two catalogs of one configuration are named, and --for chooses one")
    func twoCatalogs() async throws {
        let configuration = "tables: [public.a]\nbackup: {location: 'one/{table}'}\nrestore: {location: 'two/{table}'}"
        let files = [
            "databudgie.yml": configuration, "two/catalog/2020-01-01T00:00:00.json": record("2020-01-01T00:00:00"),
        ]
        try await withFiles(files) { program in
            let both = try await program.run("list")
            #expect(both.status == 0 && both.output == "There are no sets in one/catalog.\n")
            #expect(both.error.contains("the backup's sets are in one/catalog, but the restore looks in two/catalog"))
            let restore = try await program.run("list", "--for", "restore")
            #expect(restore.error.isEmpty && restore.output.contains("2020-01-01T00:00:00"))
        }
    }

    @Test("Files without records are listed, and recorded after a confirmation")
    func adoption() async throws {
        try await withFiles(["backups/public.a/2020-01-01T00:00:00.csv": "id\n1\n"]) { program in
            let unconfirmed = try await program.run("list", "--adopt")
            #expect(unconfirmed.status == 2)
            #expect(unconfirmed.output.contains("2020-01-01T00:00:00"))
            #expect(unconfirmed.error.contains("this records 1 set in backups/catalog, without reading the files"))
            let dry = try await program.run("list", "--adopt", "--dry-run", "--yes")
            #expect(dry.output.contains("1 set would be recorded in backups/catalog; nothing was written.\n"))
            #expect(try await program.run("list").output == "There are no sets in backups/catalog.\n")
            let adopted = try await program.run("list", "--adopt", "--yes")
            #expect(adopted.status == 0 && adopted.output.hasSuffix("\n1 set recorded in backups/catalog.\n"))
            #expect(try await program.run("list").output.contains(/complete +mixed +1 +- +5 B +-\n/))
            let again = try await program.run("list", "--adopt", "--yes")
            #expect(again.status == 0 && again.output.hasPrefix("There is nothing to adopt: "))
        }
    }
}
