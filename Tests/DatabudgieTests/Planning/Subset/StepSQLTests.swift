import Postgres
import Testing

@testable import Databudgie

@Suite("Statements of subsets")
struct StepSQLTests {
    private func end(_ node: Int, _ name: String) -> SubsetGraph.End {
        let name = QualifiedName(schema: "s", name: name)
        let leaf = SubsetGraph.Leaf(relation: Relation.OID(node + 1), name: name, isReadable: true)
        return SubsetGraph.End(node: node, name: name, isPartitioned: false, leaves: [leaf])
    }

    private func node(_ end: SubsetGraph.End) -> SubsetGraph.Node {
        SubsetGraph.Node(
            relation: end.leaves[0].relation,
            name: end.name,
            isPartitioned: false,
            leaves: end.leaves,
            primaryKey: [SubsetGraph.KeyColumn(name: "id", dependsOnTimeZone: false)]
        )
    }

    private func statements(
        condition: String? = nil,
        children: SubsetGraph.Children = .init(),
        hasIndex: Bool = true
    ) -> StepSQL {
        let (parent, child) = (end(0, "a\"b"), end(1, "c"))
        let comparison = SubsetGraph.Comparison(
            child: "ref",
            parent: "id",
            comparison: "operator(\"pg_catalog\".=)",
            childCast: "numeric",
            collation: "\"pg_catalog\".\"C\""
        )
        let edge = SubsetGraph.Edge(
            name: "s.c.ref",
            child: child,
            parent: parent,
            columns: [comparison],
            expression: nil,
            isArray: false,
            condition: condition,
            follow: .both,
            children: children,
            isUnique: true,
            isValidated: true,
            nullableColumns: [],
            hasParentIndex: true,
            hasChildIndex: hasIndex
        )
        return StepSQL(graph: SubsetGraph(nodes: [node(parent), node(child)], edges: [edge]))
    }

    private func step(_ sql: StepSQL, isDownward: Bool) -> SubsetStatement {
        let arc = SubsetGraph.Arc(edge: 0, isDownward: isDownward)
        return sql.step(arc, from: sql.graph.source(of: arc).leaves[0], isWhole: false)
    }

    @Test("The rows of a batch come from a setting, and every name of ours is quoted or qualified")
    func steps() {
        let batch =
            "t.ctid operator(pg_catalog.=) any (pg_catalog.current_setting('databudgie.rows')::pg_catalog.tid[])"
        let key = "(t.\"ref\"::numeric collate \"pg_catalog\".\"C\")"
        let upward = step(statements(), isDownward: false)
        #expect(
            upward.text == """
                with databudgie_k as materialized (select \(key) as databudgie_k0 from only "s"."c" as t where \(batch))
                select p.tableoid, p.ctid from only "s"."a""b" as p
                where exists (select from databudgie_k where p."id" operator("pg_catalog".=) databudgie_k.databudgie_k0)
                """
        )
        #expect(!upward.hasUserText)
        #expect(
            step(statements(), isDownward: true).text == """
                with databudgie_k as materialized (select t.tableoid as databudgie_o, t.ctid as databudgie_r, t."id" as databudgie_k0 from only "s"."a""b" as t where \(batch))
                select c.databudgie_o, c.databudgie_r from databudgie_k join (
                select t.tableoid as databudgie_o, t.ctid as databudgie_r, \(key) as databudgie_k0 from only "s"."c" as t
                ) c on databudgie_k.databudgie_k0 operator("pg_catalog".=) c.databudgie_k0
                """
        )
    }

    @Test("SQL of the user's is on lines of its own, because it may end in a comment")
    func userText() {
        let sql = statements(
            condition: "kind = 1 -- one",
            children: .init(condition: "x > 0 -- two", limit: 3, order: "y desc -- three")
        )
        let downward = step(sql, isDownward: true)
        #expect(downward.hasUserText)
        #expect(downward.text.contains("(\nkind = 1 -- one\n) and (\nx > 0 -- two\n)"))
        #expect(downward.text.contains("order by \ny desc -- three\n, t.\"id\", t.tableoid, t.ctid limit 3"))
        // ORDER BY takes names of the list first, so ours must not be there.
        #expect(downward.text.contains("select t.tableoid, t.ctid from only \"s\".\"c\""))
        #expect(step(sql, isDownward: false).text.contains("(\nkind = 1 -- one\n)"))
        #expect(!step(sql, isDownward: false).text.contains("two"))
    }

    @Test("A sample compares the hash of the primary key with a share of 2³²")
    func sample() throws {
        let sample = try #require(SubsetSample("1%"))
        let sql = statements(children: .init(sample: sample))
        #expect(
            step(sql, isDownward: true).text.contains(
                "pg_catalog.sha256(pg_catalog.convert_to('s.c|' operator(pg_catalog.||) t.\"id\"::pg_catalog.text, 'UTF8')) "
                    + "operator(pg_catalog.<) pg_catalog.decode('028f5c28', 'hex')"
            )
        )
        #expect(SubsetSample("0%") == nil && SubsetSample("101%") == nil && SubsetSample("1") == nil)
        #expect(SubsetSample("100%")?.threshold == 4_294_967_296)
    }
}
