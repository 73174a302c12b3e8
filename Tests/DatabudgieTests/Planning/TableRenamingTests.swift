import Postgres
import Testing

@testable import Databudgie

@Suite("Names under which tables are restored")
struct TableRenamingTests {
    private func renaming(
        schema: [(String, String)] = [],
        table: [(String, String)] = []
    ) -> TableRenaming {
        let rules = Renaming(
            schemas: schema.map { Renaming.Rule($0, $1) },
            tables: table.map { Renaming.Rule($0, $1) }
        )
        #expect((rules.schemas + rules.tables).allSatisfy { $0.problem == nil })
        return TableRenaming(rules, defaultSchema: "public")
    }

    private func name(_ schema: String, _ name: String) -> QualifiedName { QualifiedName(schema: schema, name: name) }

    @Test("A table comes before a schema, an exact name before a glob, and the first glob before the others")
    func precedence() {
        let renaming = renaming(
            schema: [("p*", "old_*"), ("public", "staging"), ("*", "other_*")],
            table: [("public.log_*", "archive.*"), ("public.log_a*", "never.*"), ("public.log_x", "exact.y")]
        )
        #expect(renaming.target(of: name("public", "log_x")).text == "exact.y")
        #expect(renaming.target(of: name("public", "log_ab")).text == "archive.ab")
        #expect(renaming.target(of: name("public", "orders")).text == "staging.orders")
        #expect(renaming.target(of: name("private", "log_x")).text == "old_rivate.log_x")
        #expect(renaming.target(of: name("sales", "t")).text == "other_sales.t")
    }

    @Test("What no rule fits keeps its name")
    func unchanged() {
        let renaming = renaming(schema: [("public", "staging")], table: [("sales.a", "sales.b")])
        #expect(renaming.target(of: name("sales", "t")).name == name("sales", "t"))
        #expect(renaming.sources(of: name("sales", "t")) == [name("sales", "t")])
    }

    @Test("Each star is what a wildcard has matched, in their order")
    func captures() {
        let renaming = renaming(table: [("*.log_[0-9]?_*", "x_*.*-*-*")])
        #expect(renaming.target(of: name("app", "log_7b_end")).text == "x_app.7-b-end")
        #expect(
            renaming.sources(of: name("x_app", "7-b-end")) == [name("app", "log_7b_end"), name("x_app", "7-b-end")]
        )
        // What would not match is not a name in the backup.
        #expect(renaming.sources(of: name("x_app", "a-b-end")) == [name("x_app", "a-b-end")])
    }

    @Test("A table whose name is given to another one has no place in the target")
    func inverse() {
        let renaming = renaming(
            schema: [("public", "staging")],
            table: [("public.a", "public.b"), ("public.b", "public.a")]
        )
        #expect(renaming.sources(of: name("public", "a")) == [name("public", "b")])
        #expect(renaming.sources(of: name("public", "b")) == [name("public", "a")])
        #expect(renaming.sources(of: name("public", "c")) == [])
        #expect(renaming.sources(of: name("staging", "c")) == [name("public", "c"), name("staging", "c")])
        // These two have rules of their own.
        #expect(renaming.sources(of: name("staging", "a")) == [name("staging", "a")])
    }

    @Test("Names without a dot are in the default schema, on both sides")
    func defaultSchema() {
        let renaming = renaming(table: [("orders", "orders_2026"), ("x", "archive.x")])
        #expect(renaming.target(of: name("public", "orders")).text == "public.orders_2026")
        #expect(renaming.target(of: name("public", "x")).text == "archive.x")
        #expect(renaming.target(of: name("other", "orders")).text == "other.orders")
    }

    @Test("Dots in names are parts of them, and accents are compared by their bytes")
    func oddNames() {
        let renaming = renaming(schema: [("a.b", "c.d"), ("\u{E9}", "composed")])
        #expect(renaming.target(of: name("a.b", "t.x")).name == name("c.d", "t.x"))
        #expect(renaming.target(of: name("a", "b.t")).name == name("a", "b.t"))
        #expect(renaming.sources(of: name("c.d", "t")) == [name("a.b", "t"), name("c.d", "t")])
        #expect(renaming.target(of: name("e\u{301}", "t")).name == name("e\u{301}", "t"))
        #expect(renaming.target(of: name("\u{E9}", "t")).name == name("composed", "t"))
        #expect(TableRenaming.names("a.b.c") == [name("a", "b.c"), name("a.b", "c")])
        #expect(TableRenaming.names("a") == [])
    }

    @Test("A rule that would bring tables together, or that has nothing for a star, cannot be used")
    func problems() {
        #expect(
            Renaming.Rule("a*", "b").problem?.message == "'rename': several names that 'a*' matches would become 'b'"
        )
        #expect(Renaming.Rule("a", "b*").problem?.message == "'rename': 'b*' has a '*' for which 'a' has no wildcard")
        #expect(Renaming.Rule("a?b*", "x*").problem != nil)
        #expect(Renaming.Rule("", "x").problem != nil)
        #expect(Renaming.Rule("x", "").problem != nil)
        #expect(Renaming.Rule("a?[b]**", "*-*-*").problem == nil)
    }
}
