import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import DatabudgieCLI

@Suite("The mask commands")
struct MaskCommandTests {
    private func withTable(
        _ masking: String,
        _ body: (Program, ConnectionParameters) async throws -> Void
    ) async throws {
        try await PostgresServer.withDatabase { source in
            try await withTemporaryFolder { folder in
                try await Connection.withConnection(to: source) {
                    try await $0.execute(
                        "create table a (id int, email text); insert into a values (1, 'ada@example.org'), (2, null)"
                    )
                }
                let yaml = """
                    backup: {url: "\(Shop(parameters: source, folder: folder).url)"}
                    tables: [public.a]
                    \(masking)
                    """
                try Data(yaml.utf8).write(to: URL(filePath: "\(folder)/databudgie.yml"))
                try await body(Program(folder: folder), source)
            }
        }
    }

    private let masking = """
        masking:
          key: databudgie-test-secret-0123456789
          policy: strict
          columns: {"*.email": email}
          keep: ["*.id"]
        """

    @Test("A check ends with 0, and with 1 and the column once one has been added")
    func check() async throws {
        try await withTable(masking) { program, source in
            let fine = try await program.run("mask", "check")
            #expect(fine.status == 0 && fine.error.isEmpty)
            #expect(fine.output == "1 table, 2 columns: 1 masked, 1 kept, 0 without a rule.\n")
            try await Connection.withConnection(to: source) { try await $0.execute("alter table a add phone text") }
            let found = try await program.run("mask", "check")
            #expect(found.status == 1)
            #expect(
                found.output == """
                    public.a.phone  unclassified: no rule (add one, or keep it; suggestion: digits)
                    1 table, 3 columns: 1 masked, 1 kept, 1 without a rule; 1 problem.

                    """
            )
            let json = try await program.run("mask", "check", "--json")
            let document = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            #expect(document?["accepted"] as? Bool == false && json.status == 1)
            let findings = document?["findings"] as? [[String: Any]]
            #expect(findings?.first?["code"] as? String == "unclassified")
            #expect(findings?.first?["column"] as? String == "public.a.phone")
            let backup = try await program.run("backup")
            #expect(backup.status == 2)
            #expect(backup.error.contains("1 column has no rule; the first: public.a.phone"))
        }
    }

    @Test("A plan shows how many columns of each table are masked")
    func plan() async throws {
        try await withTable(masking) { program, _ in
            let outcome = try await program.run("plan", "backup")
            #expect(outcome.status == 0)
            let lines = outcome.output.split(separator: "\n")
            #expect(lines.contains { $0.contains("masked") && $0.contains("why") })
            #expect(lines.contains { $0.contains("public.a") && $0.contains("  1 of 2  ") })
            let json = try await program.run("plan", "backup", "--json")
            let document = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            let tables = document?["tables"] as? [[String: Any]]
            let counts = tables?.first?["masks"] as? [String: Int]
            #expect(counts == ["columns": 2, "masked": 1, "kept": 1, "unclassified": 0])
        }
    }

    @Test("Groups are counted on masked values, and small ones end the check with 1")
    func groups() async throws {
        try await withTable(masking) { program, source in
            try await Connection.withConnection(to: source) {
                try await $0.execute("insert into a select i, 'bob@example.org' from generate_series(3, 7) i")
            }
            let found = try await program.run("mask", "check", "--groups", "public.a(email)", "--at-least", "2")
            #expect(found.status == 1 && found.error.isEmpty)
            #expect(
                found.output == """
                    public.a  small_groups: 2 rows of 7 are in groups of fewer than 2 that have the same email; the smallest \
                    has 1 (truncate, redact or null one of these columns)
                    public.a(email): 7 rows in 3 groups, the smallest of 1 row
                    1 table, 2 columns: 1 masked, 1 kept, 0 without a rule; 1 problem.

                    """
            )
            let json = try await program.run("mask", "check", "--groups", "a(email)", "--json")
            let document = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            let group = (document?["groups"] as? [[String: Any]])?.first
            #expect(group?["at_least"] as? Int == 5 && group?["rows_in_small_groups"] as? Int == 2)
            #expect(group?["columns"] as? [String] == ["email"] && group?["table"] as? String == "public.a")
            for arguments in [["--groups", "a"], ["--at-least", "3"], ["--groups", "a(b)", "--at-least", "1"]] {
                let refused = try await program.run(["mask", "check"] + arguments)
                #expect(refused.status == 2)
            }
        }
    }

    @Test("Suggestions are YAML that a configuration can have")
    func suggest() async throws {
        try await withTable("") { program, _ in
            let outcome = try await program.run("mask", "suggest")
            #expect(outcome.status == 0)
            #expect(
                outcome.output == """
                    masking:
                      columns:
                        "public.a.email": email  # by its name
                      keep:
                        - "public.a.id"

                    """
            )
            try Data(outcome.output.utf8).write(to: URL(filePath: "\(program.folder)/masks.yml"))
            let check = try await program.run("-c", "databudgie.yml", "-c", "masks.yml", "mask", "check")
            #expect(check.status == 0)
            let without = try await program.run("mask", "check")
            #expect(without.status == 2 && without.error.contains("there is no 'masking' in the configuration"))
        }
    }

    @Test("A preview shows the masks and masked rows")
    func preview() async throws {
        try await withTable(masking) { program, _ in
            let outcome = try await program.run("mask", "preview", "a")
            #expect(outcome.status == 0 && outcome.error.isEmpty)
            #expect(
                outcome.output == """
                    id          email
                    (as it is)  (email)
                    1           uef99c0780c6c295b@example.com
                    2           NULL

                    """
            )
            let json = try await program.run("mask", "preview", "public.a", "--rows", "1", "--json")
            let document = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            #expect((document?["rows"] as? [[Any]])?.count == 1 && document?["table"] as? String == "public.a")
        }
    }
}
