import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import DatabudgieCLI

@Suite("The compare command")
struct CompareCommandTests {
    /// Two databases with a table each, and a configuration of both.
    private func withDatabases(_ body: (Program, _ target: ConnectionParameters) async throws -> Void) async throws {
        try await PostgresServer.withDatabase { source in
            try await PostgresServer.withDatabase { target in
                try await withTemporaryFolder { folder in
                    for database in [source, target] {
                        try await Connection.withConnection(to: database) {
                            try await $0.execute("create table a (id int primary key); insert into a values (1), (2)")
                        }
                    }
                    let yaml = """
                        backup: {url: "\(Shop(parameters: source, folder: folder).url)"}
                        restore: {url: "\(Shop(parameters: target, folder: folder).url)"}
                        tables: [public.a]
                        """
                    try Data(yaml.utf8).write(to: URL(filePath: "\(folder)/databudgie.yml"))
                    try await body(Program(folder: folder), target)
                }
            }
        }
    }

    @Test("Equal databases end with 0, and differing ones with 1 and the keys of what differs")
    func results() async throws {
        try await withDatabases { program, target in
            let equal = try await program.run("compare")
            #expect(equal.status == 0 && equal.error.isEmpty)
            #expect(
                equal.output == """
                    table     source rows  target rows
                    public.a            2            2  =
                    1 table, all equal.

                    """
            )
            try await Connection.withConnection(to: target) { try await $0.execute("update a set id = 3 where id = 2") }
            let different = try await program.run("compare")
            #expect(different.status == 1)
            #expect(
                different.output == """
                    table     source rows  target rows
                    public.a            2            2  ≠
                      rows have other values
                      key (2): only in the source
                      key (3): only in the target
                    1 table, 1 of them differ.

                    """
            )
            let json = try await program.run("compare", "--json")
            let document = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            #expect(json.status == 1 && document?["equal"] as? Bool == false)
            let table = (document?["tables"] as? [[String: Any]])?.first
            #expect(table?["source_rows"] as? Int == 2 && (table?["keys"] as? [[String: Any]])?.count == 2)
        }
    }

    @Test("One database for both sides is refused")
    func oneDatabase() async throws {
        try await withDatabases { program, _ in
            let outcome = try await program.run("compare", "--url", "postgresql://localhost/x")
            #expect(outcome.status == 2)
            #expect(outcome.error.contains("--url names one database, and a comparison needs two"))
        }
    }

    @Test("A set is compared with the target, whose name alone --url gives")
    func set() async throws {
        try await withDatabases { program, target in
            #expect(try await program.run("backup").status == 0)
            let equal = try await program.run("compare", "--against", "latest")
            #expect(equal.status == 0 && equal.error.isEmpty)
            #expect(
                equal.output == """
                    table     set rows  target rows
                    public.a         2            2  =
                    1 table, all equal.

                    """
            )
            try await Connection.withConnection(to: target) { try await $0.execute("delete from a where id = 2") }
            let url = Shop(parameters: target, folder: program.folder).url
            let different = try await program.run("compare", "--against", "latest", "--url", url)
            #expect(different.status == 1)
            #expect(
                different.output == """
                    table     set rows  target rows
                    public.a         2            1  ≠
                      the set has 2 rows, the target 1
                      key (2): only in the set
                    1 table, 1 of them differ.

                    """
            )
            let json = try await program.run("compare", "--against", "latest", "--json")
            let document = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            #expect(json.status == 1 && document?["equal"] as? Bool == false && document?["set"] is String)
            let table = (document?["tables"] as? [[String: Any]])?.first
            #expect(table?["set_rows"] as? Int == 2 && table?["source_rows"] == nil)
            let unknown = try await program.run("compare", "--against", "1999")
            #expect(unknown.status == 2 && unknown.error.contains("there is no set '1999'"))
        }
    }
}
