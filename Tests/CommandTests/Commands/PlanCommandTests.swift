import DatabudgieTestSupport
import Foundation
import Testing

@testable import DatabudgieCLI

@Suite("The plan command")
struct PlanCommandTests {
    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test("A plan as JSON has the tables of the run with their reasons, and ends with 0")
    func json() async throws {
        try await Shop.with { shop in
            try shop.configure("truncate: true\nexclude: [public.secret*]\ntables: ['public.*']")
            try await shop.execute("create table secrets (id int)")
            let outcome = try await shop.program.run("plan", "backup", "--json")
            #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
            let backup = try object(outcome.output)
            #expect(backup["action"] as? String == "backup" && (backup["set"] as? [String: Any])?["id"] != nil)
            let tables = try #require(backup["tables"] as? [[String: Any]])
            #expect(tables.map { $0["table"] as? String } == ["public.products", "public.sales"])
            #expect(tables.map { $0["rows"] as? Int } == [100, 500])
            #expect(
                tables.map { ($0["reason"] as? [String: Any])?["text"] as? String } == [
                    "glob public.*", "glob public.*",
                ]
            )
            let keys = try #require(tables[1]["foreign_keys"] as? [[String: Any]])
            #expect(keys.map { $0["columns"] as? [String] } == [["product_id"]])
            #expect(keys.map { $0["references"] as? String } == ["public.products"])
            #expect((backup["excluded"] as? [[String: Any]])?.map { $0["table"] as? String } == ["public.secrets"])
            #expect(try shop.files() == [])

            #expect(try await shop.program.run("backup").status == 0)
            let restore = try object(try await shop.program.run("plan", "restore", "--json").output)
            let groups = try #require(restore["groups"] as? [[String: Any]])
            #expect(groups.map { $0["truncated"] as? [String] } == [["public.products", "public.sales"]])
            #expect(((groups[0]["bonds"] as? [[String: Any]])?.first?["kind"]) as? String == "truncation")
            #expect(((groups[0]["locks"] as? [[String: Any]])?.first?["mode"]) as? String == "ACCESS EXCLUSIVE")
            #expect(restore["transaction"] as? String == "group")
        }
    }

    @Test("A plan for people has a line for each table, and what concerns several")
    func text() async throws {
        try await Shop.with { shop in
            try shop.configure("exclude: [public.secret*]\ntables: ['public.*']")
            try await shop.execute(
                "create table secrets (id int); alter table products add best_sale int references sales"
            )
            let outcome = try await shop.program.run("plan", "backup", "-v")
            #expect(outcome.status == 0)
            let lines = outcome.output.split(separator: "\n")
            #expect(lines.first?.hasPrefix("backup of  ") == true)
            #expect(lines.contains { $0.hasPrefix("set        20") && $0.hasSuffix(", recorded in backups/catalog") })
            #expect(
                lines.contains {
                    $0.contains(/^1  public\.products +100 +[0-9.]+ k?B  glob public\.\* +backups\/.*\.csv$/)
                }
            )
            let second = /^2  public\.sales +500 +[0-9.]+ k?B  glob public\.\*  public\.products  backups\/.*\.csv$/
            #expect(lines.contains { $0.contains(second) }, "\(outcome.output)")
            #expect(lines.contains { $0.contains(/^2 tables, about 600 rows, [0-9.]+ kB$/) })
            #expect(lines.contains("in a cycle of foreign keys: public.products, public.sales"))
            #expect(lines.contains("excluded: 1 table") && lines.contains("  public.secrets: exclude 'public.secret*'"))
            #expect(lines.last?.hasSuffix(": public.products, public.sales") == true)
        }
    }

    @Test("Problems are those of the run, on standard error, and end with 1; the plan has them as well")
    func problems() async throws {
        try await Shop.with { shop in
            try shop.configure("tables: [public.products, {name: public.sales, query: 'select nothing from {table}'}]")
            let outcome = try await shop.program.run("plan", "backup", "--json")
            #expect(outcome.status == 1)
            #expect(outcome.errors.count == 1 && outcome.error.contains("public.sales: "), "\(outcome.error)")
            let problems = try #require(try object(outcome.output)["problems"] as? [[String: Any]])
            #expect(problems.map { $0["table"] as? String } == ["public.sales"])
            let text = try await shop.program.run("plan", "backup")
            #expect(text.status == 1 && text.output.contains("public.products"))
            let restore = try await shop.program.run("plan", "restore")
            #expect(restore.status == 1 && restore.output.isEmpty && !restore.errors.isEmpty)
        }
    }

    @Test("A graph is drawn by Graphviz, whatever the names are, and is XML with nothing but these texts")
    func graph() async throws {
        try await Shop.with { shop in
            let names = [#""><script>alert(1)</script>"#, #"back\slash"#, "&lt;&amp;", "a]]>b", "line\nbreak", "\u{1}"]
            for name in names {
                let quoted = "\"" + name.replacing("\"", with: "\"\"") + "\""
                try await shop.execute(
                    "create table \(quoted) (id int primary key, product_id int references products)"
                )
            }
            try shop.configure("tables: ['public.*']")
            let outcome = try await shop.program.run("plan", "backup", "--graph", "tables.svg")
            #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
            let parser = XMLTexts(try Data(contentsOf: URL(filePath: "\(shop.folder)/tables.svg")))
            let texts = try parser.parse()
            let expected = [
                #""><script>alert(1)</script>"#, #"back\slash"#, "&lt;&amp;", "a]]>b", #"line\u{A}break"#, #"\u{1}"#,
            ]
            for name in expected {
                #expect(texts.contains { $0.hasSuffix(". public.\(name)") }, "\(name) in \(texts)")
            }
            #expect(!parser.elements.contains("script"))
        }
    }

    @Test("Without Graphviz the graph is Mermaid text in a file beside it, which is said")
    func withoutGraphviz() async throws {
        try await Shop.with { shop in
            try shop.configure("tables: ['public.*']")
            var program = shop.program
            program.environment["PATH"] = shop.folder
            let outcome = try await program.run("plan", "backup", "--graph", "tables.svg")
            #expect(outcome.status == 0)
            #expect(outcome.error.contains("the graph is written to tables.mmd as Mermaid text instead"))
            let text = try String(contentsOfFile: "\(shop.folder)/tables.mmd", encoding: .utf8)
            #expect(text.hasPrefix("flowchart LR\n") && text.contains("t1 -->|\"product_id\"| t0\n"))
            #expect(!FileManager.default.fileExists(atPath: "\(shop.folder)/tables.svg"))
        }
    }

    @Test("Thousands of tables are text as a whole, and a drawing of the first thousand")
    func manyTables() async throws {
        try await Shop.with { shop in
            try await shop.execute(
                "do $$ begin for n in 1..1500 loop execute format('create table t%s (id int)', n); end loop; end $$"
            )
            try shop.configure("tables: ['public.*']")
            let text = try await shop.program.run("plan", "backup", "--graph", "tables.dot")
            #expect(text.status == 0 && text.error.isEmpty, "\(text.error)")
            let dot = try String(contentsOfFile: "\(shop.folder)/tables.dot", encoding: .utf8)
            #expect(dot.split(separator: "\n").count { $0.contains("[label=\"") && $0.contains("public.t") } == 1500)
            let drawing = try await shop.program.run("plan", "backup", "--graph", "tables.svg")
            #expect(
                drawing.status == 0 && drawing.error.contains("has 1,000 tables, and lacks 502 more"),
                "\(drawing.error)"
            )
            #expect(FileManager.default.fileExists(atPath: "\(shop.folder)/tables.svg"))
        }
    }

    @Test("A name without a known ending, and a folder that is not there, are refused")
    func refusedFiles() async throws {
        try await Shop.with { shop in
            try shop.configure("tables: ['public.*']")
            let ending = try await shop.program.run("plan", "backup", "--graph", "tables.png")
            #expect(ending.status == 2 && ending.error.contains("does not end in .svg, .dot or .mmd"))
            let folder = try await shop.program.run("plan", "backup", "--graph", "none/tables.dot")
            #expect(folder.status == 1 && folder.error.contains("none/tables.dot cannot be written: No such"))
        }
    }
}
