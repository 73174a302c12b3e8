import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Graphs of plans")
struct PlanGraphTests {
    private func plan(_ names: [String], keys: [(Int, Int)] = []) -> RunPlan {
        var plan = RunPlan(.restore, database: "db")
        let jobs = names.enumerated().map { JobID(.rows, of: $1, number: $0) }
        plan.tables = jobs.map { RunPlan.Table(job: $0, reason: .exactName($0.name), place: "x.yml:1", file: "f") }
        let relations = names.enumerated().map { Fixture.relation(UInt32($0), $1) }
        let catalog = Fixture.catalog(relations)
        plan.foreignKeys = keys.compactMap { tail, head in
            let key = ForeignKey(
                name: "fk",
                referencing: UInt32(tail),
                referenced: UInt32(head),
                isDeferrable: false,
                isInherited: false,
                columns: [names[head] + "_id"]
            )
            return KeyReference(key, in: catalog).map {
                RunPlan.Key(job: jobs[tail], referenced: jobs[head], key: $0)
            }
        }
        return plan
    }

    @Test("Tables are boxes in their order, keys are arrows with their columns, and groups are frames")
    func texts() {
        var plan = plan(["a", "b", "c"], keys: [(1, 0), (2, 1)])
        plan.tables[0].rows = 1
        var group = RunPlan.Group(number: 1, tables: [plan.tables[1].job, plan.tables[2].job], bonds: [])
        group.emptyReferrers = ["d"]
        if let key = plan.foreignKeys.first?.key {
            group.reach = [RunPlan.Reach(table: "d", referenced: "b", key: key)]
        }
        plan.groups = [group]
        let graph = PlanGraph(plan)
        #expect(
            graph.dot == #"""
                digraph databudgie {
                  graph [rankdir=LR, fontname="sans-serif"];
                  node [shape=box, style=rounded, fontname="sans-serif"];
                  edge [fontname="sans-serif", fontsize=10];
                  t0 [label="1. a\n1 row"];
                  t1 [label="2. b"];
                  t2 [label="3. c"];
                  t3 [label="d\nmust be empty", style="rounded,dashed"];
                  subgraph cluster_0 { label="group 2: one transaction"; t1; t2; t3; }
                  t1 -> t0 [label="a_id"];
                  t2 -> t1 [label="b_id"];
                  t3 -> t1 [label="a_id"];
                }

                """#
        )
        #expect(
            graph.mermaid == """
                flowchart LR
                  t0["1. a<br/>1 row"]
                  t1["2. b"]
                  t2["3. c"]
                  t3["d<br/>must be empty"]:::reached
                  subgraph g0["group 2#58; one transaction"]
                    t1
                    t2
                    t3
                  end
                  t1 -->|"a_id"| t0
                  t2 -->|"b_id"| t1
                  t3 -->|"a_id"| t1
                  classDef reached stroke-dasharray: 4

                """
        )
    }

    /// Names that would be more than text if they were not escaped, for one of the three languages.
    private static let hostile = [
        #""><script>alert(1)</script>"#, #"x"]; evil -> t0; y [label=""#, #"back\slash\"#, #"\N\G\l"#, "&lt;b&gt;&amp;",
        "quote\"\u{301} with a mark", "line\nbreak\r\u{2028}", "bell\u{7}\u{1B}[31m\u{FFFE}\u{202E}", "`**md**`",
        "#quot;",
        "end", "%%{init: {}}%%", "--> t0", "é", "e\u{301}", "表", "a|b{c}d[e](f)", "]]>", "${x}", "'",
    ]

    @Test("No name is more than the text in its box", arguments: hostile)
    func escapes(name: String) {
        let dot = PlanGraph.dotText(name)
        // Between two quotes: nothing that ends them, and every backslash begins a pair.
        #expect(!dot.utf8.contains(UInt8(ascii: "\"")) && !dot.utf8.contains(UInt8(ascii: "<")))
        let backslashes = dot.utf8.split(omittingEmptySubsequences: true) { $0 != UInt8(ascii: "\\") }
        #expect(backslashes.allSatisfy { $0.count.isMultiple(of: 2) })
        let mermaid = PlanGraph.mermaidText(name)
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _.,-#;".utf8)
        #expect(mermaid.utf8.allSatisfy { $0 >= 0x80 || allowed.contains($0) })
        for text in [dot, mermaid] {
            #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control })
        }
        let graph = PlanGraph(plan([name, "other"], keys: [(1, 0)]))
        let lines = graph.dot.utf8.split(separator: UInt8(ascii: "\n")).count
        #expect(lines == 8 && graph.mermaid.utf8.split(separator: UInt8(ascii: "\n")).count == 5)
    }

    @Test("Names that differ in bytes only are different texts")
    func bytes() {
        #expect(!PlanGraph.dotText("é").hasBytes(of: PlanGraph.dotText("e\u{301}")))
    }

    @Test("Too many tables are left out of a drawing, those without references first, and counted")
    func limit() {
        let names = (0..<50).map { "t\($0)" }
        let graph = PlanGraph(plan(names, keys: [(49, 48)])).limited(to: 10)
        #expect(graph.nodes.count == 10 && graph.omitted == 40)
        #expect(graph.nodes.map { $0.lines[0] }.suffix(2) == ["49. t48", "50. t49"])
        #expect(graph.edges.map { [$0.tail, $0.head] } == [[9, 8]])
        #expect(graph.dot.contains("and 40 more tables, too many to draw"))
        let whole = PlanGraph(plan(names)).limited(to: 50)
        #expect(whole.nodes.count == 50 && whole.omitted == 0)
    }
}
