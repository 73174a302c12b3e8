import Databudgie
import DatabudgieTestSupport
import Foundation
import Testing

@testable import struct Databudgie.CheckFinding
@testable import DatabudgieCLI

@Suite("The check command")
struct CheckCommandTests {
    /// What `check --json` prints.
    private struct Document: Decodable {
        struct Finding: Decodable {
            let command: String
            let subject: String
            let outcome: String
            let name: String?
            let message: String
            let hint: String?
        }

        let accepted: Bool
        let problems: Int
        let warnings: Int
        let findings: [Finding]
    }

    private func document(_ text: String) throws -> Document {
        try JSONDecoder().decode(Document.self, from: Data(text.utf8))
    }

    @Test("A configuration that init has written passes its check as it is, and nothing is left of it")
    func starter() async throws {
        try await Shop.with { shop in
            #expect(try await shop.program.run("init", shop.url).status == 0)
            let outcome = try await shop.program.run("check")
            #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.output)\(outcome.error)")
            #expect(outcome.output.hasPrefix("backup\n  ok       connection  Postgres "))
            #expect(outcome.output.hasSuffix(" checks: all is well.\n"), "\(outcome.output)")
            #expect(!outcome.output.contains("\nrestore\n"))
            let files = try FileManager.default.contentsOfDirectory(atPath: shop.folder).sorted()
            #expect(files == ["databudgie.schema.json", "databudgie.yml"])
        }
    }

    @Test("Problems end with 1, warnings with 0, and mistakes of the configuration with 2")
    func exitCodes() async throws {
        try await Shop.with { shop in
            try shop.configure("tables: [public.products, public.nothing]")
            let warned = try await shop.program.run("check", "backup")
            #expect(warned.status == 0, "\(warned.output)")
            #expect(warned.output.contains("\n  warning  tables      "), "\(warned.output)")
            #expect(warned.output.hasSuffix(" 1 warning.\n"), "\(warned.output)")
            let refused = try await shop.program.run("check", "backup", "--strict")
            #expect(refused.status == 1 && refused.output.contains("\n  problem  tables      "), "\(refused.output)")
            #expect(refused.output.contains("\n  ok       connection  "))
            try shop.configure("tables: [{name: public.products, compression: rar}]")
            let mistaken = try await shop.program.run("check")
            #expect(mistaken.status == 2 && mistaken.output.isEmpty && mistaken.errors.count == 1, "\(mistaken.error)")
            try Data("tables: [public.products]\n".utf8).write(to: URL(filePath: shop.folder + "/databudgie.yml"))
            let nowhere = try await shop.program.run("check")
            #expect(nowhere.status == 2 && nowhere.output.isEmpty, "\(nowhere.error)")
            #expect(nowhere.error.contains("there is no database to connect to"), "\(nowhere.error)")
            let unknown = try await shop.program.run("check", "everything")
            #expect(unknown.status == 2)
        }
    }

    @Test("--json is one document with every finding, whose keys and words are documented")
    func json() async throws {
        try await Shop.with { shop in
            try await PostgresServer.withDatabase { target in
                let copy = Shop(parameters: target, folder: shop.folder)
                try shop.configure(
                    "restore: {url: \"\(copy.url)\", truncate: true}\nretention: {keep_last: 3}\ntables: ['public.*']"
                )
                #expect(try await shop.program.run("backup").status == 0)
                let outcome = try await shop.program.run("check", "--json")
                // The copy has no tables.
                #expect(outcome.status == 1 && outcome.error.isEmpty, "\(outcome.output)\(outcome.error)")
                let found = try document(outcome.output)
                #expect(!found.accepted && found.problems == found.findings.count { $0.outcome == "problem" })
                #expect(found.problems > 0 && found.warnings == found.findings.count { $0.outcome == "warning" })
                #expect(Set(found.findings.map(\.command)) == ["backup", "restore"])
                let backup = found.findings.filter { $0.command == "backup" }
                #expect(
                    backup.map(\.subject) == [
                        "connection", "server", "clock", "location", "location", "catalog", "retention", "tables",
                        "space",
                    ]
                )
                #expect(backup.allSatisfy { $0.outcome == "ok" && $0.hint == nil })
                #expect(backup.last?.message.contains(" free, and the last set has ") == true)
                let problem = found.findings.first { $0.outcome == "problem" }
                #expect(problem?.subject == "tables" && problem?.hint != nil, "\(outcome.output)")

                let backupAlone = try document(try await shop.program.run("check", "backup", "--json").output)
                #expect(backupAlone.accepted && Set(backupAlone.findings.map(\.command)) == ["backup"])
            }
        }
        let guide = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Documentation/check.md"),
            encoding: .utf8
        )
        let words =
            CheckFinding.Subject.allCases.map(\.rawValue) + CheckFinding.Outcome.allCases.map(\.rawValue)
            + [
                "accepted", "problems", "warnings", "findings", "command", "subject", "outcome", "name", "message",
                "hint",
            ]
        for word in words { #expect(guide.contains("`\(word)`"), "\(word)") }
    }

    @Test("What a finding says is harmless to a terminal")
    func escaping() {
        let finding = CheckFinding.example("a\u{1B}[31m\nb", outcome: .problem, hint: "c")
        #expect(CheckLines().text(finding) == "backup\n  problem  tables      a\\u{1B}[31m\\nb; c\n")
        #expect(CheckLines.summary([finding]) == "1 check: 1 problem.")
        #expect(CheckLines.summary([]) == "0 checks: all is well.")
        #expect(CheckLines.summary([], afterWarnings: 2) == "0 checks: 2 warnings about the configuration.")
    }
}

extension CheckFinding {
    /// A finding about tables.
    fileprivate static func example(_ message: String, outcome: Outcome, hint: String?) -> CheckFinding {
        CheckFinding(command: .backup, subject: .tables, outcome: outcome, name: nil, message: message, hint: hint)
    }
}
